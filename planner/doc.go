// Package planner decides how a model runs on a device: what stays in memory,
// what is read from flash, which cores and accelerators compute what.
//
// The problem: one model, one device and one limit of memory allow many ways to
// run, and the best depends on numbers that only measuring tells. So the package
// is given measurements as plain data and returns decisions as plain data that
// a person can read and edit. It opens no file, reads no clock, asks the system
// nothing, and imports nothing of this module: infer measures, main connects,
// and a test can put any device before it.
//
// It answers two questions. Whether a model fits into memory at all (memory.go):
//
//	m := planner.Judge(weights, kv, work, available) // bytes, as infer measures them
//	if m.Verdict == planner.Over { ... }
//
// And for a model in a pack, what becomes of a budget that is smaller than the
// model, after PowerInfer-2 (arXiv 2406.06282, section 5):
//
//	plan, err := planner.Solve(&model, &device, limits) // solve.go
//	text, err := json.Marshal(plan)                     // a person edits it
//	plan, err = planner.Parse(text)
//	err = plan.Check(&model, limits)                    // plan.go
//
// Solve takes three profiles: of the model (sizes, and for each neuron the share
// of tokens for which it is active), of the device (how fast it reads memory
// and flash) and of the user (budget, mode). The plan splits the budget into what
// is always there, hot neurons that stay and cold ones that come and go, and
// says how each layer is computed (mode.go), which neurons are hot, whether gates
// are read first, how many reads are under way and whether they begin early, why,
// and which speed, hit rate and stall it expects of that (expect.go).
//
// Invariants: the same data gives the same decision on every machine. A plan that
// Solve made or that passed Check never takes more than its budget, and leaves
// room for all neurons of a layer, without which a token could not be computed.
// More budget never keeps less in memory.
package planner

// Package planner decides how a model runs on a device: what stays in memory,
// what is read from flash, which cores and accelerators compute what.
//
// The problem: one model, one device and one limit of memory allow many ways to
// run, and the best depends on numbers that only measuring tells. So the package
// is given measurements as plain data and returns decisions as plain data that
// a person can read. It opens no file, reads no clock, asks the system nothing,
// and imports nothing of this module: infer measures, main connects, and a test
// can put any device before it.
//
// It is to hold the planner of PowerInfer-2 (arXiv 2406.06282, section 5): from
// a profile of the device, a profile of the model's activations and the user's
// limits, a plan with the speed that it expects. What is here is its first
// question, whether a model fits into memory at all:
//
//	m := planner.Judge(weights, kv, work, available) // bytes, as infer measures them
//	if m.Verdict == planner.Over { ... }
//
// Invariant: the same data gives the same decision on every machine.
package planner

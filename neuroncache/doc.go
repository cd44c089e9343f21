// Package neuroncache keeps the part of a model's neurons in memory that is worth its place.
//
// A model that is larger than its memory budget lies on flash, cut into units of one size: a neuron's bundle of gate row, up row and down
// column, a page with several small neurons, or a larger cluster. A token needs few of them, most of these are the ones that the token before
// needed, and some are needed nearly always. So memory is one arena of equal slots in three regions, as in PowerInfer-2 (arXiv 2406.06282,
// section 4.2):
//
//	arena   | fixed            | chunk 0   | chunk 1   | chunk 2   | ... | chunk n-1 |
//	region    never evicted      hot         cold        hot               cold
//	holds     what the caller    a cluster   one unit    a cluster         one unit
//	          puts there         of units    per slot    of units          per slot
//	evicts    -                  least recently used     what the policy says, unit by unit
//	                             cluster, as a whole
//
// A chunk is as many neighbouring slots as a cluster has units, so a cluster arrives by one sequential read. Each chunk is hot or cold, and
// SetHot moves this border while the engine runs. Weights are read-only, so eviction drops. Memory is all this package knows: a caller is told
// "this unit is absent, its slot is here", reads it from wherever it lies, and says Ready.
//
// A unit is (group, unit): a group is a layer's FFN, an expert, or one page kind of either. Lookup is an array index per unit. Work is done in
// batches, which is also how slots are pinned (pin.go): what a batch has seen stays where it is until the batch ends.
//
//	b := c.Begin(1)                              // one holder; several workers may hold a batch, each ends it once
//	c.Lookup(b, layer, units, found)             // Resident, Loading, Claimed or Full for each unit
//	   Claimed:  read into c.Slot(found.Slot), then c.Ready(slot) or c.Failed(slot), from any thread
//	   Loading:  another asked first; poll c.State(slot)
//	   Full:     every slot is pinned; compute what is there, end the batch, ask again
//	c.End(b)
//
// Invariants, which build tag cacheinvariants checks after every operation: a unit has at most one slot, a slot at most one unit; nothing
// pinned or loading is evicted or moved; slots in use never exceed the arena; read minus dropped is what is there, in each region.
//
// # Protocol
//
// Two kinds of operations may run at the same time, on any threads:
//
//   - Managing: Begin, Lookup, Look, Prefetch, LookupClusters, PrefetchClusters, SetHot. These share plain, unlocked tables, so one runs at a time: a
//     word is taken for the length of the call, at most a batch's few microseconds. Whoever finds it taken spins. An engine in which one worker
//     manages between barriers never finds it taken.
//   - Using: State, Slot, Ready, Failed, End, Stats, Heat. These are a few atomic operations each and never wait. Ready is a release and State
//     an acquire: who sees Resident sees the bytes.
//
// So worker 0 may claim a layer's absent units and hand the reads over, all workers may mark them Ready as they arrive and End the batch after
// use, and the claims for the next layer may be made meanwhile. The risk that is accepted: pinning is by age, so one batch that is never ended
// pins all that is used after it. The engine ends its batches layer by layer.
package neuroncache

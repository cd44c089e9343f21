// Package iosched reads weights from flash. It knows files and devices, and nothing of neurons.
//
// A model that does not fit into memory is read again and again, in requests of a few KB to a few MB. How fast that goes
// depends on the size of a request and on how many are under way at once far more than on the flash's nominal speed: a phone's
// storage that streams 4 GB/s gives a tenth of it for single reads of 4 KB. And the kernel's page cache, which would keep what
// was read, fights with the program for the same memory and costs a copy. So weights are read with O_DIRECT, past the cache, many at a time.
//
// A phone's UFS has one queue, and several threads that fill it take up to 40 % of its speed from each other (PowerInfer-2, 2406.06282, section 2.3.2).
// But a thread for that alone costs two wake-ups a read, each of them as long as a read takes. So a Scheduler is driven by the threads that read, one
// at a time: who submits gives the device its reads, who waits takes in the finished ones, for all (drive.go). It puts demands before prefetches and
// joins neighbours into one read, over a small gap if need be (fill.go; Ripple, 2410.19274, calls that access collapse). Beneath it is a Device:
// libaio, io_uring or a pool of preads, chosen when the file is opened; around that one can be put a model of another flash (Simulate) or faults (Faults).
//
// The caller owns everything that is read into and told: a Request is a value in its own tables, and a Group is where its finished requests arrive.
// Its threads compute what they have and take what comes, without locks, channels or allocation:
//
//	s, err := iosched.Open(path, iosched.Config{})
//	g := iosched.NewGroup(64)
//	err = s.Submit(g, iosched.Demand, batch) // each with Offset and Buf; Tag says what it is
//	for r := g.Wait(deadline); r != nil; r = g.Wait(deadline) {
//		use(r) // or ask again: r.Err is what happened, nothing is tried twice here
//	}
//
// Invariants, which the tests hold: each submitted request arrives in its group exactly once, whatever happens; what arrives without an error is
// what the file held; never do two threads feed the device at once, and a thread that waits is woken for what arrives, whoever took it in; no prefetch
// begins while a demand waits; a failed read fails only the requests whose own bytes it could not get; a read allocates nothing; Close leaves no thread
// behind. Data is never checked here, a flipped bit arrives as it is: packs have checksums.
//
// Measure (measure.go) finds out what a folder's device delivers by request size and depth, through a scheduler of its own. The file that it reads
// has no name any more before its first byte is written, so nothing can be left behind, and never is a figure from the cache passed off as the device's.
package iosched

// Package probe measures what a machine can do, apart from any model: how fast each core multiplies, how fast so many threads read
// memory, and what the system lets the program have.
//
// A figure in tokens a second means something only beside the machine's own limit in the same minute: a phone that is hot, or a
// virtual machine with busy neighbours, is another machine than it was. Decode has to read every weight for every token, so its
// limit is a plain streaming read; prefill uses every weight for many tokens, so its limit is what the cores can multiply and add. Both
// are measured with loops that do nothing else (the limits of package kernel), on the same pinned threads that compute. Clock rates are not
// asked: on phones the faster cluster may run at the lower clock, so each core is timed.
//
// rates.go measures, on a [workers.Pool] of the caller's; cores.go and memory.go use it to describe cores and memory;
// system.go reads what the kernel says in /proc and /sys, any file of which may be missing or forbidden, as is usual on Android.
// All of it is plain data that marshals to JSON. A fact that is not known is its zero value.
//
//	pool := workers.New(2, workers.Options{Pin: true})
//	bytesPerSec := probe.ReadRate(pool, weights, 50*time.Millisecond)
//
// Measuring takes the machine as it is. Whoever compares figures repeats them in turn with what is compared.
package probe

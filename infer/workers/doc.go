// Package workers runs one function on a few pinned threads at once, with barriers between its steps.
//
// The forward pass of a model is a long list of short steps: a matrix product of 20-500 us, then a point
// where every thread must have finished before the next one starts. Goroutines and channels are too slow
// for that: handing work to a goroutine that is locked to its thread costs 15 us. So the pool is SPMD, one
// program on all workers: Run starts the same function on each of them, the function asks for its share of
// every step, and the workers meet at Barrier between steps.
//
//	caller = worker 0      worker 1               worker 2
//	Run(f)                 idle: await start      idle: await start
//	  open start ────────► wakes ───────────────► wakes
//	  f(w0)                f(w1)                  f(w2)
//	    step 1               step 1                 step 1
//	    Barrier ◄──────────► Barrier ◄────────────► Barrier     the last to arrive opens phase
//	    step 2               step 2                 step 2
//	  await done ◄───────  left--  ◄───────────── left--        the last to leave opens done
//	Run returns            idle: await start      idle: await start
//
// Every wait is the same (gate.go): read a word in a loop for at most 50 us, then sleep on a futex. The loop
// is Go code with a preemption point, because the garbage collector must be able to stop a thread that spins;
// a spin loop in assembly can lock the program up for seconds when a collection falls into it. The futex call
// goes through the Go scheduler, so a sleeping worker holds no P. Whoever opens a gate makes the wake call
// only if somebody sleeps. When there are more workers than CPUs nobody spins, since the awaited worker may
// need the CPU of the one that waits.
//
// Threads. Worker 0 is the goroutine that calls Run, on whatever thread it has; Bind ties it to a thread and
// a core. Workers 1..n-1 are goroutines started by New, each locked to an OS thread of its own, with Pin on a
// core of its own. A worker owns its entry of the pool's workers and nothing else; the pool's words are atomic.
// Close stops the workers and their threads end with them.
//
// Invariants: between start and done every worker runs f exactly once. A word of a gate only changes when it
// is opened, so a waiter that read the old value cannot miss it. Neither Run, Barrier nor Next allocates.
//
// A panic in f breaks the phase gate: workers that wait at a barrier, or reach one later, leave f as well, and
// Run panics in its caller with a *Panic that holds the first panic's value and stack. The pool stays usable.
//
// Use: New once, Run per token with a function value that was made once (a closure made per call is an
// allocation of the caller's) or RunAlone where one worker is faster, Close at the end. Share out a step with
// Next on a Counter where pieces differ in cost or cores in speed, with Split where each worker must get the
// same piece every time.
package workers

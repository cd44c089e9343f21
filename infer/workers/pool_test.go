package workers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// withPools runs test on pools of 1 to 8 workers, which on most machines covers more workers than CPUs.
func withPools(t *testing.T, test func(t *testing.T, p *Pool)) {
	for n := 1; n <= 8; n++ {
		t.Run(fmt.Sprintf("%d workers", n), func(t *testing.T) {
			p := New(n, Options{})
			defer p.Close()
			test(t, p)
		})
	}
}

// within fails the test with all stacks when f does not return in time: the pool hangs.
func within(t *testing.T, d time.Duration, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(d):
		stacks := make([]byte, 1<<16)
		t.Fatalf("still running after %v\n%s", d, stacks[:runtime.Stack(stacks, true)])
	}
}

func TestRunCallsTheFunctionOncePerWorker(t *testing.T) {
	withPools(t, func(t *testing.T, p *Pool) {
		for run := range 200 {
			calls := make([]atomic.Int32, p.Size())
			p.Run(func(w *Worker) { calls[w.ID].Add(1) })
			for id := range calls {
				if got := calls[id].Load(); got != 1 {
					t.Fatalf("run %d: worker %d was called %d times", run, id, got)
				}
			}
		}
	})
}

// Each worker writes its cell of a row and, after the barrier, reads everybody's. The cells are plain
// memory, so the race detector checks that a barrier orders them.
func TestWritesBeforeABarrierAreSeenByAllAfterIt(t *testing.T) {
	const steps = 400
	withPools(t, func(t *testing.T, p *Pool) {
		rows := [2][]int{make([]int, p.Size()), make([]int, p.Size())}
		var wrong atomic.Int32
		for range 3 {
			p.Run(func(w *Worker) {
				for step := range steps {
					row := rows[step%2]
					row[w.ID] = step
					if (step+w.ID)%97 == 0 {
						time.Sleep(100 * time.Microsecond) // longer than anybody spins
					}
					w.Barrier()
					for _, got := range row {
						if got != step {
							wrong.Add(1)
						}
					}
				}
			})
		}
		if wrong.Load() > 0 {
			t.Errorf("%d stale reads after barriers", wrong.Load())
		}
	})
}

func TestGarbageCollectionNeverStallsTheWorkers(t *testing.T) {
	for _, n := range []int{2, 4} {
		p := New(n, Options{})
		stop := make(chan struct{})
		var collector sync.WaitGroup
		collector.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					runtime.GC()
				}
			}
		})
		var worst time.Duration
		within(t, 60*time.Second, func() {
			for begin := time.Now(); time.Since(begin) < 500*time.Millisecond; {
				t0 := time.Now()
				p.Run(func(w *Worker) {
					for range 100 {
						w.Barrier()
					}
				})
				worst = max(worst, time.Since(t0))
			}
		})
		close(stop)
		collector.Wait()
		p.Close()
		if worst > 5*time.Second {
			t.Errorf("%d workers: 100 barriers took %v while the collector ran", n, worst)
		}
	}
}

// With asynchronous preemption off only the stack check can stop a spinning goroutine, as in a loop whose
// time goes to assembly. The setting must be made before the program starts, hence the second process.
func TestPreemptionPointStopsALoopWithoutSignals(t *testing.T) {
	const child = "WORKERS_TEST_SPIN"
	if os.Getenv(child) != "" {
		var stop atomic.Bool
		go func() {
			for !stop.Load() {
				preemptionPoint(1)
			}
		}()
		time.Sleep(10 * time.Millisecond)
		runtime.GC() // hangs if the loop cannot be stopped
		stop.Store(true)
		return
	}
	// Killed from outside: in a process whose collector hangs the test's own timeout hangs as well.
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), child+"=1", "GODEBUG=asyncpreemptoff=1", "GOMAXPROCS=4")
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.ENOEXEC) {
		t.Skip("an emulated program cannot start itself")
	}
	if err != nil {
		t.Errorf("%v\n%.2000s", err, out)
	}
}

func TestAPanicComesOutOfRunAndThePoolGoesOn(t *testing.T) {
	cause := errors.New("the weights are gone")
	withPools(t, func(t *testing.T, p *Pool) {
		for id := range p.Size() {
			for _, before := range []int{0, 1, 5} { // barriers before the panic
				var got *Panic
				within(t, 20*time.Second, func() {
					defer func() { got, _ = recover().(*Panic) }()
					p.Run(func(w *Worker) {
						for range before {
							w.Barrier()
						}
						if w.ID == id {
							failHere(cause)
						}
						for range 3 {
							w.Barrier()
						}
					})
				})
				if got == nil || got.Worker != id || !errors.Is(got, cause) {
					t.Fatalf("worker %d, %d barriers: Run panicked with %v", id, before, got)
				}
				if text := got.Error(); !strings.Contains(text, "failHere") || !strings.Contains(text, cause.Error()) {
					t.Fatalf("the panic does not tell where and why: %s", text)
				}
				var after atomic.Int32
				p.Run(func(w *Worker) { w.Barrier(); after.Add(1); w.Barrier() })
				if int(after.Load()) != p.Size() {
					t.Fatalf("after the panic %d of %d workers ran", after.Load(), p.Size())
				}
			}
		}
	})
}

func failHere(err error) { panic(err) }

func TestPanicsOnAllWorkersAreOnePanic(t *testing.T) {
	p := New(4, Options{})
	defer p.Close()
	for range 50 {
		within(t, 20*time.Second, func() {
			defer func() {
				if _, ok := recover().(*Panic); !ok {
					t.Error("Run did not panic with a *Panic")
				}
			}()
			p.Run(func(w *Worker) { panic(w.ID) })
		})
	}
}

func TestAWorkerThatEndsItsGoroutineIsReplaced(t *testing.T) {
	p := New(3, Options{})
	defer p.Close()
	for id := range p.Size() {
		var got any
		within(t, 20*time.Second, func() { // runs in a goroutine that worker 0 may end
			defer func() { got = recover() }()
			p.Run(func(w *Worker) {
				if w.ID == id {
					runtime.Goexit()
				}
				w.Barrier()
			})
		})
		if _, told := got.(*Panic); told != (id > 0) {
			t.Errorf("worker %d: Run panicked with %v", id, got)
		}
		var after atomic.Int32
		within(t, 20*time.Second, func() { p.Run(func(w *Worker) { w.Barrier(); after.Add(1) }) })
		if int(after.Load()) != p.Size() {
			t.Fatalf("afterwards %d of %d workers ran", after.Load(), p.Size())
		}
	}
}

func TestMisuseIsToldNotHungOn(t *testing.T) {
	for _, n := range []int{1, 2} {
		p := New(n, Options{})
		within(t, 20*time.Second, func() {
			defer func() {
				if r := recover(); r == nil || !strings.Contains(fmt.Sprint(r), "in use") {
					t.Errorf("Run inside Run: %v", r)
				}
			}()
			p.Run(func(w *Worker) { p.Run(func(*Worker) {}) })
		})
		p.Close()
		within(t, 20*time.Second, func() {
			defer func() {
				if r := recover(); r == nil || !strings.Contains(fmt.Sprint(r), "after Close") {
					t.Errorf("Run after Close: %v", r)
				}
			}()
			p.Run(func(*Worker) {})
		})
	}
}

func TestCloseEndsTheWorkersAndMayBeRepeated(t *testing.T) {
	before := runtime.NumGoroutine()
	for _, idle := range []time.Duration{0, 5 * time.Millisecond} { // spinning, sleeping
		p := New(4, Options{})
		p.Run(func(w *Worker) { w.Barrier() })
		time.Sleep(idle)
		within(t, 20*time.Second, func() {
			var closers sync.WaitGroup
			for range 3 {
				closers.Go(p.Close)
			}
			closers.Wait()
			p.Close()
		})
	}
	for begin := time.Now(); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Since(begin) > 10*time.Second {
			t.Fatalf("%d goroutines before, %d after Close", before, runtime.NumGoroutine())
		}
	}
}

func TestCloseWaitsForTheRunInProgress(t *testing.T) {
	p := New(2, Options{})
	running := make(chan struct{})
	var finished atomic.Bool
	go p.Run(func(w *Worker) {
		w.Barrier()
		if w.ID == 0 {
			close(running)
			time.Sleep(20 * time.Millisecond)
			finished.Store(true)
		}
		w.Barrier()
	})
	<-running
	p.Close()
	if !finished.Load() {
		t.Error("Close returned while the function ran")
	}
}

func TestNothingIsAllocatedPerRun(t *testing.T) {
	for _, n := range []int{1, 2, 4} {
		p := New(n, Options{})
		var c Counter
		var sum atomic.Int64
		f := func(w *Worker) {
			for lo, hi, ok := w.Next(&c, 8, 100); ok; lo, hi, ok = w.Next(&c, 8, 100) {
				sum.Add(int64(hi - lo))
			}
			w.Barrier()
			if w.ID == 0 {
				c.Reset()
			}
			w.Barrier()
		}
		if got := testing.AllocsPerRun(300, func() { p.Run(f) }); got != 0 {
			t.Errorf("%d workers: %v allocations per Run", n, got)
		}
		p.Close()
	}
}

func TestBusyTimeLeavesOutWaiting(t *testing.T) {
	p := New(2, Options{})
	defer p.Close()
	const work = 10 * time.Millisecond
	// A loaded machine may take its CPU from the waiting worker just before it begins to wait, but not always.
	for range 100 {
		idle, busy := p.BusyNs(0), p.BusyNs(1)
		p.Run(func(w *Worker) {
			if w.ID == 1 {
				for begin := time.Now(); time.Since(begin) < work; {
					preemptionPoint(1)
				}
			}
			w.Barrier()
		})
		idle, busy = p.BusyNs(0)-idle, p.BusyNs(1)-busy
		if time.Duration(busy) < work {
			t.Fatalf("worker 1 computed for %v, booked are %d ns", work, busy)
		}
		if idle < busy/2 {
			return
		}
	}
	t.Error("worker 0 waited nearly all the time, but it is booked as busy")
}

func TestBusyTimeNeverFallsWhileItIsRead(t *testing.T) {
	p := New(2, Options{})
	defer p.Close()
	stop := make(chan struct{})
	var reader sync.WaitGroup
	reader.Go(func() {
		var last [2]uint64
		for {
			select {
			case <-stop:
				return
			default:
			}
			for i := range last {
				now := p.BusyNs(i)
				if now < last[i] {
					t.Errorf("worker %d: busy time fell from %d to %d", i, last[i], now)
				}
				last[i] = now
			}
		}
	})
	for range 100 {
		p.Run(func(w *Worker) { w.Barrier(); w.Barrier() })
	}
	close(stop)
	reader.Wait()
}

func BenchmarkRun(b *testing.B) {
	for _, n := range []int{1, 2} {
		b.Run(fmt.Sprintf("workers=%d", n), func(b *testing.B) {
			p := New(n, Options{Pin: true})
			defer p.Close()
			defer p.Bind()()
			f := func(*Worker) {}
			for b.Loop() {
				p.Run(f)
			}
		})
	}
}

func BenchmarkRunWakingSleepers(b *testing.B) {
	p := New(2, Options{Pin: true})
	defer p.Close()
	f := func(*Worker) {}
	var ns int64
	for b.Loop() {
		time.Sleep(200 * time.Microsecond)
		t0 := now()
		p.Run(f)
		ns += now() - t0
	}
	b.ReportMetric(float64(ns)/float64(b.N), "ns/run")
}

func BenchmarkBarrier(b *testing.B) {
	for _, n := range []int{2, 4} { // 4: more than there are CPUs on a small machine
		b.Run(fmt.Sprintf("workers=%d", n), func(b *testing.B) {
			p := New(n, Options{Pin: true})
			defer p.Close()
			b.ResetTimer()
			p.Run(func(w *Worker) {
				for range b.N {
					w.Barrier()
				}
			})
		})
	}
}

func TestRunNeverReturnsBeforeAllWorkersHaveLeft(t *testing.T) {
	p := New(3, Options{})
	defer p.Close()
	var inside atomic.Int32
	for round := range 20000 {
		p.Run(func(w *Worker) {
			inside.Add(1)
			if (round+w.ID)%3 == 0 {
				runtime.Gosched() // leaves at another moment than the others
			}
			inside.Add(-1)
		})
		if n := inside.Load(); n != 0 {
			t.Fatalf("round %d: Run returned with %d workers inside", round, n)
		}
	}
}

func TestRunAloneIsWorkerZeroByItself(t *testing.T) {
	p := New(3, Options{})
	defer p.Close()
	var ran atomic.Int32
	count := func(w *Worker) {
		ran.Add(1)
		w.Barrier()
	}
	for range 3 {
		ran.Store(0)
		p.RunAlone(func(w *Worker) {
			count(w)
			if lo, hi := w.Split(10); w.ID != 0 || lo != 0 || hi != 10 {
				t.Errorf("worker %d has %d to %d of 10", w.ID, lo, hi)
			}
		})
		if n := ran.Load(); n != 1 {
			t.Errorf("%d workers ran alone", n)
		}
		if p.Run(count); ran.Load() != 4 {
			t.Errorf("%d workers ran after one alone, expected 3", ran.Load()-1)
		}
	}
	func() {
		defer func() {
			if _, ok := recover().(*Panic); !ok {
				t.Error("a panic alone does not come out of RunAlone")
			}
		}()
		p.RunAlone(func(*Worker) { panic("alone") })
	}()
	ran.Store(0)
	p.Run(count)
	if ran.Load() != 3 {
		t.Error("the pool cannot be used after a panic of one alone")
	}
}

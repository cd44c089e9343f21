package workers

import (
	"fmt"
	"sync/atomic"
	"testing"
	"unsafe"
)

func TestACounterGivesOutEachIndexExactlyOnce(t *testing.T) {
	withPools(t, func(t *testing.T, p *Pool) {
		for _, total := range []int{0, 1, 7, 1000} {
			for _, chunk := range []int{-1, 0, 1, 3, 64, 5000} {
				var c Counter
				taken := make([]atomic.Int32, total)
				for step := range 2 { // again after Reset
					p.Run(func(w *Worker) {
						for {
							lo, hi, ok := w.Next(&c, chunk, total)
							if !ok {
								return
							}
							if hi-lo > max(chunk, 1) || hi <= lo {
								t.Errorf("piece %d..%d of chunk %d", lo, hi, chunk)
							}
							for i := lo; i < hi; i++ {
								taken[i].Add(1)
							}
						}
					})
					c.Reset()
					for i := range taken {
						if got := int(taken[i].Load()); got != step+1 {
							t.Fatalf("total %d chunk %d step %d: index %d taken %d times", total, chunk, step, i, got)
						}
					}
				}
			}
		}
	})
}

func TestSplitCoversAllInOrderAndEvenly(t *testing.T) {
	withPools(t, func(t *testing.T, p *Pool) {
		for _, total := range []int{0, 1, 2, 7, 8, 1001} {
			lo, hi := make([]int, p.Size()), make([]int, p.Size())
			p.Run(func(w *Worker) { lo[w.ID], hi[w.ID] = w.Split(total) })
			next, even := 0, total/p.Size()
			for id := range lo {
				if size := hi[id] - lo[id]; lo[id] != next || size < even || size > even+1 {
					t.Errorf("total %d: worker %d has %d..%d", total, id, lo[id], hi[id])
				}
				next = hi[id]
			}
			if next != total {
				t.Errorf("total %d: the shares end at %d", total, next)
			}
		}
	})
}

func TestWordsOfDifferentWorkersLieApart(t *testing.T) {
	for name, size := range map[string]uintptr{
		"Worker": unsafe.Sizeof(Worker{}), "Counter": unsafe.Sizeof(Counter{}), "gate": unsafe.Sizeof(gate{}),
	} {
		if size != 128 {
			t.Errorf("%s is %d bytes, not 128", name, size)
		}
	}
}

func BenchmarkNext(b *testing.B) {
	for _, n := range []int{1, 2} {
		b.Run(fmt.Sprintf("workers=%d", n), func(b *testing.B) {
			p := New(n, Options{Pin: true})
			defer p.Close()
			var c Counter
			b.ResetTimer()
			p.Run(func(w *Worker) {
				for {
					if _, _, ok := w.Next(&c, 1, b.N); !ok {
						return
					}
				}
			})
		})
	}
}

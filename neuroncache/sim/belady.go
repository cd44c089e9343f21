package sim

import (
	"errors"
	"io"
	"math/bits"

	"hotcell/neuroncache/trace"
)

// Future is what Belady's optimum needs to know of a trace: when each used unit is used again. Two bytes for each use.
type Future struct {
	Tokens int
	again  []uint16 // [use, in the trace's order] tokens until the next use; 0: never, or so late that it does not matter
}

// farthest is the longest wait that is told from never.
const farthest = 1<<16 - 1

// Look reads a trace to its end.
func Look(r *trace.Reader) (*Future, error) {
	f := &Future{}
	firsts, units := firstUnits(&r.Header)
	type use struct{ at, token int32 }
	last := make([]use, units)
	for {
		token, err := r.Next()
		if errors.Is(err, io.EOF) {
			return f, nil
		}
		if err != nil {
			return nil, err
		}
		f.Tokens++
		now := int32(f.Tokens)
		for _, a := range token {
			for _, u := range a.Units {
				l := &last[firsts[a.Group]+u]
				if gap := now - l.token; l.token > 0 && gap <= farthest {
					f.again[l.at] = uint16(gap)
				}
				*l = use{int32(len(f.again)), now}
				f.again = append(f.again, 0)
			}
		}
	}
}

// Optimum plays a trace, whose future was looked at, against Belady's policy.
func Optimum(r *trace.Reader, future *Future, slots, warm int) (Result, error) {
	score := newScore(&r.Header, Belady, slots, warm)
	firsts, units := firstUnits(&r.Header)
	layers := r.Header.Layers()
	// A unit waits in the bucket of its next use: a token and a layer. Never is the last bucket.
	never := int32((future.Tokens+1)*layers + 1)
	w := newWaiting(units, never)
	held, use := 0, 0
	for now := 1; ; now++ {
		token, err := r.Next()
		if errors.Is(err, io.EOF) {
			return score.result(), nil
		}
		if err != nil {
			return Result{}, err
		}
		hits, misses := 0, 0
		for _, a := range token {
			layer := a.Group / r.Header.PerLayer
			for _, u := range a.Units {
				unit := firsts[a.Group] + u
				next := never
				if use == len(future.again) {
					return Result{}, errors.New("sim: the trace is not the one whose future was looked at")
				}
				if gap := int(future.again[use]); gap > 0 {
					next = int32((now+gap)*layers + layer)
				}
				use++
				if next > never {
					return Result{}, errors.New("sim: the trace is not the one whose future was looked at")
				}
				switch {
				case w.at[unit] >= 0:
					hits++
					w.remove(unit)
				default:
					misses++
					if held == slots {
						w.remove(w.latest())
					} else {
						held++
					}
				}
				w.put(unit, next)
			}
		}
		score.token(hits, misses)
	}
}

// firstUnits numbers the units of all groups one after the other.
func firstUnits(h *trace.Header) (firsts []int32, units int) {
	firsts = make([]int32, len(h.Groups))
	for g, n := range h.Groups {
		firsts[g] = int32(units)
		units += n
	}
	return firsts, units
}

// waiting holds units by the time of their next use.
type waiting struct {
	at         []int32 // [unit] its bucket, -1: not held
	next, prev []int32 // [unit] in its bucket's ring, -1: the end
	first      []int32 // [bucket] -1: empty
	filled     []uint64
	blocks     []uint64 // a bit for each word of filled that is not 0
}

func newWaiting(units int, never int32) *waiting {
	buckets := int(never) + 1
	w := &waiting{at: make([]int32, units), next: make([]int32, units), prev: make([]int32, units), first: make([]int32, buckets)}
	w.filled = make([]uint64, buckets/64+1)
	w.blocks = make([]uint64, len(w.filled)/64+1)
	for i := range w.at {
		w.at[i] = -1
	}
	for i := range w.first {
		w.first[i] = -1
	}
	return w
}

func (w *waiting) put(unit, bucket int32) {
	old := w.first[bucket]
	w.at[unit], w.next[unit], w.prev[unit] = bucket, old, -1
	if old >= 0 {
		w.prev[old] = unit
	}
	w.first[bucket] = unit
	w.filled[bucket/64] |= 1 << (bucket % 64)
	w.blocks[bucket/64/64] |= 1 << (bucket / 64 % 64)
}

func (w *waiting) remove(unit int32) {
	bucket, next, prev := w.at[unit], w.next[unit], w.prev[unit]
	w.at[unit] = -1
	if next >= 0 {
		w.prev[next] = prev
	}
	if prev >= 0 {
		w.next[prev] = next
		return
	}
	if w.first[bucket] = next; next < 0 {
		if w.filled[bucket/64] &^= 1 << (bucket % 64); w.filled[bucket/64] == 0 {
			w.blocks[bucket/64/64] &^= 1 << (bucket / 64 % 64)
		}
	}
}

// latest is the unit that is needed last; there is one.
func (w *waiting) latest() int32 {
	for i := len(w.blocks) - 1; ; i-- {
		if w.blocks[i] != 0 {
			word := i*64 + 63 - bits.LeadingZeros64(w.blocks[i])
			return w.first[word*64+63-bits.LeadingZeros64(w.filled[word])]
		}
	}
}

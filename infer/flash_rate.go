package infer

import (
	"math/rand/v2"
	"time"

	"hotcell/iosched"
	"hotcell/models/pack"
)

// rate measures how many bytes a second flash gives while nothing else is done: in reads of size bytes, whole pages, at random places, as many at once as the
// plan allows, or with size 0 in reads of clusters in order, as a prompt makes them. It is the limit that a benchmark compares with. Nobody else uses the
// flash meanwhile.
func (f *flash) rate(size int, d time.Duration) float64 {
	stages := f.stream.stages
	buffers := make([][]byte, 0, max(f.depth, len(stages)))
	place := f.inOrder()
	for i := range stages {
		buffers = append(buffers, stages[i].memory)
	}
	if size > 0 {
		place = f.anywhere()
		memory := buffers[0]
		size = min(size, len(memory))
		buffers = buffers[:0]
		for range min(f.depth, len(memory)/size) {
			buffers, memory = append(buffers, memory[:size]), memory[size:]
		}
	}
	requests, batch := make([]iosched.Request, len(buffers)), make([]*iosched.Request, 0, len(buffers))
	for i := range requests {
		requests[i].Buf = buffers[i]
		batch = append(batch, &requests[i])
	}
	group := iosched.NewGroup(len(requests))
	group.Spin = -1
	bytes, start := 0, iosched.Now()
	for {
		if iosched.Now()-start < int64(d) {
			for _, r := range batch {
				place(r)
			}
			if err := f.sched.Submit(group, iosched.Demand, batch); err != nil {
				return 0
			}
		}
		batch = batch[:0]
		r := group.Wait(time.Time{})
		if r == nil {
			return float64(bytes) / time.Duration(iosched.Now()-start).Seconds()
		}
		for ; r != nil; r = group.Poll() {
			bytes += r.N
			batch = append(batch, r)
		}
	}
}

// wantedBytes is what was read without what was read early in vain: the least that flash had to give.
func (f *flash) wantedBytes(did *Stats) uint64 {
	if f.pieces != nil || did.PrefillTokens > 0 {
		return did.FlashBytes
	}
	units := did.Hot.Misses + did.Hot.PrefetchHits + did.Cold.Misses + did.Cold.PrefetchHits
	return min(did.FlashBytes, units*uint64(f.slotBytes()))
}

// anywhere aims requests at random pages of neurons.
func (f *flash) anywhere() func(r *iosched.Request) {
	random := rand.New(rand.NewPCG(1, 2))
	return func(r *iosched.Request) {
		g := f.stream.layers[random.IntN(len(f.stream.layers))].group
		pages := (g.Units*g.UnitBytes - len(r.Buf)) / pack.PageBytes
		r.Offset = g.Offset + random.Int64N(int64(max(0, pages))+1)*pack.PageBytes
	}
}

// inOrder aims them at one cluster after the other.
func (f *flash) inOrder() func(r *iosched.Request) {
	layer, unit := 0, 0
	return func(r *iosched.Request) {
		n := f.stream.layers[layer]
		units := min(cap(r.Buf)/n.group.UnitBytes, n.group.Units-unit)
		r.Offset, r.Buf = n.group.Offset+int64(unit)*int64(n.group.UnitBytes), r.Buf[:units*n.group.UnitBytes]
		if unit += units; unit == n.group.Units {
			layer, unit = (layer+1)%len(f.stream.layers), 0
		}
	}
}

// parts is how many slots of the cache a unit takes.
func (n *neurons) parts() int {
	if n.inParts {
		return len(n.group.Parts)
	}
	return 1
}

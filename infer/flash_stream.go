package infer

import (
	"time"
	"unsafe"

	"hotcell/infer/workers"
	"hotcell/iosched"
	"hotcell/models/pack"
	"hotcell/neuroncache"
)

// stream gives a prompt's walk the clusters of all layers, one after the other, each read once by one large read into a staging buffer. As many
// reads are under way as there are buffers, also those of the next layer while this one's attention is computed. Clusters whose neurons are all in
// the cache are taken from there.
//
// Worker 0 manages it; the others see what it wrote behind a barrier.
type stream struct {
	layers  []*neurons // those in the pack, in order
	stages  []stage
	group   *iosched.Group
	next    int // job to start; jobs are the clusters of all layers, numbered in order
	jobs    int
	first   []int // per layer: its first job
	current *stage
	batch   neuroncache.Batch
	found   []neuroncache.Found
	ids     []int32
}

// stage is one cluster on its way.
type stage struct {
	memory  []byte // page aligned
	request iosched.Request
	bytes   []byte // of memory, what was read; nil: all is in the cache
	units   []unit // per position of the cluster
	busy    bool
}

// stagesBytes is about how much memory the staging buffers take together.
const stagesBytes = 8 << 20

// newStream makes room for the clusters of the layers.
func newStream(layers []*neurons, memory func(n int) []byte) stream {
	st := stream{layers: layers}
	most, positions := 0, 0
	for _, n := range layers {
		size := clusterNeurons(n.group.Neurons)
		most, positions = max(most, clusterUnits(n.group, size)*n.group.UnitBytes), max(positions, size)
		st.first = append(st.first, st.jobs)
		st.jobs += n.clusters()
	}
	st.stages = make([]stage, max(2, stagesBytes/most))
	st.group = iosched.NewGroup(len(st.stages))
	for i := range st.stages {
		st.stages[i].memory, st.stages[i].units = memory(most), make([]unit, positions)
	}
	st.found, st.ids = make([]neuroncache.Found, positions), make([]int32, 0, positions)
	return st
}

// streamBytes is the staging memory that newStream takes.
func streamBytes(layers []*neurons) int64 {
	most := 0
	for _, n := range layers {
		most = max(most, clusterUnits(n.group, clusterNeurons(n.group.Neurons))*n.group.UnitBytes)
	}
	return int64(max(2, stagesBytes/most) * most)
}

// clusterUnits is the most units that a run of so many positions touches.
func clusterUnits(g *pack.Group, positions int) int {
	return min(g.Units, (positions+g.UnitNeurons-1)/g.UnitNeurons+1)
}

// beginBatch starts a walk through all layers. Called by one worker before the first layer.
func (f *flash) beginBatch() {
	if f == nil {
		return
	}
	st := &f.stream
	st.next, st.batch = 0, f.cache.Begin(1)
	for range st.stages {
		f.startNext()
	}
}

// endBatch ends the walk, also one that was broken off, and says why flash failed, if it did. Another attempt may be made then.
func (f *flash) endBatch() error {
	if f == nil {
		return nil
	}
	f.endStream()
	if f.early != 0 { // broken off before its layer
		f.cache.End(f.early)
		f.early = 0
	}
	if !f.failed() {
		return nil
	}
	return f.recover()
}

func (f *flash) endStream() {
	if f.stream.batch == 0 {
		return
	}
	st := &f.stream
	f.sched.CancelGroup(st.group)
	for st.group.Pending() > 0 {
		st.group.Wait(time.Time{})
	}
	for i := range st.stages {
		st.stages[i].busy = false
	}
	f.cache.End(st.batch)
	st.batch = 0
}

// startNext begins to read the next job's cluster.
func (f *flash) startNext() {
	st := &f.stream
	if st.next >= st.jobs {
		return
	}
	job := st.next
	st.next++
	l := 0
	for l+1 < len(st.layers) && st.first[l+1] <= job {
		l++
	}
	n, c := st.layers[l], job-st.first[l]
	s := &st.stages[job%len(st.stages)]
	s.busy, s.bytes = true, nil
	if f.fromCache(n, c, s) {
		return
	}
	g := n.group
	first, last := n.clusterSpan(c)
	u, end := first/g.UnitNeurons, (last+g.UnitNeurons-1)/g.UnitNeurons
	s.bytes = s.memory[:(end-u)*g.UnitBytes]
	for pos := first; pos < last; pos++ {
		at := unsafe.Pointer(&s.bytes[(pos/g.UnitNeurons-u)*g.UnitBytes])
		s.units[pos-first] = unit{at, at}
	}
	s.request.Offset, s.request.Buf, s.request.Tag = g.Offset+int64(u)*int64(g.UnitBytes), s.bytes, 0
	f.startStage(s)
}

func (f *flash) startStage(s *stage) {
	one := [1]*iosched.Request{&s.request}
	if err := f.sched.Submit(f.stream.group, iosched.Demand, one[:]); err != nil {
		f.fail(err)
		s.busy = false
	}
}

// clusterSpan is the positions of a cluster.
func (n *neurons) clusterSpan(c int) (first, last int) {
	size := clusterNeurons(n.group.Neurons)
	return c * size, min(n.group.Neurons, (c+1)*size)
}

// fromCache takes the cluster's units from the cache if it has them all.
func (f *flash) fromCache(n *neurons, c int, s *stage) bool {
	st := &f.stream
	first, last := n.clusterSpan(c)
	st.ids = st.ids[:0]
	for pos := first; pos < last; pos++ {
		st.ids = append(st.ids, int32(pos/n.group.UnitNeurons))
	}
	for which := partGate; which <= partUp; which++ {
		if f.cache.Look(st.batch, n.cached+int(which), st.ids, st.found) < len(st.ids) {
			return false
		}
		for i, found := range st.found[:len(st.ids)] {
			at := unsafe.Pointer(unsafe.SliceData(f.cache.Slot(found.Slot)))
			switch {
			case !n.inParts:
				s.units[i] = unit{at, at}
			case which == partGate:
				s.units[i].a = at
			default:
				s.units[i].b = unsafe.Add(at, -n.group.Parts[1].Offset)
			}
		}
		if !n.inParts {
			break
		}
	}
	s.busy = false
	return true
}

// fetch waits until a cluster is in memory, and tells whether it is. All workers call it; it contains a barrier.
func (f *flash) fetch(w *workers.Worker, n *neurons, c int) bool {
	if f == nil || n.memory != nil {
		return true
	}
	st := &f.stream
	if w.ID == 0 && !f.failed() {
		s := &st.stages[(st.first[n.number]+c)%len(st.stages)]
		st.current = s
		start := iosched.Now()
		for s.busy && !f.failed() {
			if r := st.group.Wait(time.Time{}); r != nil {
				f.arrived(r)
			}
		}
		for i := range f.stallNs { // the others wait at the barrier for the same
			f.stallNs[i].Add(uint64(iosched.Now() - start))
		}
	}
	w.Barrier()
	return !f.failed()
}

// arrived checks a cluster that was read.
func (f *flash) arrived(r *iosched.Request) {
	st := &f.stream
	var s *stage
	for i := range st.stages {
		if &st.stages[i].request == r {
			s = &st.stages[i]
		}
	}
	err := r.Err
	if err == nil && r.N < len(r.Buf) {
		err = iosched.ErrShort
	}
	if err == nil {
		err = f.file.Verify(r.Offset/pack.PageBytes, r.Buf)
	}
	switch {
	case err == nil:
		s.busy = false
	case f.again(r, err):
		f.startStage(s)
	default:
		f.fail(err)
	}
}

// release lets the cluster's buffer be used for a later one. All workers call it; it contains a barrier.
func (f *flash) release(w *workers.Worker, n *neurons) {
	if f == nil || n.memory != nil {
		return
	}
	w.Barrier()
	if w.ID == 0 && !f.failed() {
		f.startNext()
	}
}

// unitOf is where a position of cluster c is, whose first position is given, during a walk for many tokens.
func (f *flash) unitOf(n *neurons, first, pos int) unit {
	if n.memory != nil {
		return n.inMemory()
	}
	return f.stream.current.units[pos-first]
}

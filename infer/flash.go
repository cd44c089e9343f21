package infer

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"hotcell/infer/workers"
	"hotcell/iosched"
	"hotcell/models/pack"
	"hotcell/neuroncache"
	"hotcell/planner"
)

// flash brings the neurons of a pack into memory as they are needed: it asks the neuron cache where a unit is, has iosched read what is absent,
// checks each page as it arrives, and says when flash could not give what was asked. A nil *flash is for models whose neurons are all in
// memory: everything is ready.
//
// All workers call ask, ready, collect and wait at the same time. A failed read is repeated once. The second failure ends the computation with a
// plain error; no product was made of bytes that were not checked.
type flash struct {
	file  *pack.File
	sched *iosched.Scheduler
	cache *neuroncache.Cache
	reads *iosched.Group    // where units arrive
	batch neuroncache.Batch // of the layer now computed
	early neuroncache.Batch // of the next one, opened for what is read early; 0: none

	taken  atomic.Bool // guards free, for some instructions once per cluster and read: a mutex would put threads that are tied to cores to sleep
	all    []iosched.Request
	free   []*iosched.Request // not under way
	bySlot []atomic.Uint32    // per slot: the number of its last request plus one

	news news

	checked int64       // when unchanged looked last, by iosched.Now
	broken  atomic.Bool // a read failed for good
	problem error       // why; written once, before broken
	once    sync.Once

	staging      *arena
	ioBase       iosched.Stats     // before the first token
	cacheBase    neuroncache.Stats // the same
	plan         *planner.Plan
	clusterSlots int    // units of a hot cluster
	depth        int    // reads under way at most
	pieces       pieces // see WithoutBundles
	forgets      bool   // see WithoutCache

	stallNs  []padded // per worker: waited for reads with nothing to compute
	manageNs []padded // per worker: looking up and submitting
	stream   stream
}

type padded struct {
	atomic.Uint64
	_ [120]byte
}

// part says which part of a unit is asked for.
type part int

const (
	partGate part = iota // part A, or the whole unit where the cache does not hold parts
	partUp               // part B
)

// maxReads bounds the reads under way for single units. A layer may want more: the rest is asked for as these arrive.
const maxReads = 1024

// retried marks a request in its tag, beside the slot.
const retried = 1 << 32

func newFlash(file *pack.File, sched *iosched.Scheduler, cache *neuroncache.Cache, workers, clusters int) *flash {
	f := &flash{
		file: file, sched: sched, cache: cache, reads: iosched.NewGroup(maxReads),
		stallNs: make([]padded, workers), manageNs: make([]padded, workers),
	}
	f.reads.Spin = -1 // a worker that has nothing to compute sleeps at the device: whoever is woken there needs the core
	f.all, f.bySlot = make([]iosched.Request, maxReads), make([]atomic.Uint32, cache.Slots())
	f.news = newNews(clusters, cache.Slots())
	for i := range f.all {
		f.free = append(f.free, &f.all[i])
	}
	return f
}

// failed tells whether flash could not give what was asked.
func (f *flash) failed() bool { return f != nil && f.broken.Load() }

// changesSeen is how often it is looked whether the pack was replaced, which takes system calls and some bytes of Go's heap. A page of another file
// would be noticed by its checksum.
const changesSeen = 200 * time.Millisecond

// unchanged checks that the pack is still the file that was opened: for a prompt always, for a single token if it was not checked just now.
func (f *flash) unchanged(prompt bool) error {
	if f == nil {
		return nil
	}
	now := iosched.Now()
	if !prompt && f.checked != 0 && now-f.checked < int64(changesSeen) {
		return nil
	}
	f.checked = now
	if err := f.sched.Changed(); err != nil {
		return fmt.Errorf("%s: %w; load the model again", f.file.Name(), err)
	}
	return nil
}

// fail ends the computation.
func (f *flash) fail(err error) {
	f.once.Do(func() {
		f.problem = fmt.Errorf("%s: reading the model from flash: %w", f.file.Name(), err)
		f.broken.Store(true)
	})
}

// recover makes a new attempt possible after a failure, and returns what the failure was.
func (f *flash) recover() error {
	err := f.problem
	f.problem, f.once = nil, sync.Once{}
	f.broken.Store(false)
	return err
}

// beginLayer pins what is used from now on. Called by one worker, between barriers.
func (f *flash) beginLayer() {
	switch {
	case f == nil:
		return
	case f.early != 0:
		f.batch, f.early = f.early, 0
	default:
		f.batch = f.cache.Begin(1)
	}
	f.news.clear()
}

// endLayer unpins it. Called by one worker, between barriers.
func (f *flash) endLayer() {
	if f == nil {
		return
	}
	if f.broken.Load() {
		f.drain()
	}
	f.cache.End(f.batch)
	if f.forgets {
		f.cache.Forget()
	}
}

// drain takes back all requests that are under way.
func (f *flash) drain() {
	f.sched.CancelGroup(f.reads)
	for f.reads.Pending() > 0 {
		if r := f.reads.Wait(time.Time{}); r != nil {
			f.complete(r)
		}
	}
}

// take gives up to n requests that are not under way.
func (f *flash) take(n int, list []*iosched.Request) []*iosched.Request {
	f.lock()
	n = min(n, len(f.free))
	list = append(list, f.free[len(f.free)-n:]...)
	f.free = f.free[:len(f.free)-n]
	f.taken.Store(false)
	return list
}

func (f *flash) giveBack(list ...*iosched.Request) {
	if len(list) == 0 {
		return
	}
	f.lock()
	f.free = append(f.free, list...)
	f.taken.Store(false)
}

func (f *flash) lock() {
	for !f.taken.CompareAndSwap(false, true) {
		pause()
	}
}

// ask finds out where the candidates' rows for their phase are, and has absent ones read, in a layer in which nearly all neurons are active the rows of the next
// phase too, by send. Candidates for which there was no room keep slot -1 and must be asked for again.
func (f *flash) ask(w *workers.Worker, s *sparseScratch, n *neurons, list []candidate, which part) {
	start := iosched.Now()
	s.units, s.who = s.units[:0], s.who[:0]
	for i := range list {
		if p := &list[i]; p.slot < 0 && p.phase == phase(which) {
			s.units = append(s.units, p.pos/int32(n.group.UnitNeurons))
			s.who = append(s.who, int32(i))
		}
	}
	if len(s.units) == 0 {
		return
	}
	c := int(list[0].pos) / clusterNeurons(n.group.Neurons)
	reads, rest := f.pieces.of(n, which), 0
	if n.whole && n.inParts && which == partGate {
		rest = f.pieces.of(n, partUp)
	}
	s.requests = f.take(len(s.units)*(reads+rest), s.requests[:0])
	units := s.units[:len(s.requests)/(reads+rest)]
	f.cache.Lookup(f.batch, n.cached+int(which), units, s.found)
	claimed, starved := 0, len(units) < len(s.units)
	for i, unit := range units {
		found, p := s.found[i], &list[s.who[i]]
		switch p.slot = found.Slot; found.State {
		case neuroncache.Resident:
			f.locate(n, p)
			f.news.tell(c)
		case neuroncache.Claimed:
			f.aim(s.requests[claimed:claimed+reads], n, unit, which, found.Slot)
			claimed += reads
			f.news.await(c, found.Slot, f.cache)
		case neuroncache.Loading:
			f.hurry(found.Slot)
			f.news.await(c, found.Slot, f.cache)
		case neuroncache.Full:
			starved = true
		}
	}
	if starved {
		f.news.starve(c)
	}
	if rest > 0 {
		f.cache.Prefetch(f.batch, n.cached+int(partUp), units, s.found)
		for i, unit := range units {
			if found := s.found[i]; found.State == neuroncache.Claimed {
				f.aim(s.requests[claimed:claimed+rest], n, unit, partUp, found.Slot)
				claimed += rest
			}
		}
	}
	for _, r := range s.requests[:claimed] {
		if s.unsent = append(s.unsent, r); len(s.unsent) == sendAtOnce {
			f.send(s)
		}
	}
	f.giveBack(s.requests[claimed:]...)
	f.manageNs[w.ID].Add(uint64(iosched.Now() - start))
}

// sendAtOnce is how many reads are submitted together at most: neighbours can only be merged with what is there, but the first ones should not wait for
// the last.
const sendAtOnce = 64

// send submits what was asked for. Until then nothing of it comes.
func (f *flash) send(s *sparseScratch) {
	if f == nil || len(s.unsent) == 0 {
		return
	}
	f.submit(iosched.Demand, s.unsent)
	s.unsent = s.unsent[:0]
}

func (f *flash) submit(class iosched.Class, list []*iosched.Request) {
	if err := f.sched.Submit(f.reads, class, list); err != nil { // the group has room for all requests that exist
		f.fail(err)
		for _, r := range list {
			f.ended(int32(r.Tag), false)
		}
		f.giveBack(list...)
	}
}

// extent is where the part lies in a unit.
func (n *neurons) extent(which part) (offset, bytes int) {
	if !n.inParts {
		return 0, n.group.UnitBytes
	}
	p := n.group.Parts[which]
	return p.Offset, p.Bytes
}

// locate notes where a candidate's rows are, which its slot holds.
func (f *flash) locate(n *neurons, p *candidate) {
	at := unsafe.Pointer(unsafe.SliceData(f.cache.Slot(p.slot)))
	switch {
	case !n.inParts:
		p.unit = unit{at, at}
	case p.phase == needsGate:
		p.unit.a = at
	default:
		p.unit.b = unsafe.Add(at, -n.group.Parts[1].Offset)
	}
}

// ready tells whether the rows for the candidate's phase are in memory.
func (f *flash) ready(n *neurons, p *candidate) bool {
	if f == nil || p.phase == needsGate && p.unit.a != nil || p.phase == needsUp && p.unit.b != nil {
		return true
	}
	if p.slot < 0 {
		return false
	}
	switch f.cache.State(p.slot) {
	case neuroncache.Resident:
		f.locate(n, p)
		return true
	case neuroncache.Failed: // perhaps of a read that somebody else cancelled
		p.slot = -1
	}
	return false
}

// collect takes in what has arrived.
func (f *flash) collect() {
	if f == nil {
		return
	}
	for r := f.reads.Poll(); r != nil; r = f.reads.Poll() {
		f.complete(r)
	}
	f.news.tellStarved()
}

// wait is for a worker that has nothing to compute: it waits until something arrives, but not long, since another worker may have found work.
func (f *flash) wait(w *workers.Worker) {
	if f.reads.Pending() == 0 {
		f.news.tellStarved()
		pause()
		return
	}
	start := iosched.Now()
	if r := f.reads.Wait(time.Now().Add(time.Millisecond)); r != nil {
		f.complete(r)
		f.collect()
	} else {
		f.news.tellAll() // as if a word had been lost: better to look in vain than to stand still
	}
	f.stallNs[w.ID].Add(uint64(iosched.Now() - start))
}

// complete checks a unit that arrived.
func (f *flash) complete(r *iosched.Request) {
	slot := int32(r.Tag)
	err := r.Err
	if err == nil && r.N < len(r.Buf) {
		err = iosched.ErrShort
	}
	if err == nil {
		err = f.file.Verify(r.Offset/pack.PageBytes, r.Buf)
	}
	switch {
	case err == nil:
		f.ended(slot, true)
	case f.again(r, err):
		one := [1]*iosched.Request{r}
		f.submit(iosched.Demand, one[:])
		return
	default:
		if !errors.Is(err, iosched.ErrCanceled) {
			f.fail(err)
		}
		f.ended(slot, false)
	}
	f.giveBack(r)
}

// ended notes that a read into a slot ended.
func (f *flash) ended(slot int32, well bool) {
	switch last, whole := f.pieces.ended(slot, well); {
	case !last:
		return
	case whole:
		f.cache.Ready(slot)
	default:
		f.cache.Failed(slot)
	}
	f.news.came(slot)
}

// again tells whether a failed read is to be repeated, and notes that it was.
func (f *flash) again(r *iosched.Request, err error) bool {
	if r.Tag&retried != 0 || f.broken.Load() || errors.Is(err, iosched.ErrCanceled) || errors.Is(err, iosched.ErrChanged) {
		return false
	}
	r.Tag |= retried
	return true
}

// pause lets some nanoseconds pass, and the scheduler of Go run.
//
//go:noinline
func pause() {
	var room [40]int // a frame that has the stack check, at which the garbage collector can stop this thread
	for i := range room {
		room[i] = i
	}
}

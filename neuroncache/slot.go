package neuroncache

import "sync/atomic"

// State says where a unit stands.
type State uint8

const (
	Empty    State = iota // the slot holds nothing
	Loading               // a read into the slot is under way, asked for by somebody else
	Resident              // the slot holds the unit
	Failed                // the read failed: ask again in a new Lookup
	Claimed               // the slot is yours: read into it, then Ready or Failed
	Full                  // no slot: all are pinned
)

var stateNames = [...]string{"empty", "loading", "resident", "failed", "claimed", "full"}

func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "unknown"
}

// Found is the answer for one unit. Slot is -1 if and only if State is Full.
type Found struct {
	Slot  int32
	State State
}

// unit is what is known of one unit of the model: all that a use of a resident one reads and writes. A layer's units are neighbours, so that a
// processor can fetch them ahead, as it cannot fetch their slots: with the use noted in the slots a look-up took three times as long.
type unit struct {
	place atomic.Uint32 // a place; written by managing operations only
	used  uint32        // low bits of the newest batch that saw it while it was in the cold region. Managing only
	note  int32         // the policy's
}

func (u *unit) at() place { return place(u.place.Load()) }

func (u *unit) put(p place) { u.place.Store(uint32(p)) }

// touch notes a use. Batches are compared by their difference: one may be as much as 2^31 after another, which is weeks of work.
func (u *unit) touch(b Batch) {
	if int32(uint32(b)-u.used) > 0 {
		u.used = uint32(b)
	}
}

// place says where a unit is: 0 for an absent one, else its slot plus one and marks. A unit without a mark is in the cold region, Resident.
type place uint32

const (
	hotMark   place = 1 << 31 // in a cluster of the hot region
	aheadMark place = 1 << 30 // read ahead, and not used yet
	newMark   place = 1 << 29 // not seen Resident since it was claimed: its slot knows
	marks           = hotMark | aheadMark | newMark

	maxSlots = 1<<29 - 2
)

func (p place) slot() int32 { return int32(p&^marks) - 1 }

// slot is what is known of one slot.
type slot struct {
	// state holds a State below Claimed in its low bits. Above them stand, while the slot is loading or resident, the low bits of the batch that
	// claimed it (for Heat), and while it is failed, the next failed slot plus one.
	state atomic.Uint32
	unit  int32 // that lies here, -1: none. Managing only
	link        // in the list that it is on. Managing only
	note  int32 // the policy's; of a dead slot the newest batch that saw its unit. Managing only
}

const (
	stateBits = 2
	stateMask = 1<<stateBits - 1
)

// collected stands where a failed slot has its next one, when it is off the list of failures.
const collected = 1<<(32-stateBits) - 1

func (s *slot) load() State { return State(s.state.Load() & stateMask) }

// pending says that a read is under way, or has failed and the list of failures goes through the slot.
func (s *slot) pending() bool {
	word := s.state.Load()
	switch State(word & stateMask) {
	case Loading:
		return true
	case Failed:
		return word>>stateBits != collected
	}
	return false
}

// State tells Loading, Resident, Failed, or Empty of a slot that the caller's batch pins.
func (c *Cache) State(slot int32) State { return c.slots[slot].load() }

// Slot returns the bytes of a slot. They may be written while the caller's claim is not Ready, and read while a batch of the caller pins
// them and they are Resident. Nil in a cache without memory.
func (c *Cache) Slot(slot int32) []byte { return c.Run(slot, 1) }

// Run returns the bytes of n neighbouring slots of one cluster, under the rules of Slot.
func (c *Cache) Run(slot int32, n int) []byte {
	if c.arena == nil {
		return nil
	}
	from, to := c.offset(slot), c.offset(slot+int32(n))
	return c.arena.mem[from:to:to]
}

func (c *Cache) offset(slot int32) int { return c.fixedBytes + int(slot)*c.slotBytes }

// Ready says that a claimed slot holds its unit. One call for each claim, from any thread.
func (c *Cache) Ready(slot int32) {
	state := &c.slots[slot].state
	word := state.Load()
	if checked && State(word&stateMask) != Loading {
		panic("neuroncache: Ready of a slot that is not loading")
	}
	state.Store(word&^stateMask | uint32(Resident))
}

// ReadyRun is Ready for n neighbouring slots of a cluster.
func (c *Cache) ReadyRun(slot int32, n int) {
	for i := range int32(n) {
		c.Ready(slot + i)
	}
}

// Failed says that the read of a claimed slot failed or was cancelled. Who waits for the slot sees Failed; who asks for the unit later claims it
// anew. Instead of Ready, from any thread; in a cluster for each slot that did not arrive.
func (c *Cache) Failed(slot int32) {
	state := &c.slots[slot].state
	if checked && c.slots[slot].load() != Loading {
		panic("neuroncache: Failed of a slot that is not loading")
	}
	// A list that is only ever taken whole has no ABA problem.
	for {
		head := c.failed.Load()
		state.Store(head<<stateBits | uint32(Failed))
		if c.failed.CompareAndSwap(head, uint32(slot)+1) {
			return
		}
	}
}

// collectFailures takes back the slots whose reads failed. They stay unused until no batch can be waiting for them.
func (c *Cache) collectFailures() {
	if c.failed.Load() == 0 {
		return
	}
	for next := c.failed.Swap(0); next != 0; {
		s := int32(next) - 1
		next = c.slots[s].state.Load() >> stateBits
		const gone = collected<<stateBits | uint32(Failed)
		if k := c.chunkOf(s); c.chunks[k].hot {
			c.tally[hot][failures]++
			c.forgetCluster(k, forFailure)
			c.slots[s].state.Store(gone)
			continue
		}
		c.tally[cold][failures]++
		used := c.units[c.slots[s].unit].used
		c.forget(s, forFailure)
		c.slots[s].state.Store(gone)
		c.slots[s].note = int32(used)
		c.dead.pushFront(c.slots, s)
	}
}

// reviveDead frees failed slots that no batch can see any more.
func (c *Cache) reviveDead() {
	for s := c.dead.back(); s >= 0; {
		newer := c.slots[s].newer
		if !c.pins(uint32(c.slots[s].note)) {
			c.dead.remove(c.slots, s)
			c.slots[s].state.Store(uint32(Empty))
			c.free.pushFront(c.slots, s)
		}
		s = newer
	}
}

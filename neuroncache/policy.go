package neuroncache

import "fmt"

// policy chooses which unit of the cold region goes. It knows the slots that hold a unit that was used, and is called by managing operations only.
// A new policy is one file and one line in policies; hotcell trace replay shows what it is worth.
type policy interface {
	admit(s int32)       // s has got a unit that is used now
	touch(units []int32) // these were used again by one Lookup; each is in a slot
	victim() int32       // takes out the slot to empty, none that space.busy says; -1: all are
	remove(s int32)      // s loses its unit for another reason
	move(from, to int32) // the unit of from lies in to now
}

// space is what policies share with the cache. A slot that is admitted is on no list but a policy's own.
type space struct {
	slots   []slot             // their links and notes are the policy's while they are admitted
	units   []unit             // their notes are
	cluster int32              // units of a cluster
	busy    func(s int32) bool // must stay
}

// DefaultPolicy is the best practical one on the traces of named shapes; docs/benchmarks.md has the table.
const DefaultPolicy = "frequency"

var policies = []struct {
	name string
	make func(space) policy
}{
	{"cluster-lru", newClusterLRU},
	{"lru", newLRU},
	{"clock-pro", newClockPro},
	{"s3-fifo", newS3FIFO},
	{"frequency", newFrequency},
}

// Policies lists the names that Config.Policy may have.
func Policies() []string {
	names := make([]string, len(policies))
	for i, p := range policies {
		names[i] = p.name
	}
	return names
}

func newPolicy(name string, sp space) (policy, error) {
	if name == "" {
		name = DefaultPolicy
	}
	for _, p := range policies {
		if p.name == name {
			return p.make(sp), nil
		}
	}
	return nil, fmt.Errorf("there is no policy %q (known: %v)", name, Policies())
}

// oldestFree is the oldest slot of a list that may be emptied, -1 if all are busy. Busy ones on the way go to the front: they are in use.
func (sp *space) oldestFree(l *list) int32 {
	for range l.n {
		s := l.back()
		if !sp.busy(s) {
			return s
		}
		l.toFront(sp.slots, s)
	}
	return -1
}

// ghosts remembers the units that were evicted last, as many as it was made for. A unit's note is its place in ring plus one, 0 when it is not
// remembered.
type ghosts struct {
	ring  []int32 // units in the order in which they went; -1: none
	units []unit
	next  int
}

func newGhosts(units []unit, n int) ghosts {
	g := ghosts{ring: make([]int32, max(1, n)), units: units}
	for i := range g.ring {
		g.ring[i] = -1
	}
	return g
}

// add remembers a unit, and says whether another was forgotten for it.
func (g *ghosts) add(unit int32) (expired bool) {
	if old := g.ring[g.next]; old >= 0 {
		g.units[old].note = 0
		expired = true
	}
	g.ring[g.next] = unit
	g.next++
	g.units[unit].note = int32(g.next)
	if g.next == len(g.ring) {
		g.next = 0
	}
	return expired
}

// take says whether a unit was remembered, and forgets it.
func (g *ghosts) take(unit int32) bool {
	at := g.units[unit].note
	if at == 0 {
		return false
	}
	g.units[unit].note, g.ring[at-1] = 0, -1
	return true
}

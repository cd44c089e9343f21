package neuroncache

import (
	"math"
	"math/bits"
)

// frequency evicts the unit that was used least, where a use counts half as much after each half-life: LRFU (Lee et al., IEEE ToC 2001). Its
// counts outlive eviction, so a unit that is often needed and was once displaced comes back at its old rank.
//
// The decayed count w of a unit, taken at time t, ranks units in an order that time alone does not change: all shrink alike. So the rank
// log2(w) + t, with t in half-lives, is stored as the unit's note, and only a use raises it. Slots stand in buckets of equal rank; a slot's note
// is its bucket. A use does not move a slot, because most that are used are in no danger; a slot whose rank has risen is moved when it is found in
// the lowest bucket.
type frequency struct {
	space
	halfLife int64 // in uses of units
	uses     int64 // so far
	now      int32 // uses in half-lives

	buckets [frequencyBuckets]list        // [bucket modulo frequencyBuckets] slots, the last to come at the front
	filled  [frequencyBuckets / 64]uint64 // a bit for each bucket that is not empty
	lowest  int32                         // the first bucket that exists; all lower ranks are in it
	parked  list                          // were busy when they were the lowest; out of the way of the batch that uses them
}

const (
	// rankOne is a factor of two in use, and one half-life, as a rank.
	rankOne = 256
	// bucketRanks is the width of a bucket, 4 % of use.
	bucketRanks = rankOne / 16
	// frequencyBuckets is room for 64 half-lives.
	frequencyBuckets = 1024
	// leastUse and mostUse bound log2 of a count: what is below counts as never used, what is above does not rise.
	leastUse, mostUse = -12, 12
	// halfLifeSlots is the half-life for each slot of the arena, but never less than as many uses as there are units. Longer tells a steady habit better, shorter follows a change of subject
	// sooner; see the table in docs/benchmarks.md.
	halfLifeSlots = 8
	// latest is how far time goes before it is set back.
	latest = 1 << 30
	// parkedAtOnce is how many parked slots an eviction looks at: more than one, so that they cannot pile up.
	parkedAtOnce = 2
)

// oneMore is what another use does to a rank: [rank less now less leastUse] the new rank less now.
var oneMore = func() (table [(mostUse-leastUse)*rankOne + 1]int16) {
	for i := range table {
		w := math.Exp2(float64(i)/rankOne + leastUse)
		table[i] = int16(math.Round(rankOne * math.Log2(1+w)))
	}
	return table
}()

func newFrequency(sp space) policy {
	return &frequency{
		space:    sp,
		halfLife: max(halfLifeSlots*int64(len(sp.slots)), int64(len(sp.units)), 1),
		now:      -leastUse * rankOne, // so that the rank 0 of what was never used is as low as can be
	}
}

// use counts one use of a unit.
func (p *frequency) use(unit int32) {
	note := &p.units[unit].note
	w := *note - p.now - leastUse*rankOne
	*note = p.now + int32(oneMore[min(max(w, 0), int32(len(oneMore)-1))])
}

// pass lets time go on.
func (p *frequency) pass(uses int) {
	p.uses += int64(uses)
	if p.now = int32(p.uses*rankOne/p.halfLife) - leastUse*rankOne; p.now > latest {
		p.setBack()
	}
	for p.bucket(p.now+mostUse*rankOne) >= p.lowest+frequencyBuckets {
		// The lowest bucket's place is needed for a new highest one.
		from := p.ring(p.lowest)
		p.filled[from/64] &^= 1 << (from % 64)
		p.lowest++
		to := p.ring(p.lowest)
		p.buckets[to].join(p.slots, &p.buckets[from])
		if p.buckets[to].n > 0 {
			p.filled[to/64] |= 1 << (to % 64)
		}
	}
}

// setBack makes all times and ranks smaller, after weeks of use, so that they do not overflow. It takes whole rounds of buckets off, so that every
// slot stays in its list.
func (p *frequency) setBack() {
	const round = frequencyBuckets * bucketRanks
	rounds := p.lowest / frequencyBuckets
	p.now -= rounds * round
	p.uses -= int64(rounds) * (round / rankOne) * p.halfLife
	p.lowest -= rounds * frequencyBuckets
	for i := range p.units {
		p.units[i].note = max(0, p.units[i].note-rounds*round)
	}
	for i := range p.buckets {
		for s := p.buckets[i].back(); s >= 0; s = p.slots[s].newer {
			p.slots[s].note = max(0, p.slots[s].note-rounds*frequencyBuckets)
		}
	}
}

func (p *frequency) bucket(rank int32) int32 { return rank / bucketRanks }

func (p *frequency) ring(bucket int32) int32 { return bucket % frequencyBuckets }

func (p *frequency) admit(s int32) {
	p.pass(1)
	p.use(p.slots[s].unit)
	p.put(s)
}

// rank is that of the unit in a slot.
func (p *frequency) rank(s int32) int32 { return p.units[p.slots[s].unit].note }

// put queues a slot by its unit's rank.
func (p *frequency) put(s int32) {
	p.slots[s].note = max(p.lowest, p.bucket(p.rank(s)))
	at := p.ring(p.slots[s].note)
	p.buckets[at].pushFront(p.slots, s)
	p.filled[at/64] |= 1 << (at % 64)
}

func (p *frequency) touch(units []int32) {
	p.pass(len(units))
	for _, u := range units {
		p.use(u)
	}
}

func (p *frequency) victim() int32 {
	p.unpark(parkedAtOnce)
	s := p.leastUsed()
	if s < 0 {
		p.unpark(p.parked.n)
		s = p.leastUsed()
	}
	return s
}

// unpark puts those of the n oldest parked slots back that are not busy any more, and the others off.
func (p *frequency) unpark(n int) {
	for range min(n, p.parked.n) {
		s := p.parked.back()
		p.parked.remove(p.slots, s)
		if p.busy(s) {
			p.parked.pushFront(p.slots, s)
		} else {
			p.put(s)
		}
	}
}

// leastUsed takes out the slot of the lowest rank that is not busy.
func (p *frequency) leastUsed() int32 {
	for bucket := p.next(p.lowest); bucket >= 0; bucket = p.next(bucket + 1) {
		l := &p.buckets[p.ring(bucket)]
		for l.n > 0 {
			s := l.back()
			p.remove(s)
			switch {
			case p.bucket(p.rank(s)) > bucket:
				p.put(s)
			case p.busy(s):
				p.slots[s].note = -1
				p.parked.pushFront(p.slots, s)
			default:
				return s
			}
		}
	}
	return -1
}

// next is the first bucket from one on that is not empty, -1 if there is none.
func (p *frequency) next(bucket int32) int32 {
	for end := p.lowest + frequencyBuckets; bucket < end; {
		at := p.ring(bucket)
		if word := p.filled[at/64] >> (at % 64); word != 0 {
			bucket += int32(bits.TrailingZeros64(word))
			if bucket < end {
				return bucket
			}
			return -1
		}
		bucket += 64 - at%64
	}
	return -1
}

func (p *frequency) remove(s int32) {
	if p.slots[s].note < 0 {
		p.parked.remove(p.slots, s)
		return
	}
	at := p.ring(max(p.lowest, p.slots[s].note))
	p.buckets[at].remove(p.slots, s)
	if p.buckets[at].n == 0 {
		p.filled[at/64] &^= 1 << (at % 64)
	}
}

func (p *frequency) move(from, to int32) {
	l := &p.parked
	if p.slots[from].note >= 0 {
		l = &p.buckets[p.ring(max(p.lowest, p.slots[from].note))]
	}
	l.replace(p.slots, from, to)
	p.slots[to].note = p.slots[from].note
}

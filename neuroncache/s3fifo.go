package neuroncache

// s3FIFO is S3-FIFO (Yang et al., SOSP 2023): most units that are used once are not used again soon, so new ones wait in a small queue and go
// from there unless they were used meanwhile, without displacing what has proved itself. Ripple (arXiv 2410.19274) caches neurons with it. A use
// only raises a counter.
//
//	new ──► small, a tenth ──used twice──► main ──┐ used: once more round
//	           │                            ▲   └─┘
//	           └──► evicted, remembered ──asked for again
type s3FIFO struct {
	space
	small, main list
	ghosts      ghosts
}

const (
	// smallShare is one over the small queue's part of the region, as in the paper.
	smallShare = 10
	// mostUses bounds how often a unit is spared for old uses, as in the paper. A unit's note counts uses since it came or was last spared.
	mostUses = 3
	// inMain is the bit of the note that says in which queue the unit's slot is.
	inMain = mostUses + 1
)

func newS3FIFO(sp space) policy {
	n := len(sp.slots)
	return &s3FIFO{space: sp, ghosts: newGhosts(sp.units, n-n/smallShare)}
}

func (p *s3FIFO) admit(s int32) {
	if p.ghosts.take(p.slots[s].unit) {
		p.keep(s)
	} else {
		p.small.pushFront(p.slots, s)
	}
}

// keep puts a slot into the main queue.
func (p *s3FIFO) keep(s int32) {
	*p.note(s) = inMain
	p.main.pushFront(p.slots, s)
}

func (p *s3FIFO) touch(units []int32) {
	for _, u := range units {
		if note := &p.units[u].note; *note&mostUses < mostUses {
			*note++
		}
	}
}

func (p *s3FIFO) victim() int32 {
	// Each round makes a unit go, moves one to main for good, or lowers a count.
	for range p.small.n + (mostUses+1)*(p.small.n+p.main.n) + 1 {
		if p.small.n > (p.small.n+p.main.n)/smallShare || p.main.n == 0 {
			s := p.oldestFree(&p.small)
			switch {
			case s < 0 && p.main.n == 0:
				return -1
			case s < 0:
			case *p.note(s) > 1:
				p.small.remove(p.slots, s)
				p.keep(s)
				continue
			default:
				p.small.remove(p.slots, s)
				p.ghosts.add(p.slots[s].unit)
				return s
			}
		}
		s := p.oldestFree(&p.main)
		switch {
		case s < 0:
			if s = p.oldestFree(&p.small); s < 0 {
				return -1
			}
			return p.evict(&p.small, s)
		case *p.note(s) > inMain:
			*p.note(s)--
			p.main.toFront(p.slots, s)
		default:
			return p.evict(&p.main, s)
		}
	}
	return -1
}

// evict takes a slot out whose unit is not to be remembered.
func (p *s3FIFO) evict(l *list, s int32) int32 {
	l.remove(p.slots, s)
	*p.note(s) = 0
	return s
}

func (p *s3FIFO) remove(s int32) { p.evict(p.queue(s), s) }

func (p *s3FIFO) move(from, to int32) { p.queue(from).replace(p.slots, from, to) }

// note is that of the unit in a slot. In the cache it counts uses; outside it is the ghosts'.
func (p *s3FIFO) note(s int32) *int32 { return &p.units[p.slots[s].unit].note }

func (p *s3FIFO) queue(s int32) *list {
	if *p.note(s)&inMain != 0 {
		return &p.main
	}
	return &p.small
}

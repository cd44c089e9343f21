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
	uses        []uint8 // [slot] since it came or was last spared, at most 3
	inMain      []bool  // [slot]
	ghosts      ghosts
}

// smallShare is one over the small queue's part of the region; mostUses bounds how often a unit is spared for old uses. Both as in the paper.
const (
	smallShare = 10
	mostUses   = 3
)

func newS3FIFO(sp space) policy {
	n := len(sp.slots)
	return &s3FIFO{space: sp, uses: make([]uint8, n), inMain: make([]bool, n), ghosts: newGhosts(sp.units, n-n/smallShare)}
}

func (p *s3FIFO) admit(s int32) {
	p.uses[s] = 0
	if p.ghosts.take(p.slots[s].unit) {
		p.push(&p.main, s)
	} else {
		p.push(&p.small, s)
	}
}

func (p *s3FIFO) push(l *list, s int32) {
	p.inMain[s] = l == &p.main
	l.pushFront(p.links, s)
}

func (p *s3FIFO) touch(slots []int32) {
	for _, s := range slots {
		if p.uses[s] < mostUses {
			p.uses[s]++
		}
	}
}

func (p *s3FIFO) victim() int32 {
	// Each round makes a unit go, lowers a count, moves one to main for good, or passes a busy one.
	for range p.small.n + (mostUses+1)*(p.small.n+p.main.n) + 1 {
		if p.small.n > (p.small.n+p.main.n)/smallShare || p.main.n == 0 {
			s := p.oldestFree(&p.small)
			switch {
			case s < 0 && p.main.n == 0:
				return -1
			case s < 0:
			case p.uses[s] > 1:
				p.small.remove(p.links, s)
				p.uses[s] = 0
				p.push(&p.main, s)
				continue
			default:
				p.small.remove(p.links, s)
				p.ghosts.add(p.slots[s].unit)
				return s
			}
		}
		s := p.oldestFree(&p.main)
		switch {
		case s < 0:
			return p.anyOf(&p.small)
		case p.uses[s] > 0:
			p.uses[s]--
			p.main.toFront(p.links, s)
		default:
			p.main.remove(p.links, s)
			return s
		}
	}
	return -1
}

// anyOf takes the oldest that is not busy.
func (p *s3FIFO) anyOf(l *list) int32 {
	s := p.oldestFree(l)
	if s >= 0 {
		l.remove(p.links, s)
	}
	return s
}

func (p *s3FIFO) remove(s int32) { p.queue(s).remove(p.links, s) }

func (p *s3FIFO) move(from, to int32) {
	p.queue(from).replace(p.links, from, to)
	p.uses[to], p.inMain[to] = p.uses[from], p.inMain[from]
}

func (p *s3FIFO) queue(s int32) *list {
	if p.inMain[s] {
		return &p.main
	}
	return &p.small
}

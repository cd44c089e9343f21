package neuroncache

// clockPro follows CLOCK-Pro (Jiang, Chen and Zhang, USENIX 2005): what counts is not when a unit was used last but how far apart its last two uses
// were. A new unit is on trial. If it is used again during its trial, which goes on for a while after its eviction, it counts as lasting. How many
// slots trials get is learnt: one more when a unit comes back that was evicted on trial, one less when a trial ends without a use.
//
// Other than in the paper, the two kinds have a queue each, so that a hand never has to pass the other kind, and trials of evicted units end in
// the order of eviction.
type clockPro struct {
	space
	trial, lasting list
	used           []bool // [slot] since its hand has passed
	lasts          []bool // [slot] it is on lasting
	trials         int    // slots that units on trial should have
	ghosts         ghosts // evicted on trial
}

func newClockPro(sp space) policy {
	n := len(sp.slots)
	return &clockPro{space: sp, used: make([]bool, n), lasts: make([]bool, n), trials: max(1, n/100), ghosts: newGhosts(sp.units, n)}
}

func (p *clockPro) admit(s int32) {
	p.used[s] = false
	again := p.ghosts.take(p.slots[s].unit)
	if again {
		p.trials = min(p.trials+1, len(p.slots)-1)
	}
	p.push(s, again)
}

func (p *clockPro) push(s int32, lasts bool) {
	p.lasts[s] = lasts
	p.queue(s).pushFront(p.links, s)
}

func (p *clockPro) touch(slots []int32) {
	for _, s := range slots {
		p.used[s] = true
	}
}

func (p *clockPro) victim() int32 {
	for range 4*(p.trial.n+p.lasting.n) + 1 {
		if p.lasting.n > 0 && p.trial.n < max(1, p.trials) {
			p.demote()
			continue
		}
		s := p.oldestFree(&p.trial)
		if s < 0 {
			if s = p.oldestFree(&p.lasting); s >= 0 {
				p.lasting.remove(p.links, s)
			}
			return s
		}
		p.trial.remove(p.links, s)
		if p.used[s] {
			p.used[s] = false
			p.push(s, true)
			continue
		}
		if p.ghosts.add(p.slots[s].unit) {
			p.trials = max(1, p.trials-1)
		}
		return s
	}
	return p.oldestOfBoth()
}

// oldestOfBoth takes whatever may be taken.
func (p *clockPro) oldestOfBoth() int32 {
	for _, l := range []*list{&p.trial, &p.lasting} {
		if s := p.oldestFree(l); s >= 0 {
			l.remove(p.links, s)
			return s
		}
	}
	return -1
}

// demote moves the lasting hand on by one: a unit that was not used since it passed goes on trial again.
func (p *clockPro) demote() {
	s := p.lasting.back()
	p.lasting.remove(p.links, s)
	lasts := p.used[s]
	p.used[s] = false
	p.push(s, lasts)
}

func (p *clockPro) remove(s int32) { p.queue(s).remove(p.links, s) }

func (p *clockPro) move(from, to int32) {
	p.queue(from).replace(p.links, from, to)
	p.used[to], p.lasts[to] = p.used[from], p.lasts[from]
}

func (p *clockPro) queue(s int32) *list {
	if p.lasts[s] {
		return &p.lasting
	}
	return &p.trial
}

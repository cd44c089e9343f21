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
	trials         int    // slots that units on trial should have
	ghosts         ghosts // evicted on trial
}

// What the note of a unit in the cache says; outside it is the ghosts'.
const (
	usedAgain = 1 << iota // since its hand has passed
	lasts                 // it is on lasting
)

func newClockPro(sp space) policy {
	n := len(sp.slots)
	return &clockPro{space: sp, trials: max(1, n/100), ghosts: newGhosts(sp.units, n)}
}

func (p *clockPro) admit(s int32) {
	if p.ghosts.take(p.slots[s].unit) {
		p.trials = min(p.trials+1, len(p.slots)-1)
		p.push(s, lasts)
	} else {
		p.push(s, 0)
	}
}

func (p *clockPro) push(s, note int32) {
	*p.note(s) = note
	p.queue(s).pushFront(p.slots, s)
}

func (p *clockPro) touch(units []int32) {
	for _, u := range units {
		p.units[u].note |= usedAgain
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
			return p.any()
		}
		p.trial.remove(p.slots, s)
		if *p.note(s)&usedAgain != 0 {
			p.push(s, lasts)
			continue
		}
		if p.ghosts.add(p.slots[s].unit) {
			p.trials = max(1, p.trials-1)
		}
		return s
	}
	return p.any()
}

// any takes whatever may be taken.
func (p *clockPro) any() int32 {
	for _, l := range []*list{&p.trial, &p.lasting} {
		if s := p.oldestFree(l); s >= 0 {
			p.remove(s)
			return s
		}
	}
	return -1
}

// demote moves the lasting hand on by one: a unit that was not used since it passed goes on trial again.
func (p *clockPro) demote() {
	s := p.lasting.back()
	p.lasting.remove(p.slots, s)
	if *p.note(s)&usedAgain != 0 {
		p.push(s, lasts)
	} else {
		p.push(s, 0)
	}
}

func (p *clockPro) remove(s int32) {
	p.queue(s).remove(p.slots, s)
	*p.note(s) = 0
}

func (p *clockPro) move(from, to int32) { p.queue(from).replace(p.slots, from, to) }

// note is that of the unit in a slot.
func (p *clockPro) note(s int32) *int32 { return &p.units[p.slots[s].unit].note }

func (p *clockPro) queue(s int32) *list {
	if *p.note(s)&lasts != 0 {
		return &p.lasting
	}
	return &p.trial
}

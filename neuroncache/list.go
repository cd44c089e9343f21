package neuroncache

// link joins slots into lists. A slot is on at most one at a time: free, dead, ahead, or one of the policy's.
type link struct{ newer, older int32 } // -1: none

// list is a queue of slots: they enter at the front and the oldest is at the back.
type list struct {
	first, last int32 // slot plus one, so that the zero value is an empty list
	n           int
}

func (l *list) back() int32 { return l.last - 1 }

func (l *list) pushFront(k []slot, s int32) {
	k[s].link = link{newer: -1, older: l.first - 1}
	if l.first > 0 {
		k[l.first-1].newer = s
	} else {
		l.last = s + 1
	}
	l.first = s + 1
	l.n++
}

func (l *list) remove(k []slot, s int32) {
	newer, older := k[s].newer, k[s].older
	if newer >= 0 {
		k[newer].older = older
	} else {
		l.first = older + 1
	}
	if older >= 0 {
		k[older].newer = newer
	} else {
		l.last = newer + 1
	}
	l.n--
}

func (l *list) toFront(k []slot, s int32) {
	if l.first == s+1 {
		return
	}
	l.remove(k, s)
	l.pushFront(k, s)
}

// replace puts slot to where slot from is.
func (l *list) replace(k []slot, from, to int32) {
	at := k[from].link
	k[to].link = at
	if at.newer >= 0 {
		k[at.newer].older = to
	} else {
		l.first = to + 1
	}
	if at.older >= 0 {
		k[at.older].newer = to
	} else {
		l.last = to + 1
	}
}

// join appends all of o, as the newest, and empties it.
func (l *list) join(k []slot, o *list) {
	switch {
	case o.n == 0:
		return
	case l.n == 0:
		*l = *o
	default:
		k[l.first-1].newer = o.last - 1
		k[o.last-1].older = l.first - 1
		l.first = o.first
		l.n += o.n
	}
	*o = list{}
}

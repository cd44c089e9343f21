package neuroncache

// lru evicts the unit that was not used for the longest time. PowerInfer-2 has it for its cold region, LLM in a Flash (arXiv 2312.11514)
// comes near it with a window of tokens.
type lru struct {
	space
	list list // newest use at the front
}

func newLRU(sp space) policy { return &lru{space: sp} }

func (l *lru) admit(s int32) { l.list.pushFront(l.slots, s) }

func (l *lru) touch(units []int32) {
	for _, u := range units {
		l.list.toFront(l.slots, l.units[u].at().slot())
	}
}

func (l *lru) victim() int32 {
	s := l.oldestFree(&l.list)
	if s >= 0 {
		l.list.remove(l.slots, s)
	}
	return s
}

func (l *lru) remove(s int32)      { l.list.remove(l.slots, s) }
func (l *lru) move(from, to int32) { l.list.replace(l.slots, from, to) }

package token

import "math"

// symbol is a run of bytes of the word being merged. The symbols that are still
// alive form a linked list in the order of the text; one that was joined to its
// left neighbour has rank noPair and is in no list.
type symbol struct {
	start, end int32 // bytes [start, end) of the word
	prev, next int32 // indices of the neighbours, -1 at either end
	id         int32 // piece, or none

	// What it forms with the symbol to its right.
	rank   uint32 // noPair for nothing
	joined int32
}

const noPair = math.MaxUint32

// joiner ranks pairs of neighbouring symbols. The smallest rank is joined
// first; no rank is noPair.
type joiner interface {
	join(s *scratch, left, right *symbol) (id int32, rank uint32, ok bool)
}

// startWord empties the word and makes room for n symbols.
func (s *scratch) startWord(n int) {
	if cap(s.symbols) < n {
		s.symbols = make([]symbol, 0, n)
		s.pairs = make([]uint64, 0, n)
	}
	s.symbols = s.symbols[:0]
}

// addSymbol appends a symbol to the word.
func (s *scratch) addSymbol(start, end int, id int32) {
	n := int32(len(s.symbols))
	if n > 0 {
		s.symbols[n-1].next = n
	}
	s.symbols = append(s.symbols, symbol{int32(start), int32(end), n - 1, -1, id, noPair, none})
}

// merge joins neighbours, best pair first and of equal ones the leftmost, until
// no two neighbours form a piece. Symbol 0 stays the head of the list.
//
// A candidate in the heap is its rank and the index of its left symbol. It is
// stale when that symbol now forms something else or has died, which shows in
// the rank of the symbol, so nothing is ever searched for in the heap.
func (s *scratch) merge(j joiner) {
	s.pairs = s.pairs[:0]
	for i := range len(s.symbols) - 1 {
		s.offer(j, int32(i))
	}
	for len(s.pairs) > 0 {
		order := s.pop()
		at := int32(uint32(order))
		left := &s.symbols[at]
		if left.rank != uint32(order>>32) {
			continue
		}
		right := &s.symbols[left.next]
		left.end, left.id, left.next = right.end, left.joined, right.next
		right.rank = noPair
		if left.next >= 0 {
			s.symbols[left.next].prev = at
		}
		s.offer(j, left.prev)
		s.offer(j, at)
	}
}

// offer makes the symbol at and its right neighbour a candidate if they form a
// piece.
func (s *scratch) offer(j joiner, at int32) {
	if at < 0 {
		return
	}
	left := &s.symbols[at]
	left.rank = noPair
	if left.next < 0 {
		return
	}
	s.joins++
	id, rank, ok := j.join(s, left, &s.symbols[left.next])
	if !ok {
		return
	}
	left.joined, left.rank = id, rank
	s.push(uint64(rank)<<32 | uint64(at))
}

// arity of the heap: four children share a cache line, and the heap is half as
// deep as a binary one.
const arity = 4

// push and pop keep s.pairs a heap with the smallest order at the root.
// container/heap would allocate for every pair.
func (s *scratch) push(order uint64) {
	s.pairs = append(s.pairs, order)
	h := s.pairs
	at := len(h) - 1
	for at > 0 {
		parent := (at - 1) / arity
		if h[parent] <= order {
			break
		}
		h[at] = h[parent]
		at = parent
	}
	h[at] = order
}

func (s *scratch) pop() uint64 {
	h := s.pairs
	top, last := h[0], h[len(h)-1]
	h = h[:len(h)-1]
	s.pairs = h
	if len(h) == 0 {
		return top
	}
	at := 0
	for {
		first := arity*at + 1
		if first >= len(h) {
			break
		}
		least := first
		for child := first + 1; child < min(first+arity, len(h)); child++ {
			if h[child] < h[least] {
				least = child
			}
		}
		if last <= h[least] {
			break
		}
		h[at] = h[least]
		at = least
	}
	h[at] = last
	return top
}

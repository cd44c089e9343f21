package iosched

// A queue is a list of requests of one class, linked through the requests themselves so that nothing is allocated. What arrives together
// lies in the order of the file, so that neighbours stand side by side; what arrives later goes behind.
type queue struct {
	first, last *Request
}

// pushSorted appends a list, ordered by offset.
func (q *queue) pushSorted(list *Request) {
	list = sortByOffset(list)
	if list == nil {
		return
	}
	if q.first == nil {
		q.first = list
	} else {
		q.last.next = list
	}
	for q.last = list; q.last.next != nil; {
		q.last = q.last.next
	}
}

func (q *queue) pushFront(r *Request) {
	r.next = q.first
	q.first = r
	if q.last == nil {
		q.last = r
	}
}

func (q *queue) pop() *Request {
	r := q.first
	q.first, r.next = r.next, nil
	if q.first == nil {
		q.last = nil
	}
	return r
}

// remove takes out those for which want is true and returns them as a list.
func (q *queue) remove(want func(*Request) bool) (out *Request) {
	end := &out
	all := q.first
	q.first, q.last = nil, nil
	keep := &q.first
	for all != nil {
		r := all
		all, r.next = r.next, nil
		if want(r) {
			*end = r
			end = &r.next
		} else {
			*keep, q.last = r, r
			keep = &r.next
		}
	}
	return out
}

// sortByOffset is a natural merge sort of a list: a batch that is sorted already, the usual case, is only walked along.
func sortByOffset(list *Request) *Request {
	var sorted [48]*Request // sorted[i] joins 2^i runs
	for list != nil {
		run, end := list, list
		for end.next != nil && end.next.Offset >= end.Offset {
			end = end.next
		}
		list, end.next = end.next, nil
		i := 0
		for ; sorted[i] != nil; i++ {
			run = merge(sorted[i], run)
			sorted[i] = nil
		}
		sorted[i] = run
	}
	var all *Request
	for _, run := range sorted {
		all = merge(run, all)
	}
	return all
}

// merge joins two sorted lists; of equal offsets those of a come first.
func merge(a, b *Request) (list *Request) {
	end := &list
	for a != nil && b != nil {
		if a.Offset <= b.Offset {
			*end, a = a, a.next
		} else {
			*end, b = b, b.next
		}
		end = &(*end).next
	}
	if a == nil {
		a = b
	}
	*end = a
	return list
}

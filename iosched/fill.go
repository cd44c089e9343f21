package iosched

import "time"

// fill gives the device as many reads as it may have: demands first, then prefetches, if no demand is left over.
//
// Prefetches get neither all ops nor more than Config.PrefetchBytes under way. A read that has begun cannot be called back, so what lies in the
// device's queue is what a demand that comes next waits behind.
//
// A device that takes only some of them is full, with reads of other programs perhaps. The rest stays in the batch, for the next round.
func (s *Scheduler) fill() {
	waiting := len(s.batch)
	for s.free != nil {
		class := Demand
		if s.queues[Demand].first == nil {
			if class = Prefetch; s.queues[Prefetch].first == nil {
				break
			}
			reserve := s.config.Depth / 4
			if s.prefetches > 0 && (s.prefetches >= s.config.Depth-reserve || s.prefetching >= s.config.PrefetchBytes) {
				break
			}
		}
		if op := s.build(&s.queues[class], class); op != nil {
			s.batch = append(s.batch, op)
			s.underway++
			if class == Prefetch {
				s.prefetches++
				s.prefetching += op.Bytes
			}
		}
	}
	if len(s.batch) > 0 {
		s.start(s.batch[waiting:])
	}
	if left := s.queues[Demand].first != nil || s.queues[Prefetch].first != nil || len(s.batch) > 0; left != s.backlog.Load() {
		s.backlog.Store(left)
	}
}

// start submits the batch, of which some ops are new.
func (s *Scheduler) start(added []*Op) {
	now := Now()
	s.counts.setDepth(s.underway, now)
	for _, op := range added {
		for i := range op.parts {
			if r := op.parts[i].request; r != nil && r.StartedNs == 0 {
				r.StartedNs = now
			}
		}
	}
	n := s.device.Submit(s.batch)
	s.batch = s.batch[:copy(s.batch, s.batch[n:])]
	if full := len(s.batch) > 0; full != s.full.Load() {
		s.full.Store(full)
	}
}

// retryWait is between two attempts to submit to a full device.
const retryWait = time.Millisecond

// build takes requests from the front of a queue and makes one device read of them: part of a long one, or neighbours as long as they fit. It returns
// nil if there was nothing to read.
func (s *Scheduler) build(q *queue, class Class) *Op {
	r := q.first
	if r.Err != nil { // a part of it failed already
		q.pop()
		now := int64(0)
		s.drop(r, r.Err, &now)
		return nil
	}
	op := s.free
	s.free, op.next = op.next, nil
	op.Offset, op.Bytes, op.N, op.Err = r.Offset+int64(r.issued), 0, 0, nil
	op.Vec, op.parts = op.Vec[:0], op.parts[:0]
	op.class, op.merged = class, false

	rest := r.Buf[r.issued:]
	if len(rest) > s.config.MaxRead {
		s.extend(op, r, rest[:s.config.MaxRead])
		r.issued += s.config.MaxRead
		return op
	}
	s.extend(op, r, rest)
	whole := r.issued == 0 && !r.alone
	r.issued = len(r.Buf)
	q.pop()
	for whole && q.first != nil {
		next := q.first
		gap := next.Offset - (op.Offset + int64(op.Bytes))
		if gap < 0 || gap > int64(s.config.MaxGap) || op.Bytes+int(gap)+len(next.Buf) > s.config.MaxMerge || next.issued > 0 || next.alone || next.Err != nil ||
			len(op.parts)+2 > MaxPieces {
			break
		}
		q.pop()
		if gap > 0 {
			s.extend(op, nil, s.scratch[:gap])
			s.counts.gapBytes.Add(uint64(gap))
		}
		s.extend(op, next, next.Buf)
		next.issued = len(next.Buf)
		if !op.merged {
			op.merged = true
			s.counts.class[r.class].merged.Add(1)
		}
		s.counts.class[next.class].merged.Add(1)
	}
	return op
}

// extend appends bytes of a request (nil: of a gap) to an op. Memory that goes on where the last piece ended needs no piece of its own.
func (s *Scheduler) extend(op *Op, r *Request, buf []byte) {
	op.parts = append(op.parts, part{r, len(buf)})
	op.Bytes += len(buf)
	if n := len(op.Vec); n > 0 && r != nil {
		last := op.Vec[n-1]
		if address(last)+uintptr(len(last)) == address(buf) && cap(last)-len(last) >= len(buf) {
			op.Vec[n-1] = last[:len(last)+len(buf)]
			return
		}
	}
	op.Vec = append(op.Vec, buf)
}

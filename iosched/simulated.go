package iosched

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// Simulate makes a device as slow as a model says: a read comes back when the model has it ready, with the inner device's data. A scale of 1 is
// real time, 2 takes twice as long; the inner device must be the faster one. With scale 0 nobody waits: reads come back in the model's order, one
// at a time, and the clock jumps to each one's end, so that a test gets the same order and times on every machine.
//
//	iosched.Open(path, iosched.Config{Wrap: iosched.Simulate(model, 1)})
func Simulate(model DeviceModel, scale float64) (func(Device) Device, error) {
	if err := model.check(); err != nil {
		return nil, err
	}
	if !(scale >= 0 && scale <= 1e6) {
		return nil, fmt.Errorf("a simulated device's time scale of %v is not possible", scale)
	}
	return func(inner Device) Device {
		s := &Simulated{Device: inner, scale: scale, info: *inner.Info()}
		s.clock = clockwork{model: model, units: make([]int64, model.Units)}
		s.info.Engine = model.Name + " over " + s.info.Engine
		s.ends = make([]int64, s.info.Depth)
		s.inner, s.arrived = make([]*Op, s.info.Depth), make([]*Op, 0, s.info.Depth)
		return s
	}, nil
}

// Simulated is the device that Simulate makes.
type Simulated struct {
	Device
	info  Info
	scale float64

	mu    sync.Mutex // for all that follows
	clock clockwork

	now      int64   // with scale 0: the model's time, ns
	ends     []int64 // of each op by its slot, model's time
	arrived  []*Op   // the inner device has read them; ordered by end
	inner    []*Op   // room for what it gives back
	underway int     // it is still reading
}

// Info is the inner device's, with another engine name.
func (s *Simulated) Info() *Info { return &s.info }

// ModelNs is the model's clock: with scale 0 the time that all reads so far would have taken.
func (s *Simulated) ModelNs() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.modelNs()
}

func (s *Simulated) modelNs() int64 {
	if s.scale == 0 {
		return s.now
	}
	return int64(float64(Now()) / s.scale)
}

// Submit keeps the lock while the inner device takes the reads, so that none can come back before its end is known.
func (s *Simulated) Submit(ops []*Op) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.modelNs()
	n := s.Device.Submit(ops)
	s.underway += n
	for _, op := range ops[:n] {
		s.ends[op.Slot] = s.clock.end(now, op.Offset, op.Bytes)
	}
	return n
}

// Reap asks the inner device once: a second Reap would sleep through a Wake that the first one used up. Without scale the inner device has to read everything
// first; then the order is known, and the clock jumps to the end of the first.
func (s *Simulated) Reap(done []*Op, wait time.Duration) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.scale == 0 {
		if s.underway > 0 || len(s.arrived) == 0 {
			s.ask(wait)
		}
		if s.underway > 0 || len(s.arrived) == 0 {
			return 0
		}
		s.now = max(s.now, s.ends[s.arrived[0].Slot])
		return s.release(done[:1])
	}
	if n := s.release(done); n > 0 {
		return n
	}
	if len(s.arrived) > 0 {
		until := max(time.Duration(float64(s.ends[s.arrived[0].Slot]-s.modelNs())*s.scale), 0)
		if wait < 0 || until < wait {
			wait = until
		}
	}
	s.ask(wait)
	return s.release(done)
}

// ask waits for the inner device, without the lock, and sorts what it has read among what has arrived.
func (s *Simulated) ask(wait time.Duration) {
	s.mu.Unlock()
	usual := beginPrecise()
	n := s.Device.Reap(s.inner, wait)
	endPrecise(usual)
	s.mu.Lock()
	s.underway -= n
	for _, op := range s.inner[:n] {
		place, _ := slices.BinarySearchFunc(s.arrived, s.ends[op.Slot], func(o *Op, end int64) int {
			if s.ends[o.Slot] <= end {
				return -1
			}
			return 1
		})
		s.arrived = slices.Insert(s.arrived, place, op)
	}
}

// release passes on what is due.
func (s *Simulated) release(done []*Op) int {
	now, n := s.modelNs(), 0
	for n < min(len(done), len(s.arrived)) && s.ends[s.arrived[n].Slot] <= now {
		n++
	}
	copy(done, s.arrived[:n])
	s.arrived = slices.Delete(s.arrived, 0, n)
	return n
}

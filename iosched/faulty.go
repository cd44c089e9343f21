package iosched

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"syscall"
	"time"
)

// Faults says what shall go wrong on a device, for tests of everything that reads. Shares are of device reads, 0 to 1; the first that applies wins, in the
// order Errors, Short, Flips. The same seed and the same reads in the same order give the same faults.
type Faults struct {
	Seed    uint64
	Errors  float64       // fail
	Err     error         // with this, nil: EIO
	Short   float64       // end early, by at least a byte
	Flips   float64       // have one flipped bit, and no error
	Delays  float64       // come late
	Delay   time.Duration // by this much
	Shuffle int           // this many finished reads are held back and come in random order, 0: none
	Bad     [2]int64      // reads that touch the bytes from Bad[0] to before Bad[1] fail always

	ChangeAfter int    // device reads after which the file is another one, 0: never
	Change      Change // how
	TruncateTo  int64  // bytes, with Truncated
}

// Change is what happens to a file in use.
type Change uint8

const (
	Replaced  Change = iota // another file has the name; reads still come from the old one
	Truncated               // it is shorter: reads end there
)

// Wrap puts the faults around a device.
//
//	faults := &iosched.Faults{Seed: 1, Errors: 0.01}
//	iosched.Open(path, iosched.Config{Wrap: faults.Wrap})
func (f *Faults) Wrap(inner Device) Device {
	d := &Faulty{Device: inner, faults: *f, random: rand.New(rand.NewPCG(f.Seed, 0)), info: *inner.Info(), inner: make([]*Op, inner.Info().Depth)}
	if d.faults.Err == nil {
		d.faults.Err = syscall.EIO
	}
	d.info.Engine = "faulty " + d.info.Engine
	return d
}

// Faulty is the device that Faults.Wrap makes.
type Faulty struct {
	Device
	faults   Faults
	random   *rand.Rand
	info     Info
	inner    []*Op
	underway atomic.Int64
	reads    int
	held     []heldOp
	changed  atomic.Bool
	injected struct{ errors, short, flips, delays atomic.Int64 }
}

type heldOp struct {
	op  *Op
	due int64 // by Now; 0: at once
}

// Info is the inner device's, with another engine name.
func (d *Faulty) Info() *Info { return &d.info }

// Injected counts the faults of each kind so far.
func (d *Faulty) Injected() (errors, short, flips, delays int) {
	i := &d.injected
	return int(i.errors.Load()), int(i.short.Load()), int(i.flips.Load()), int(i.delays.Load())
}

// Changed is the inner device's, and tells of the change that was asked for.
func (d *Faulty) Changed() error {
	switch {
	case !d.changed.Load():
		return d.Device.Changed()
	case d.faults.Change == Truncated:
		return fmt.Errorf("%s was cut from %d to %d bytes: %w", d.info.Path, d.info.Size, d.faults.TruncateTo, ErrChanged)
	}
	return fmt.Errorf("%s was replaced by another file: %w", d.info.Path, ErrChanged)
}

func (d *Faulty) Submit(ops []*Op) int {
	d.underway.Add(int64(len(ops))) // before one of them can come back
	n := d.Device.Submit(ops)
	d.underway.Add(int64(n - len(ops)))
	return n
}

func (d *Faulty) Reap(done []*Op, wait time.Duration) int {
	// The inner device is asked once: a second Reap would sleep through a Wake that the first one used up.
	if n := d.release(done); n > 0 {
		return n
	}
	for _, h := range d.held {
		if h.due > 0 {
			if until := max(time.Duration(h.due-Now()), 0); wait < 0 || until < wait {
				wait = until
			}
		}
	}
	d.collect(d.Device.Reap(d.inner, wait))
	return d.release(done)
}

// collect spoils what the inner device has read.
func (d *Faulty) collect(n int) {
	d.underway.Add(int64(-n))
	for _, op := range d.inner[:n] {
		d.reads++
		if d.faults.ChangeAfter > 0 && d.reads > d.faults.ChangeAfter {
			d.changed.Store(true)
		}
		d.spoil(op)
		h := heldOp{op: op}
		if d.random.Float64() < d.faults.Delays {
			h.due = Now() + int64(d.faults.Delay)
			d.injected.delays.Add(1)
		}
		d.held = append(d.held, h)
	}
}

func (d *Faulty) spoil(op *Op) {
	f, end := &d.faults, op.Offset+int64(op.Bytes)
	if d.changed.Load() && f.Change == Truncated {
		op.N = int(min(int64(op.N), max(f.TruncateTo-op.Offset, 0)))
	}
	dice := d.random.Float64()
	switch {
	case op.Err != nil || op.N == 0:
	case op.Offset < f.Bad[1] && f.Bad[0] < end:
		op.N, op.Err = 0, f.Err
		d.injected.errors.Add(1)
	case dice < f.Errors:
		op.N, op.Err = 0, f.Err
		d.injected.errors.Add(1)
	case dice < f.Errors+f.Short:
		op.N = d.random.IntN(op.N)
		d.injected.short.Add(1)
	case dice < f.Errors+f.Short+f.Flips:
		at := d.random.IntN(op.N)
		for _, piece := range op.Vec {
			if at < len(piece) {
				piece[at] ^= 1 << d.random.IntN(8)
				break
			}
			at -= len(piece)
		}
		d.injected.flips.Add(1)
	}
}

// release passes on what need not be held any longer, in random order if that is asked for.
func (d *Faulty) release(done []*Op) (n int) {
	now := Now()
	for n < len(done) {
		if d.faults.Shuffle > 0 {
			d.random.Shuffle(len(d.held), func(i, j int) { d.held[i], d.held[j] = d.held[j], d.held[i] })
			if len(d.held) <= d.faults.Shuffle && d.underway.Load() > 0 {
				return n
			}
		}
		i := 0
		for i < len(d.held) && d.held[i].due > now {
			i++
		}
		if i == len(d.held) {
			return n
		}
		done[n] = d.held[i].op
		d.held = append(d.held[:i], d.held[i+1:]...)
		n++
	}
	return n
}

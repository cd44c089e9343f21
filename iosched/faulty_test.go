package iosched

import (
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"
)

// openFaulty reads the test file with faults.
func openFaulty(t *testing.T, f *Faults, c Config) (*Scheduler, *Faulty) {
	var device *Faulty
	c.Wrap = func(inner Device) Device {
		device = f.Wrap(inner).(*Faulty)
		return device
	}
	s, err := Open(patternFile(t, testFile), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, s) })
	return s, device
}

func TestEveryFaultReachesTheRequestThatItHit(t *testing.T) {
	tests := []struct {
		name   string
		faults Faults
		want   error // nil: wrong data without an error
	}{
		{"errors", Faults{Errors: 0.2}, syscall.EIO},
		{"errors of another kind", Faults{Errors: 0.2, Err: io.ErrNoProgress}, io.ErrNoProgress},
		{"short reads", Faults{Short: 0.2}, ErrShort},
		{"flipped bits", Faults{Flips: 0.2}, nil},
		{"errors, late and in random order", Faults{Errors: 0.2, Delays: 0.3, Delay: time.Millisecond, Shuffle: 7}, syscall.EIO},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.faults.Seed = 7
			s, device := openFaulty(t, &test.faults, Config{MaxMerge: -1})
			const n = 500
			mem := memory(t, n*4096)
			batch := newRequests(n, 0)
			for i, r := range batch {
				r.Offset, r.Buf = rand.Int64N(testFile/4096)*4096, mem[i*4096:][:4096]
			}
			readAll(t, s, Demand, batch...)
			failed, wrong := 0, 0
			for _, r := range batch {
				switch {
				case r.Err != nil:
					failed++
					if test.want == nil || !errors.Is(r.Err, test.want) || r.N != 0 || !strings.Contains(r.Err.Error(), s.Info().Path) {
						t.Errorf("%d bytes, %v", r.N, r.Err)
					}
				case !right(r):
					wrong++
				}
			}
			errs, short, flips, delays := device.Injected()
			if failed != errs+short || wrong != flips || failed+wrong < n/10 || (delays > 0) != (test.faults.Delays > 0) {
				t.Errorf("%d failed and %d were wrong, but %d errors, %d short reads, %d flips and %d delays were made", failed, wrong, errs, short, flips, delays)
			}
			if st := s.Stats(); st.Demand.Errors != uint64(failed) || st.Demand.Done != uint64(n-failed) {
				t.Errorf("%+v", st)
			}
		})
	}
}

func TestABadPageFailsOnlyTheReadsThatWantIt(t *testing.T) {
	s, _ := openFaulty(t, &Faults{Bad: [2]int64{5*4096 + 10, 5*4096 + 11}}, Config{})
	mem := memory(t, 20*4096)
	var batch []*Request
	for i := range 20 {
		batch = append(batch, &Request{Offset: int64(i) * 4096, Buf: mem[i*4096:][:4096]})
	}
	readAll(t, s, Demand, batch...)
	for i, r := range batch {
		if bad := i == 5; bad != (r.Err != nil) || !bad && !right(r) {
			t.Errorf("page %d: %v", i, r.Err)
		}
	}
	if st := s.Stats(); st.Parted != 1 || st.Demand.Errors != 1 || st.Demand.Done != 19 {
		t.Errorf("%+v", st)
	}
	long := &Request{Buf: make([]byte, 0)}
	long.Buf = mem
	if s.Info().Direct {
		readAll(t, s, Demand, long)
		if !errors.Is(long.Err, syscall.EIO) {
			t.Errorf("all of it in one read: %v", long.Err)
		}
	}
}

func TestAFailedPartFailsALongReadOnce(t *testing.T) {
	s, _ := openFaulty(t, &Faults{Bad: [2]int64{40 << 10, 41 << 10}}, Config{MaxRead: 16 << 10, Depth: 2})
	mem := memory(t, 2<<20)
	long := &Request{Buf: mem[:1<<20]}
	next := &Request{Offset: 1 << 20, Buf: mem[1<<20:]}
	readAll(t, s, Demand, long, next)
	if !errors.Is(long.Err, syscall.EIO) || long.N != 0 || next.Err != nil || !right(next) {
		t.Errorf("%v, %v", long.Err, next.Err)
	}
	if st := s.Stats(); st.Demand.Errors != 1 || st.Reads > 64+10 {
		t.Errorf("the rest was read in vain: %+v", st)
	}
}

func TestAFileThatChangesUnderWayIsNamedAsTheReason(t *testing.T) {
	for name, f := range map[string]*Faults{
		"was cut from":                 {ChangeAfter: 1, Change: Truncated, TruncateTo: 8192},
		"was replaced by another file": {ChangeAfter: 1, Change: Replaced, Errors: 1},
	} {
		s, _ := openFaulty(t, f, Config{})
		mem := memory(t, 8192)
		if err := s.Changed(); err != nil {
			t.Errorf("before: %v", err)
		}
		for i := range 3 {
			r := &Request{Offset: int64(1+i) * 4096, Buf: mem[:8192]}
			readAll(t, s, Demand, r)
			if i > 0 && (!errors.Is(r.Err, ErrChanged) || !strings.Contains(r.Err.Error(), name)) {
				t.Errorf("%s: read %d: %v", name, i, r.Err)
			}
		}
		if err := s.Changed(); !errors.Is(err, ErrChanged) || !strings.Contains(err.Error(), name) {
			t.Errorf("after: %v", err)
		}
	}
}

func TestTheSameSeedGivesTheSameFaults(t *testing.T) {
	outcome := func() (list []bool) {
		s, _ := openFaulty(t, &Faults{Seed: 3, Errors: 0.5}, Config{Depth: 1})
		r := &Request{Buf: memory(t, 4096)}
		for range 50 {
			readAll(t, s, Demand, r)
			list = append(list, r.Err == nil)
		}
		return list
	}
	a, b := outcome(), outcome()
	for i := range a {
		if a[i] != b[i] {
			t.Fatalf("read %d differs", i)
		}
	}
}

package iosched

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// modelRate is the bytes per second that a model gives with so many reads under way, computed and not waited for.
func modelRate(t *testing.T, name string, p Pattern, span int64) float64 {
	model, err := DeviceModelNamed(name)
	if err != nil {
		t.Fatal(err)
	}
	c := clockwork{model: model, units: make([]int64, model.Units)}
	random := rand.New(rand.NewPCG(1, 1))
	ends := make([]int64, p.Depth) // of the reads under way; the next one begins when the first of them is done
	const n = 5000
	for i := range n {
		offset := int64(i) * int64(p.Request)
		if p.Random {
			offset = random.Int64N(span/4096) * 4096
		}
		first := 0
		for j := range ends {
			if ends[j] < ends[first] {
				first = j
			}
		}
		ends[first] = c.end(ends[first], offset, p.Request)
	}
	return float64(n*p.Request) / (float64(c.link) / 1e9)
}

func TestModelsReproduceWhatIsPublished(t *testing.T) {
	const mb = 1 << 20
	tests := []struct {
		model  string
		random bool
		bytes  int
		depth  int
		span   int64
		want   float64 // bytes per second
	}{
		{"ufs4.0", true, 4 << 10, 32, 128 * mb, 1.05e9},
		{"ufs4.0", true, 4 << 10, 32, 512 * mb, 0.85e9},
		{"ufs4.0", true, 512 << 10, 32, 512 * mb, 3.5e9},
		{"ufs4.0", false, 4 << 10, 1, 0, 0.45e9},
		{"ufs4.0", false, 512 << 10, 4, 0, 4e9},
		{"nvme", true, 4 << 10, 128, 16384 * mb, 1.2e6 * 4096},
		{"nvme", false, 512 << 10, 4, 0, 7.5e9},
		{"ufs3.1", false, 512 << 10, 4, 0, 2.1e9},
		{"emmc", false, 512 << 10, 4, 0, 0.3e9},
	}
	for _, test := range tests {
		got := modelRate(t, test.model, Pattern{test.random, test.bytes, test.depth}, test.span)
		if math.Abs(got/test.want-1) > 0.05 {
			t.Errorf("%s, %+v: %.0f MB/s, want %.0f", test.model, test, got/1e6, test.want/1e6)
		}
	}
}

func TestASimulatedDeviceTakesItsTimeAndGivesTheFilesBytes(t *testing.T) {
	slow := DeviceModel{Name: "slow", Units: 1, Latency: 20 * time.Millisecond, Sequential: 20 * time.Millisecond, Bandwidth: 1e12, InOrder: 1e12}
	wrap, err := Simulate(slow, 0.5)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(patternFile(t, testFile), Config{Wrap: wrap, MaxMerge: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, s)
	if info := s.Info(); !strings.HasPrefix(info.Engine, "slow over ") {
		t.Errorf("%+v", info)
	}
	mem := memory(t, 4*4096)
	batch := newRequests(4, 0)
	for i, r := range batch {
		r.Buf = mem[i*4096:][:4096]
	}
	readAll(t, s, Demand, batch...)
	for i, r := range batch {
		if took := time.Duration(r.DoneNs - r.QueuedNs); r.Err != nil || !right(r) || took < time.Duration(i+1)*10*time.Millisecond {
			t.Errorf("read %d took %v, %v", i, took, r.Err)
		}
	}
}

func TestWithoutWaitingASimulationIsTheSameEveryTime(t *testing.T) {
	model, _ := DeviceModelNamed("UFS4.0")
	wrap, err := Simulate(model, 0)
	if err != nil {
		t.Fatal(err)
	}
	once := func() string {
		var device *Simulated
		c := Config{MaxMerge: -1, Wrap: func(d Device) Device { device = wrap(d).(*Simulated); return device }}
		s, err := New(FromReader(patternReader(testFile), testFile), c)
		if err != nil {
			t.Fatal(err)
		}
		random := rand.New(rand.NewPCG(1, 1))
		batch := newRequests(32, 4096)
		for _, r := range batch {
			r.Offset = random.Int64N(testFile/4096) * 4096
			r.Buf = make([]byte, 4096<<random.IntN(5))
		}
		order := ""
		g := NewGroup(len(batch))
		_ = s.Submit(g, Demand, batch)
		for range batch {
			order += fmt.Sprint(g.Wait(time.Time{}).Tag, " ")
		}
		closed(t, s)
		return fmt.Sprint(order, device.ModelNs())
	}
	first := once()
	for range 5 {
		if again := once(); again != first {
			t.Fatalf("%s\n%s", first, again)
		}
	}
}

func TestImpossibleModelsAreRefused(t *testing.T) {
	good := DeviceModels()[0]
	for name, spoil := range map[string]func(*DeviceModel){
		"no units":     func(m *DeviceModel) { m.Units = 0 },
		"no bandwidth": func(m *DeviceModel) { m.Bandwidth = 0 },
		"not a number": func(m *DeviceModel) { m.InOrder = math.NaN() },
		"back in time": func(m *DeviceModel) { m.Latency = -1 },
	} {
		m := good
		spoil(&m)
		if _, err := Simulate(m, 1); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := Simulate(good, -1); err == nil {
		t.Error("a negative scale is accepted")
	}
	if _, err := DeviceModelNamed("floppy"); err == nil || !strings.Contains(err.Error(), "ufs4.0, ufs3.1, nvme, emmc") {
		t.Errorf("%v", err)
	}
}

package pack

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"hotcell/models/gguf"
	"hotcell/models/synthetic"
)

var (
	bigShape = flag.String("shape", "", "a named `shape` to pack in TestPackingTakesLittleMemory, such as mistral-7b; takes as much disk as the model")
	bigType  = flag.String("type", "F32", "`type` of its matrices")
)

// peakMemory is the most memory that the process had since the last call, 0 where the system does not tell.
func peakMemory(t *testing.T) int64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // begins anew
	for line := range bytes.Lines(status) {
		if rest, ok := bytes.CutPrefix(line, []byte("VmHWM:")); ok {
			kb, err := strconv.ParseInt(strings.Fields(string(rest))[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kb << 10
		}
	}
	return 0
}

// Without -shape this is one layer of a 7B model. What is larger goes through the same memory in slices.
func TestPackingTakesLittleMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("writes a file of 120 MB")
	}
	const limit = 500e6
	shape := synthetic.Shape{Name: "one layer of bamboo-7b", Arch: "bamboo", Layers: 1, Dim: 4096, FF: 14336, Heads: 32, KVHeads: 8, Vocab: 300, Context: 64}
	kind := gguf.Q4_0
	if *bigShape != "" {
		var err error
		if shape, err = synthetic.Find(*bigShape); err != nil {
			t.Fatal(err)
		}
		for kind = 0; kind.String() != *bigType; kind++ {
			if kind > 64 {
				t.Fatalf("there is no type %s", *bigType)
			}
		}
	}
	src, err := synthetic.Open(shape, kind)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if peakMemory(t) == 0 {
		t.Skip("the system does not tell how much memory was used")
	}
	step := func(name string, do func() error) {
		debug.FreeOSMemory()
		peakMemory(t)
		began := time.Now()
		if err := do(); err != nil {
			t.Fatal(err)
		}
		peak := peakMemory(t)
		t.Logf("%s: %d MB of memory, %.1f s for %d MB", name, peak/1e6, time.Since(began).Seconds(), src.Size()/1e6)
		if peak > limit {
			t.Errorf("%s took %d MB", name, peak/1e6)
		}
	}
	path := filepath.Join(dir, "big.pack")
	step("packing", func() error { return Write(context.Background(), src, path, Options{Activity: someActivity(src, 1)}) })
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	step("checking", func() error {
		damage, err := f.Check(context.Background(), nil)
		if len(damage) > 0 {
			t.Error(damage)
		}
		return err
	})
}

//go:build !race

// The race detector's own memory is no part of a budget.

package infer

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"hotcell/models/builtin"
	"hotcell/models/gguf"
	"hotcell/models/pack"
	"hotcell/models/synthetic"
)

// budgetShape is a model with neurons of 7B's size, 295 MB of them, and little else.
var budgetShape = synthetic.Shape{Name: "budget", Arch: "bamboo", Layers: 6, Dim: 4096, FF: 6144, Heads: 8, KVHeads: 2, HeadDim: 128, Vocab: 2048, Context: 1024, Rank: 64}

// The variables with which a test runs itself as a process that holds nothing else.
const (
	budgetPack  = "HOTCELL_BUDGET_PACK"
	budgetShare = "HOTCELL_BUDGET_SHARE"
	budgetMode  = "HOTCELL_BUDGET_MODE"
)

func TestTheProcessKeepsToItsBudget(t *testing.T) {
	if os.Getenv("HOTCELL_HEAVY") == "" {
		t.Skip("packs and reads a model of 300 MB; set HOTCELL_HEAVY=1")
	}
	if _, ok := HeldMemory(); !ok {
		t.Skip("the system does not tell what a process holds")
	}
	f, err := synthetic.Open(budgetShape, gguf.Q4_0)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "budget.pack")
	err = pack.Write(context.Background(), f, path, pack.Options{})
	f.Close()
	if err != nil {
		t.Fatal(err)
	}
	for _, mode := range []Mode{ModeExact, ModePredicted} {
		for _, share := range []float64{1, 0.5, 0.25, 0} {
			t.Run(fmt.Sprintf("%s, %.0f %%", mode, 100*share), func(t *testing.T) {
				c := exec.Command(os.Args[0], "-test.run=^TestAProcessThatKeepsToItsBudget$", "-test.v")
				c.Env = append(os.Environ(), budgetPack+"="+path, fmt.Sprintf("%s=%v", budgetShare, share), budgetMode+"="+string(mode))
				out, err := c.CombinedOutput()
				for line := range strings.Lines(string(out)) {
					if strings.Contains(line, ".go:") {
						t.Log(strings.TrimSpace(line))
					}
				}
				if err != nil {
					t.Errorf("%v\n%s", err, out)
				}
			})
		}
	}
}

// TestAProcessThatKeepsToItsBudget is the process that TestTheProcessKeepsToItsBudget looks at: it loads a pack under a budget, reads a prompt,
// generates some tokens, and notes the most memory that it held meanwhile.
func TestAProcessThatKeepsToItsBudget(t *testing.T) {
	path := os.Getenv(budgetPack)
	if path == "" {
		t.Skip("runs in a process of its own")
	}
	share, err := strconv.ParseFloat(os.Getenv(budgetShare), 64)
	if err != nil {
		t.Fatal(err)
	}
	open := func() (*gguf.File, error) {
		p, err := pack.Open(path)
		if err != nil {
			return nil, err
		}
		return p.GGUF(), nil
	}
	c := Config{Threads: 2, Context: 512, Mode: Mode(os.Getenv(budgetMode))}
	c.Plan = planFor(t, open, c, share)
	c.Active = someActive(budgetShape.FF)

	stop, most := make(chan struct{}), make(chan int64)
	go func() {
		var top int64
		for {
			select {
			case <-stop:
				most <- top
				return
			case <-time.After(2 * time.Millisecond):
				held, _ := HeldMemory()
				top = max(top, held)
			}
		}
	}()
	held := func() int64 {
		n, _ := HeldMemory()
		return n >> 20
	}
	before := held()
	s := opened(t, open, c)
	loaded := held()
	prompt := strings.Repeat("abc de f ", 40)
	for _, text := range []string{prompt, "x" + prompt} {
		if _, _, err := s.Complete(context.Background(), text, Options{MaxTokens: 8}).Wait(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	st := s.Stats()
	close(stop)
	top := <-most
	t.Logf("budget %d MiB, at most %d; %d before loading, %d after, %d at the end; %d + %d tokens; split in MiB %v",
		c.Plan.Budget>>20, top>>20, before, loaded, held(), st.PrefillTokens, st.DecodeTokens, inMiB(c))
	if top > c.Plan.Budget {
		t.Errorf("the process held %d bytes, the budget is %d", top, c.Plan.Budget)
	}
	if share < 1 && st.FlashBytes == 0 {
		t.Error("nothing was read from flash")
	}
}

func inMiB(c Config) string {
	m := c.Plan.Memory
	return fmt.Sprintf("fixed %d predictor %d kv %d work %d program %d hot %d cold %d", m.Fixed>>20, m.Predictor>>20, m.KV>>20, m.Work>>20, m.Program>>20, m.Hot>>20, m.Cold>>20)
}

// someActive names a tenth of the neurons, others for each token and layer.
func someActive(neurons int) func(layer int) []uint64 {
	r := rand.New(rand.NewPCG(1, 2))
	set := make([]uint64, (neurons+63)/64)
	return func(int) []uint64 {
		clear(set)
		for n := range neurons {
			if r.IntN(10) == 0 {
				set[n>>6] |= 1 << (n & 63)
			}
		}
		return set
	}
}

func TestABudgetBelowTheMinimumIsRefusedWithTheMinimum(t *testing.T) {
	open := packed(t, builtin.Open)
	f, err := open()
	if err != nil {
		t.Fatal(err)
	}
	_, err = Open(context.Background(), f, Config{Threads: 2, Memory: 1 << 20})
	if err == nil || !strings.Contains(err.Error(), "model.pack needs at least ") || !strings.HasSuffix(err.Error(), "of memory, the budget is 1 MiB") {
		t.Errorf("%v", err)
	}
}

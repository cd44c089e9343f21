package infer

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"hotcell/infer/kernel"
	"hotcell/models/gguf"
	"hotcell/models/synthetic"
)

// tinyShape is the smallest that every type fits.
var tinyShape = synthetic.Shape{Name: "tiny", Arch: "llama", Layers: 2, Dim: 256, FF: 512, Heads: 4, KVHeads: 2, Vocab: 300, Context: 256}

func openSynthetic(t *testing.T, s synthetic.Shape, kind gguf.Type, c Config) *Session {
	t.Helper()
	f, err := synthetic.Open(s, kind)
	if err != nil {
		t.Fatal(err)
	}
	session, err := Open(t.Context(), f, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { session.Close() })
	return session
}

func TestSyntheticModelsOfEveryTypeGiveFiniteLogits(t *testing.T) {
	bamboo, qwen := tinyShape, tinyShape
	bamboo.Arch = "bamboo"
	qwen.Arch, qwen.HeadNorm, qwen.Bias, qwen.Tied = "qwen3", true, true, true
	for _, shape := range []synthetic.Shape{tinyShape, bamboo, qwen} {
		for kind := range gguf.Type(64) {
			if !synthetic.CanMake(kind) {
				continue
			}
			t.Run(shape.Arch+"/"+kind.String(), func(t *testing.T) {
				s := openSynthetic(t, shape, kind, Config{Threads: 1, Context: 16})
				err := s.Logits(t.Context(), []int32{1, 50, 299, 7}, false, func(i int, logits []float32) {
					var squares float64
					for _, v := range logits {
						squares += float64(v) * float64(v)
					}
					if rms := math.Sqrt(squares / float64(len(logits))); !(rms > 0.05 && rms < 5) {
						t.Errorf("token %d: logits of magnitude %g", i, rms)
					}
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func TestMeasureRunsATestSoManyTimesAndTellsItsShareOfTheLimit(t *testing.T) {
	for _, kind := range []gguf.Type{gguf.Q4_0, gguf.F16} {
		s := openSynthetic(t, tinyShape, kind, Config{Threads: 2, Context: 128, Bare: true})
		for _, test := range []Test{{Prompt: 100}, {Prompt: 1}, {Generate: 3}, {Prompt: 5, Depth: 70}, {Generate: 2, Depth: 126}} {
			t.Run(kind.String()+" "+test.String(), func(t *testing.T) {
				calls := 0
				runs, err := s.Measure(t.Context(), test, 2, func(done int, r Run) {
					if calls++; done != calls {
						t.Errorf("call %d says %d runs", calls, done)
					}
				})
				if err != nil {
					t.Fatal(err)
				}
				if len(runs) != 2 || calls != 2 {
					t.Fatalf("%d runs, %d calls", len(runs), calls)
				}
				for _, r := range runs {
					if r.Ns <= 0 || r.Work <= 0 || r.PerSec <= 0 {
						t.Errorf("%+v", r)
					}
					if (r.Share > 0) != kernel.HasLimits() || (r.Limit.Read > 0) != (kernel.HasLimits() && test.Generate > 0) {
						t.Errorf("share and limit of %+v", r)
					}
				}
			})
		}
	}
}

func TestTheWorkOfAModelIsWhatItsShapeSays(t *testing.T) {
	s := openSynthetic(t, tinyShape, gguf.Q8_0, Config{Threads: 1, Context: 32, Bare: true})
	const perLayer = 2*256*256 + 2*128*256 + 3*256*512 // weights of q and out, k and v, and the FFN
	const head = 304 * 256                             // the vocabulary fills up a panel
	w := s.eng.work()
	if got, want := w.readPerToken(1), (2*perLayer+head)*34.0/32; got != want {
		t.Errorf("a token reads %g bytes, want %g", got, want)
	}
	ints, floats := w.operations(10, 1)
	if want := 2.0 * (10*2*perLayer + 300*256); ints != want || floats != 0 {
		t.Errorf("10 tokens take %g and %g operations, want %g and 0", ints, floats, want)
	}
	// Positions 3 and 4 see 4 and 5 positions, in 2 layers, of keys and values of 2 heads of 64 halves.
	if got, want := s.eng.attentionBytes(3, 2), 9.0*2*2*2*64*2; got != want {
		t.Errorf("attention reads %g bytes, want %g", got, want)
	}
}

func TestOnlyExpertsThatATokenUsesAndActiveNeuronsAreWork(t *testing.T) {
	matrix := linear{Matrix: kernel.Matrix{Format: kernel.F32, Rows: 16, Cols: 8, Data: make([]byte, 16*8*4)}}
	expert := &feedForward{up: matrix, downRows: kernel.Rows{Type: gguf.F32, N: 16, Cols: 8, Data: make([]byte, 16*8*4)}}
	e := &engine{h: &hparams{experts: 4, expertsUsed: 1}, w: &weights{layers: []layerWeights{{experts: []*feedForward{expert, expert, expert, expert}}}}}
	w := e.work()
	if got := w.readPerToken(0.5); got != 512+256 {
		t.Errorf("a token reads %g bytes, want one expert's matrix of 512 and half of its rows", got)
	}
	if ints, floats := w.operations(1, 0.5); ints != 0 || floats != 256+128 {
		t.Errorf("a token takes %g and %g operations", ints, floats)
	}
}

func TestMeasureRefusesWhatIsNoTest(t *testing.T) {
	s := openSynthetic(t, tinyShape, gguf.Q4_0, Config{Threads: 1, Context: 32, Bare: true})
	for _, test := range []struct {
		test Test
		want string
	}{
		{Test{}, "either a prompt or generated tokens"},
		{Test{Prompt: 1, Generate: 1}, "either a prompt or generated tokens"},
		{Test{Generate: -1, Prompt: 2}, "either a prompt or generated tokens"},
		{Test{Prompt: 30, Depth: 3}, "the test pp30 @ d3 needs a context of 33 tokens, the session has 32"},
	} {
		if _, err := s.Measure(t.Context(), test.test, 1, nil); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v", test.test, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Measure(ctx, Test{Generate: 4}, 1, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestSummarise(t *testing.T) {
	runs := []Run{{PerSec: 10, Share: 0.5, Limit: Limit{Read: 3}}, {PerSec: 14, Share: 0.9}, {PerSec: 12, Share: 0.6, Limit: Limit{Read: 1}}, {PerSec: 12, Share: 0.4, Limit: Limit{Read: 2}}}
	if got, want := Summarise(runs), (Summary{Mean: 12, Deviation: math.Sqrt(8.0 / 3), Median: 12, Share: 0.55, Limit: Limit{Read: 1.5}}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := Summarise(runs[:1]); got != (Summary{Mean: 10, Median: 10, Share: 0.5, Limit: Limit{Read: 3}}) {
		t.Errorf("one run: %+v", got)
	}
	slow := make([]int64, 101)
	for i := range slow {
		slow[i] = int64(1000 - i)
	}
	if got := Summarise([]Run{{TokenNs: slow[:50]}, {TokenNs: slow[50:]}}); got.TokenP50 != 950 || got.TokenP99 != 999 {
		t.Errorf("half of the tokens within %v ns, 99 of 100 within %v", got.TokenP50, got.TokenP99)
	}
	if got := Summarise(nil); got != (Summary{}) {
		t.Errorf("no runs: %+v", got)
	}
}

func TestTestsHaveTheNamesOfLlamaBench(t *testing.T) {
	for want, test := range map[string]Test{"pp512": {Prompt: 512}, "tg64 @ d4096": {Generate: 64, Depth: 4096}} {
		if got := test.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestTheStatusOfAProcessIsRead(t *testing.T) {
	const status = "Name:\tx\nVmPeak:\t  9 kB\nVmHWM:\t    1234 kB\nVmRSS:\tmany kB\n"
	for field, want := range map[string]int64{"VmHWM": 1234 << 10, "VmRSS": 0, "VmSwap": 0, "Name": 0} {
		if got := parseStatus(status, field); got != want {
			t.Errorf("%s is %d, want %d", field, got, want)
		}
	}
	if p := StartPeakMemory(); p.Bytes() < 0 {
		t.Error("memory below nothing")
	}
}

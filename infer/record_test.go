package infer

import (
	"context"
	"errors"
	"slices"
	"testing"

	"hotcell/models/builtin"
	"hotcell/models/pack"
)

// recorded is what a session's Record tells of the first tokens of a text: [token][layer]neurons.
func recorded(t testing.TB, s *Session, tokens int) (list [][][]int32) {
	t.Helper()
	layers := len(s.NeuronLayers())
	err := s.Record(context.Background(), pack.SampleText, tokens, func(r Recorded) error {
		if r.Tokens != tokens || r.Token != len(list)-1 && r.Layer > 0 || r.Layer >= layers {
			t.Fatalf("token %d of %d, layer %d after %d tokens", r.Token, r.Tokens, r.Layer, len(list))
		}
		if r.Layer == 0 {
			list = append(list, nil)
		}
		list[r.Token] = append(list[r.Token], slices.Clone(r.Active))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestWhatIsRecordedIsWhatIsCountedAndTheSameFromAPack(t *testing.T) {
	const tokens = 40
	memory := opened(t, builtin.Open, Config{Threads: 2, Mode: ModeExact, Context: 32}) // more than one window
	before := memory.Stats()
	want := recorded(t, memory, tokens)
	st := memory.Stats().Sub(before)
	var sum uint64
	for _, layers := range want {
		if len(layers) != 6 {
			t.Fatalf("%d layers", len(layers))
		}
		for _, active := range layers {
			sum += uint64(len(active))
			if len(active) == 0 || !slices.IsSorted(active) || len(slices.Compact(slices.Clone(active))) != len(active) || active[len(active)-1] >= 1280 {
				t.Fatalf("active neurons %v", active)
			}
		}
	}
	if len(want) != tokens || sum != st.ActiveNeurons {
		t.Errorf("%d tokens with %d active neurons, counted are %d", len(want), sum, st.ActiveNeurons)
	}
	open := packed(t, builtin.Open)
	c := Config{Threads: 2, Mode: ModeExact, Context: 32}
	c.Plan = planFor(t, open, c, 0.25)
	got := recorded(t, opened(t, open, c), tokens)
	for i := range want {
		for l := range want[i] {
			if !slices.Equal(got[i][l], want[i][l]) {
				t.Fatalf("token %d, layer %d: from a pack %v, in memory %v", i, l, got[i][l], want[i][l])
			}
		}
	}
}

func TestRecordingEndsWithTheCallersErrorAndLeavesTheSessionUsable(t *testing.T) {
	s := chatty(t, Config{Threads: 2, Mode: ModeExact})
	want, _ := talk(t, s, conversation("hello"), Options{MaxTokens: 8})
	stop := errors.New("enough")
	calls := 0
	err := s.Record(context.Background(), "some words to record", 100, func(r Recorded) error {
		calls++
		return stop
	})
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Record(ctx, "hello", 10, func(Recorded) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if got, _ := talk(t, s, conversation("hello"), Options{MaxTokens: 8}); got != want {
		t.Errorf("afterwards %q, before %q", got, want)
	}
	if err := s.Record(context.Background(), "hello", 0, nil); err == nil {
		t.Error("no tokens are recorded")
	}
	if err := chatty(t, Config{Mode: ModeDense}).Record(context.Background(), "hello", 10, nil); err == nil {
		t.Error("dense products are recorded")
	}
}

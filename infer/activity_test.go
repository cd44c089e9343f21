package infer

import (
	"context"
	"strings"
	"testing"

	"hotcell/models/builtin"
)

func TestActivityCountsWhatTheEngineCounts(t *testing.T) {
	f, err := builtin.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text := strings.Repeat("Hello there, how are you today? I like music and long walks. ", 40)
	a, err := CountActivity(context.Background(), f, text, 300, nil)
	if err != nil {
		t.Fatal(err)
	}
	if a.Tokens != 300 || len(a.Counts) != 6 {
		t.Fatalf("%d tokens, %d layers", a.Tokens, len(a.Counts))
	}
	var active, all uint64
	for l, counts := range a.Counts {
		for i, n := range counts {
			if int(n) > a.Tokens {
				t.Fatalf("layer %d: neuron %d was active %d times in %d tokens", l, i, n, a.Tokens)
			}
			active += uint64(n)
		}
		all += uint64(len(counts)) * uint64(a.Tokens)
	}
	if share := float64(active) / float64(all); share < 0.02 || share > 0.3 {
		t.Errorf("%.1f %% of the neurons are active, expected about 10 %%", 100*share)
	}
}

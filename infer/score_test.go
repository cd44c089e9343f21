package infer

import (
	"context"
	"math"
	"strings"
	"testing"

	"hotcell/models/builtin"
	"hotcell/models/token"
)

func TestPerplexityIsThatOfTheOracleOverTheSecondHalvesOfTheWindows(t *testing.T) {
	const size = 32
	text := strings.Repeat("I like to watch movies with my friends, and you? ", 8)
	s := chatty(t, Config{Threads: 2, KV: KVF32})
	steps := 0
	got, err := s.Perplexity(context.Background(), text, size, func(p Perplexity) {
		if steps++; p.Window != steps || p.Tokens != steps*(size-size/2-1) {
			t.Errorf("after window %d: %+v", steps, p)
		}
	})
	if err != nil {
		t.Fatal(err)
	}

	f, err := builtin.Open()
	if err != nil {
		t.Fatal(err)
	}
	bos, _ := s.Tokenizer().BOS()
	ids := s.Tokenizer().Encode(text, token.EncodeOptions{BOS: true})
	var losses []float64
	for at := 0; at+size <= len(ids); at += size {
		window := append([]int32{bos}, ids[at+1:at+size]...)
		rows, err := Reference(f, window, 0, ModeDense)
		if err != nil {
			t.Fatal(err)
		}
		for i := size / 2; i < size-1; i++ { // row i predicts token i+1
			var sum float64
			for _, v := range rows[i] {
				sum += math.Exp(float64(v))
			}
			losses = append(losses, -math.Log(math.Exp(float64(rows[i][window[i+1]]))/sum))
		}
	}
	var mean, variance float64
	for _, l := range losses {
		mean += l / float64(len(losses))
	}
	for _, l := range losses {
		variance += (l - mean) * (l - mean) / float64(len(losses))
	}
	want := math.Exp(mean)
	wantError := math.Sqrt(variance/float64(len(losses)-1)) * want
	if got.Windows != len(ids)/size || got.Tokens != len(losses) {
		t.Errorf("%d windows and %d tokens, expected %d and %d", got.Windows, got.Tokens, len(ids)/size, len(losses))
	}
	// The engine rounds activations to 8 bits, the oracle does not.
	if math.Abs(got.Value()/want-1) > 0.03 || math.Abs(got.Error()/wantError-1) > 0.05 {
		t.Errorf("%.4f ± %.4f, expected %.4f ± %.4f", got.Value(), got.Error(), want, wantError)
	}
}

func TestPerplexityRefusesWhatItCannotScore(t *testing.T) {
	s := chatty(t, Config{Threads: 1})
	for name, c := range map[string]struct {
		text string
		size int
		want string
	}{
		"a text of one window":            {strings.Repeat("word ", 40), 64, "too few for two windows"},
		"an empty text":                   {"", 0, "too few for two windows"},
		"windows larger than the context": {strings.Repeat("word ", 4000), 512, "not possible with a context of 256"},
		"windows of nothing":              {"text", 1, "not possible"},
	} {
		if _, err := s.Perplexity(context.Background(), c.text, c.size, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, expected %q", name, err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Perplexity(ctx, strings.Repeat("word ", 4000), 64, nil); err != context.Canceled {
		t.Errorf("cancelled: error %v", err)
	}
}

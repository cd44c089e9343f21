package infer

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestAnAnswerNamesTheSamePositionsTogetherAndOneByOne(t *testing.T) {
	const neurons = 300
	r := rand.New(rand.NewPCG(1, 2))
	scores := make([]float32, neurons)
	given := make([]uint64, (neurons+63)/64)
	for i := range neurons {
		scores[i] = float32(r.NormFloat64())
		if r.IntN(3) == 0 {
			given[i>>6] |= 1 << (i & 63)
		}
	}
	for name, a := range map[string]answer{
		"scores": {scores: scores, least: 0.5},
		"given":  {given: given},
	} {
		for _, span := range [][2]int{{0, neurons}, {0, 0}, {1, 64}, {63, 65}, {64, 128}, {70, 71}, {100, 299}, {256, neurons}} {
			want := []int32{-1} // what is there already stays
			for pos := span[0]; pos < span[1]; pos++ {
				if a.names(pos) {
					want = append(want, int32(pos))
				}
			}
			if got := a.named(span[0], span[1], []int32{-1}); !slices.Equal(got, want) {
				t.Errorf("%s, positions %d to %d: %v, one by one %v", name, span[0], span[1]-1, got, want)
			}
		}
	}
}

package neuroncache

import (
	"slices"
	"testing"
)

func TestWhatIsForgottenIsReadAgainButNotWhatIsPinnedUnderWayOrHot(t *testing.T) {
	for _, policy := range Policies() {
		config := smallConfig(policy)
		config.HotBytes = int64(config.SlotBytes * config.ClusterSlots)
		c := newCache(t, config)
		b := c.Begin(1)
		clusters := make([]Found, 1)
		c.LookupClusters(b, 0, []int32{0}, clusters)
		c.ReadyRun(clusters[0].Slot, c.ClusterUnits(0, 0))
		c.End(b)

		first, _ := ask(c, 1, 0, 1, 2)
		c.End(first)
		pinned, _ := ask(c, 1, 2)
		found := make([]Found, 1)
		c.Lookup(pinned, 1, []int32{3}, found) // its read is under way
		c.Forget()

		last, _ := ask(c, 1, 4)
		for i, want := range []State{Claimed, Claimed, Resident, Loading} {
			if c.Lookup(last, 1, []int32{int32(i)}, found); found[0].State != want {
				t.Errorf("%s: unit %d is %v, want %v", policy, i, found[0].State, want)
			}
		}
		if c.LookupClusters(last, 0, []int32{0}, clusters); !slices.Equal(states(clusters), []State{Resident}) {
			t.Errorf("%s: the hot cluster is %v", policy, states(clusters))
		}
	}
}

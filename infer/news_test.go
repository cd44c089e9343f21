package infer

import (
	"slices"
	"testing"

	"hotcell/neuroncache"
)

func TestNewsReachWhoeverWaits(t *testing.T) {
	const clusters = 70 // more than a word of bits
	cache, err := neuroncache.New(neuroncache.Config{Bytes: 8 * neuroncache.PageBytes, SlotBytes: neuroncache.PageBytes, Groups: []int{4}})
	if err != nil {
		t.Fatal(err)
	}
	defer cache.Close()
	batch := cache.Begin(1)
	defer cache.End(batch)
	found := make([]neuroncache.Found, 2)
	cache.Lookup(batch, 0, []int32{0, 1}, found)
	slot, other := found[0].Slot, found[1].Slot
	n := newNews(clusters, cache.Slots())
	want := func(what string, all bool, list ...int) {
		t.Helper()
		for c := range clusters {
			told := n.come[c>>6].Load()>>(c&63)&1 != 0
			if told != (all || slices.Contains(list, c)) {
				t.Errorf("%s: cluster %d was told: %v", what, c, told)
			}
		}
		if n.told() != (all || len(list) > 0) {
			t.Errorf("%s: told() is %v", what, n.told())
		}
		n.clear()
	}
	n.came(slot)
	want("nobody waited", false)
	n.await(69, slot, cache)
	want("it has not come", false)
	n.await(69, slot, cache)
	n.came(slot)
	want("it came for one that asked twice", false, 69)
	n.came(slot)
	want("it came once", false)
	n.await(3, slot, cache)
	n.await(69, slot, cache)
	n.came(slot)
	want("it came for two", true)
	n.starve(5)
	want("no room", false)
	n.starve(5)
	n.tellStarved()
	want("those without room ask again", false, 5)

	cache.Ready(slot)
	n.await(7, slot, cache)
	want("it had come already", false, 7)
	n.await(8, other, cache)
	cache.Failed(other)
	n.await(9, other, cache)
	want("it failed before the second waited", true)
}

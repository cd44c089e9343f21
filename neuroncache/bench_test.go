package neuroncache

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// A layer's lookup as in bamboo-7b: 1,400 active of 14,336 neurons, 95 of 100 resident, in a cache that holds half of 32 layers.
const (
	benchLayers  = 32
	benchNeurons = 14336
	benchActive  = 1400
	benchAbsent  = 70
)

func benchConfig(policy string) Config {
	groups := slices.Repeat([]int{benchNeurons}, benchLayers)
	return Config{Bytes: benchLayers * benchNeurons / 2 * PageBytes, SlotBytes: PageBytes, ClusterSlots: 256, Groups: groups, Policy: policy, NoMemory: true}
}

// filled returns a full cache and, for each layer, resident units in rising order.
func filled(b *testing.B, policy string) (*Cache, [][]int32) {
	b.Helper()
	c, err := New(benchConfig(policy))
	if err != nil {
		b.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	resident := make([][]int32, benchLayers)
	found := make([]Found, benchNeurons)
	for layer := range resident {
		units := random.Perm(benchNeurons)[:benchNeurons/2]
		for _, u := range units {
			resident[layer] = append(resident[layer], int32(u))
		}
		// They come in a random order, so that neighbours in memory are not neighbours in the cache.
		batch := c.Begin(1)
		c.Lookup(batch, layer, resident[layer], found)
		for _, f := range found[:len(units)] {
			c.Ready(f.Slot)
		}
		c.End(batch)
		slices.Sort(resident[layer])
	}
	return c, resident
}

// BenchmarkLookup is one layer of a token: nine tenths of what the layer's last token used, the rest new ones; 70 absent ones are claimed
// for as many evicted. ns/op is for 1,400 units.
func BenchmarkLookup(b *testing.B) {
	for _, policy := range Policies() {
		b.Run(policy, func(b *testing.B) {
			c, resident := filled(b, policy)
			random := rand.New(rand.NewPCG(3, 4))
			const tokens = 8
			var active [tokens][benchLayers][]int32
			for t := range tokens {
				for layer := range benchLayers {
					active[t][layer] = benchUnits(random, resident[layer])
				}
			}
			found := make([]Found, benchActive)
			b.ReportAllocs()
			claimed := 0
			for i := 0; b.Loop(); i++ {
				layer := i % benchLayers
				batch := c.Begin(1)
				n := c.Lookup(batch, layer, active[i/benchLayers%tokens][layer], found)
				claimed += n.Claimed
				if n.Claimed > 0 {
					b.StopTimer()
					for _, f := range found {
						if f.State == Claimed {
							c.Ready(f.Slot)
						}
					}
					b.StartTimer()
				}
				c.End(batch)
			}
			b.ReportMetric(float64(claimed)/float64(b.N), "absent/op")
		})
	}
}

func benchUnits(random *rand.Rand, resident []int32) []int32 {
	set := map[int32]bool{}
	for len(set) < benchActive-benchAbsent {
		x := random.Float64()
		set[resident[int(x*x*float64(len(resident)))]] = true
	}
	for len(set) < benchActive {
		set[int32(random.IntN(benchNeurons))] = true
	}
	var units []int32
	for u := range set {
		units = append(units, u)
	}
	slices.Sort(units)
	return units
}

// BenchmarkResident is a lookup of 1,400 units that are all there.
func BenchmarkResident(b *testing.B) {
	for _, policy := range Policies() {
		b.Run(policy, func(b *testing.B) {
			c, resident := filled(b, policy)
			random := rand.New(rand.NewPCG(3, 4))
			active := make([][]int32, benchLayers)
			for layer := range active {
				units := slices.Clone(resident[layer])
				random.Shuffle(len(units), func(i, j int) { units[i], units[j] = units[j], units[i] })
				active[layer] = units[:benchActive]
				slices.Sort(active[layer])
			}
			found := make([]Found, benchActive)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				batch := c.Begin(1)
				c.Lookup(batch, i%benchLayers, active[i%benchLayers], found)
				c.End(batch)
			}
		})
	}
}

// BenchmarkAdmit evicts a unit and admits another, in a full cache. ns/op is for one unit, in batches of 64.
func BenchmarkAdmit(b *testing.B) {
	for _, policy := range Policies() {
		b.Run(policy, func(b *testing.B) {
			c, resident := filled(b, policy)
			const n = 64
			var absent [benchLayers][]int32
			for layer := range absent {
				for u := range int32(benchNeurons) {
					if _, there := slices.BinarySearch(resident[layer], u); !there {
						absent[layer] = append(absent[layer], u)
					}
				}
			}
			found := make([]Found, n)
			b.ReportAllocs()
			b.ResetTimer()
			for i := 0; i < b.N; i += n {
				k := i / n
				units := absent[k%benchLayers]
				at := k / benchLayers * n % (len(units) - n)
				batch := c.Begin(1)
				c.Lookup(batch, k%benchLayers, units[at:at+n], found)
				for _, f := range found {
					if f.State == Claimed {
						c.Ready(f.Slot)
					}
				}
				c.End(batch)
			}
		})
	}
}

package neuroncache

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
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
	sorted := make([][]int32, benchLayers)
	found := make([]Found, benchNeurons)
	for layer := range sorted {
		// They come in a random order, so that neighbours in memory are not neighbours in the cache.
		resident, _ := benchSplit(layer)
		batch := c.Begin(1)
		c.Lookup(batch, layer, resident, found)
		for _, f := range found[:len(resident)] {
			c.Ready(f.Slot)
		}
		c.End(batch)
		slices.Sort(resident)
		sorted[layer] = resident
	}
	return c, sorted
}

// BenchmarkLookup is one layer of a token: 1,330 units of those that fill the cache, often active ones more likely, and 70 that were not used
// for a hundred tokens, claimed for as many evicted. ns/op is for 1,400 units, without the reads.
func BenchmarkLookup(b *testing.B) {
	active := benchTokens()
	for _, policy := range Policies() {
		b.Run(policy, func(b *testing.B) {
			c, _ := filled(b, policy)
			found := make([]Found, benchActive)
			var calls []time.Duration
			b.ReportAllocs()
			b.ResetTimer()
			claimed := 0
			for i := range b.N {
				units := active[i%len(active)]
				began := time.Now()
				batch := c.Begin(1)
				n := c.Lookup(batch, i%benchLayers, units, found)
				c.End(batch)
				calls = append(calls, time.Since(began))
				claimed += n.Claimed
				for _, f := range found {
					if f.State == Claimed {
						c.Ready(f.Slot)
					}
				}
			}
			b.ReportMetric(float64(claimed)/float64(b.N), "absent/op")
			reportMedian(b, calls)
		})
	}
}

// reportMedian adds the median of a call's times: on a busy machine the mean is that of the others' work.
func reportMedian(b *testing.B, calls []time.Duration) {
	slices.Sort(calls)
	b.ReportMetric(float64(calls[len(calls)/2]), "median-ns")
	b.ReportMetric(float64(calls[len(calls)/20]), "p5-ns")
}

// benchTokens is what a hundred tokens use, layer by layer.
func benchTokens() (active [][]int32) {
	random := rand.New(rand.NewPCG(3, 4))
	for token := range benchNeurons / 2 / benchAbsent {
		for layer := range benchLayers {
			resident, absent := benchSplit(layer)
			used := make([]bool, benchNeurons)
			for n := 0; n < benchActive-benchAbsent; {
				x := random.Float64()
				if u := resident[int(x*x*float64(len(resident)))]; !used[u] {
					used[u] = true
					n++
				}
			}
			for _, u := range absent[token*benchAbsent:][:benchAbsent] {
				used[u] = true
			}
			units := make([]int32, 0, benchActive)
			for u, yes := range used {
				if yes {
					units = append(units, int32(u))
				}
			}
			active = append(active, units)
		}
	}
	return active
}

// benchSplit chooses which half of a layer's units fills the cache at first.
func benchSplit(layer int) (resident, absent []int32) {
	units := make([]int32, benchNeurons)
	for i, u := range rand.New(rand.NewPCG(1, uint64(layer))).Perm(benchNeurons) {
		units[i] = int32(u)
	}
	return units[:benchNeurons/2], units[benchNeurons/2:]
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
			var calls []time.Duration
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				began := time.Now()
				batch := c.Begin(1)
				c.Lookup(batch, i%benchLayers, active[i%benchLayers], found)
				c.End(batch)
				calls = append(calls, time.Since(began))
			}
			reportMedian(b, calls)
		})
	}
}

// BenchmarkAdmit evicts a unit and admits another, in a full cache. ns/op is for one unit, in batches of 64.
func BenchmarkAdmit(b *testing.B) {
	for _, policy := range Policies() {
		b.Run(policy, func(b *testing.B) {
			c, _ := filled(b, policy)
			const n = 64
			var absent [benchLayers][]int32
			for layer := range absent {
				_, absent[layer] = benchSplit(layer)
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

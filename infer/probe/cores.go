package probe

import (
	"cmp"
	"slices"
	"time"

	"hotcell/infer/workers"
)

// Core is a CPU that the process may use.
type Core struct {
	CPU      int     `json:"cpu"`                      // the kernel's number
	Capacity int     `json:"capacity,omitempty"`       // the kernel's measure of speed, or the highest clock in kHz
	Sibling  bool    `json:"sibling,omitempty"`        // a second hardware thread of a core that stands earlier
	Int8Rate float64 `json:"int8_ops_per_s,omitempty"` // measured, alone
	Cluster  int     `json:"cluster"`                  // index into the clusters
}

// Cluster is cores that are alike.
type Cluster struct {
	CPUs     []int   `json:"cpus"`
	Int8Rate float64 `json:"int8_ops_per_s,omitempty"` // of the median core
	Speed    float64 `json:"speed,omitempty"`          // against the fastest cluster, at most 1
}

// coreTime is how long a core is timed, and coreRuns how many times: the best counts, because others can only slow a core down.
const (
	coreTime = 5 * time.Millisecond
	coreRuns = 8
)

// Cores times each core, the fastest first. It takes about 40 ms a core.
func Cores() []Core {
	var cores []Core
	for _, c := range workers.Cores() {
		cores = append(cores, Core{CPU: c.CPU, Capacity: c.Capacity, Sibling: c.Sibling, Int8Rate: timeCore(c.CPU)})
	}
	return cores
}

func timeCore(cpu int) (best float64) {
	p := workers.New(1, workers.Options{Pin: true, CPUs: []int{cpu}})
	defer p.Close()
	defer p.Bind()()
	for range coreRuns {
		best = max(best, Int8Rate(p, coreTime))
	}
	return best
}

// alike is how far below the fastest core of its cluster a core may be, where the kernel does not tell which are of one kind.
const alike = 0.75

// Clusters puts cores that are alike together, fastest first, and notes each core's cluster in cores. The kernel's measure decides what is
// alike; where there is none, the time that each took does.
func Clusters(cores []Core) []Cluster {
	order := make([]*Core, len(cores))
	for i := range cores {
		order[i] = &cores[i]
	}
	slices.SortStableFunc(order, func(a, b *Core) int {
		return cmp.Or(cmp.Compare(b.Capacity, a.Capacity), compareRate(a, b))
	})
	var clusters []Cluster
	var rates [][]float64
	for i, c := range order {
		if i == 0 || c.Capacity != order[i-1].Capacity || c.Capacity == 0 && c.Int8Rate < alike*rates[len(rates)-1][0] {
			clusters, rates = append(clusters, Cluster{}), append(rates, nil)
		}
		last := len(clusters) - 1
		c.Cluster = last
		clusters[last].CPUs = append(clusters[last].CPUs, c.CPU)
		rates[last] = append(rates[last], c.Int8Rate)
	}
	fastest := 0.0
	for i := range clusters {
		slices.Sort(rates[i])
		slices.Sort(clusters[i].CPUs)
		clusters[i].Int8Rate = rates[i][len(rates[i])/2]
		fastest = max(fastest, clusters[i].Int8Rate)
	}
	for i := range clusters {
		if fastest > 0 {
			clusters[i].Speed = clusters[i].Int8Rate / fastest
		}
	}
	return clusters
}

func compareRate(a, b *Core) int {
	if a.Capacity == 0 {
		return cmp.Compare(b.Int8Rate, a.Int8Rate)
	}
	return 0
}

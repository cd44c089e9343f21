package panels

import (
	"time"

	"hotcell/infer"
)

// Input is one sample of all that the dashboard shows.
type Input struct {
	At      time.Time      // when it was taken
	Stats   infer.Stats    // of the engine
	Prefill infer.Progress // of the answer in the making; zero when there is none
	TTFT    time.Duration  // from sending to the first text of the newest answer; 0: not known yet

	Process     Process     // filled by [Sensors.Update]
	Thermal     Thermal     // filled by [Sensors.Update]
	Clusters    []Cluster   // the fastest first; empty: the workers are shown as one group
	Accelerator Accelerator // what computes prefill
	Plan        *Plan       // nil: there is none
}

// Reading is a measured number that may not be known.
type Reading struct {
	Value float64
	OK    bool
}

// Known makes a reading of a number, or of the pair that the methods of infer.Stats return.
func Known(value float64, ok bool) Reading { return Reading{value, ok} }

// Process is what the kernel says of our own memory, all in bytes.
type Process struct {
	Anon Reading // RssAnon: memory that only swap could take
	File Reading // RssFile: mapped files, which the kernel may drop
	Swap Reading // VmSwap: ours, but no longer in memory
}

// Thermal is what the system tells about heat.
type Thermal struct {
	Celsius Reading // of the hottest sensor that counts
	Zone    string  // that sensor's name
	Cap     Reading // the lowest scaling_max_freq / cpuinfo_max_freq of the cores, 0 to 1
}

// Cluster is cores that are alike, and the workers that run on them.
type Cluster struct {
	Name    string  // "P", "M", "E": one letter fits everywhere
	CPUs    []int   // the kernel's numbers
	Workers []int   // indices into infer.Stats.ComputeNs
	GHz     Reading // the clock now; filled by [Sensors.Update] from CPUs
	Cap     Reading // the highest clock that is allowed now against the highest possible, 0 to 1; also filled
}

// Accelerator is what computes the matrix products of prefill besides the CPU.
type Accelerator struct {
	Name   string // "" when there is none and the CPU does it
	Reason string // why there is none; may be empty
}

// Plan is what the planner expects of decode.
type Plan struct {
	Name         string
	TokensPerSec Reading
	HitRate      Reading // 0 to 1
	StallShare   Reading // 0 to 1
}

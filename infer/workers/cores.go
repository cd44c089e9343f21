package workers

import (
	"cmp"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Core is a CPU that this process may use.
type Core struct {
	CPU      int  // the kernel's number
	Capacity int  // relative speed; comparable between the cores of one machine only; 0: unknown
	Sibling  bool // a second hardware thread of a core that stands earlier in the list
}

// Cores lists the CPUs that the process may use, the fastest first, second hardware threads after whole cores
// of the same speed. Where the kernel does not tell speeds, all are equal and the order is that of the numbers.
func Cores() []Core { return readCores("/sys/devices/system/cpu", allowedCPUs()) }

// maxDefaultThreads: decode is bound by memory bandwidth, which a few cores use up.
const maxDefaultThreads = 8

// DefaultThreads is how many workers to use when nobody says: one per performance core, at most 8, at least 1.
func DefaultThreads() int { return min(defaultThreads(Cores()), max(procsAtStart, 1)) }

// defaultThreads leaves out the cores below half of the best one's speed: in a step that is split evenly all
// wait for the slowest. Second hardware threads count only where there are less than four cores.
func defaultThreads(cores []Core) int {
	whole, threads := 0, 0
	for _, c := range cores {
		if 2*c.Capacity < cores[0].Capacity {
			break
		}
		threads++
		if !c.Sibling {
			whole++
		}
	}
	if whole >= 4 {
		threads = whole
	}
	return max(1, min(threads, maxDefaultThreads))
}

// readCores describes cpus from a directory like /sys/devices/system/cpu, of which any file may be missing.
func readCores(sys string, cpus []int) []Core {
	cores := make([]Core, len(cpus))
	for i, cpu := range cpus {
		cores[i].CPU = cpu
	}
	// One measure for all: a capacity and a frequency cannot be compared.
	for _, measure := range []func(dir string) int{capacity, scaledFrequency} {
		known := 0
		for i := range cores {
			cores[i].Capacity = measure(cpuDir(sys, cores[i].CPU))
			if cores[i].Capacity > 0 {
				known++
			}
		}
		if known == len(cores) {
			break
		}
		for i := range cores {
			cores[i].Capacity = 0
		}
	}
	first := map[string]bool{} // lists of siblings of which one was seen
	for i := range cores {
		list := readText(filepath.Join(cpuDir(sys, cores[i].CPU), "topology/thread_siblings_list"))
		cores[i].Sibling = list != "" && first[list]
		first[list] = true
	}
	slices.SortStableFunc(cores, func(a, b Core) int {
		return cmp.Or(cmp.Compare(b.Capacity, a.Capacity), compareBool(a.Sibling, b.Sibling))
	})
	return cores
}

func cpuDir(sys string, cpu int) string { return filepath.Join(sys, "cpu"+strconv.Itoa(cpu)) }

// capacity is the kernel's own measure: work per time at the highest clock, 1024 for the fastest core.
func capacity(dir string) int { return readInt(filepath.Join(dir, "cpu_capacity")) }

// littlePart holds the part numbers of Arm's in-order cores: A53, A35, A55, A510, A520, A320.
var littlePart = map[int64]bool{0xd03: true, 0xd04: true, 0xd05: true, 0xd46: true, 0xd80: true, 0xd8f: true}

// scaledFrequency is the highest clock in kHz. An in-order Arm core does about a third of a large one's work
// per clock, so its clock counts for a third.
func scaledFrequency(dir string) int {
	khz := readInt(filepath.Join(dir, "cpufreq/cpuinfo_max_freq"))
	id, err := strconv.ParseInt(readText(filepath.Join(dir, "regs/identification/midr_el1")), 0, 64)
	const arm = 0x41
	if err == nil && id>>24&0xff == arm && littlePart[id>>4&0xfff] {
		khz /= 3
	}
	return khz
}

func readInt(path string) int {
	n, err := strconv.Atoi(readText(path))
	if err != nil || n < 0 || n > 1<<30 {
		return 0
	}
	return n
}

func readText(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// maskAtStart is the affinity that the process was given, read before anybody pins a thread.
var maskAtStart = mainThreadMask()

func mainThreadMask() (mask unix.CPUSet) {
	_ = unix.SchedGetaffinity(os.Getpid(), &mask)
	return mask
}

// allowedCPUs joins what the process was allowed at its start with what its main thread is allowed now:
// Android widens the mask when an app comes to the front, and a worker may be pinned on the main thread.
func allowedCPUs() []int {
	current := mainThreadMask()
	var cpus []int
	for cpu := range len(current) * 64 {
		if current.IsSet(cpu) || maskAtStart.IsSet(cpu) {
			cpus = append(cpus, cpu)
		}
	}
	if len(cpus) == 0 { // the kernel did not tell
		for cpu := range runtime.NumCPU() {
			cpus = append(cpus, cpu)
		}
	}
	return cpus
}

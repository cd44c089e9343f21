package workers

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// cpuFiles describes one CPU's directory in /sys; an empty field is a file that cannot be read.
type cpuFiles struct{ capacity, maxFreq, midr, siblings string }

func writeSys(t *testing.T, cpus []cpuFiles) (sys string, numbers []int) {
	sys = t.TempDir()
	for i, c := range cpus {
		numbers = append(numbers, i)
		for name, text := range map[string]string{
			"cpu_capacity": c.capacity, "cpufreq/cpuinfo_max_freq": c.maxFreq,
			"regs/identification/midr_el1": c.midr, "topology/thread_siblings_list": c.siblings,
		} {
			if text == "" {
				continue
			}
			path := filepath.Join(sys, "cpu"+strconv.Itoa(i), name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	return sys, numbers
}

func TestCoresAreSortedFastestFirstAndThreadsSkipTheSlow(t *testing.T) {
	repeat := func(n int, c cpuFiles) []cpuFiles { return slices.Repeat([]cpuFiles{c}, n) }
	tests := []struct {
		name    string
		cpus    []cpuFiles
		order   []int
		threads int
	}{
		{
			"a phone with little, big and prime cores uses big and prime",
			slices.Concat(repeat(3, cpuFiles{capacity: "325"}), repeat(4, cpuFiles{capacity: "870"}), repeat(1, cpuFiles{capacity: "1024"})),
			[]int{7, 3, 4, 5, 6, 0, 1, 2}, 5,
		}, {
			"a phone with large cores only uses all",
			slices.Concat(repeat(6, cpuFiles{capacity: "790"}), repeat(2, cpuFiles{capacity: "1024"})),
			[]int{6, 7, 0, 1, 2, 3, 4, 5}, 8,
		}, {
			"without capacities the clock decides, and an in-order core's clock counts for less",
			slices.Concat(repeat(4, cpuFiles{maxFreq: "2016000", midr: "0x00000000411fd050"}),
				repeat(3, cpuFiles{maxFreq: "2419000", midr: "0x00000000411fd410"}), repeat(1, cpuFiles{maxFreq: "2841000", midr: "0x00000000411fd440"})),
			[]int{7, 4, 5, 6, 0, 1, 2, 3}, 4,
		}, {
			"a capacity that is missing on one core makes all of them useless",
			[]cpuFiles{{capacity: "1024", maxFreq: "1000"}, {maxFreq: "3000"}},
			[]int{1, 0}, 1,
		}, {
			"where nothing can be read all cores are equal",
			repeat(4, cpuFiles{}),
			[]int{0, 1, 2, 3}, 4,
		}, {
			"nonsense in the files is as good as nothing",
			[]cpuFiles{{capacity: "-5", maxFreq: "fast"}, {capacity: "99999999999999999999"}},
			[]int{0, 1}, 2,
		}, {
			"second hardware threads come last and are not used when there are four cores",
			[]cpuFiles{{siblings: "0-1"}, {siblings: "0-1"}, {siblings: "2-3"}, {siblings: "2-3"},
				{siblings: "4-5"}, {siblings: "4-5"}, {siblings: "6-7"}, {siblings: "6-7"}},
			[]int{0, 2, 4, 6, 1, 3, 5, 7}, 4,
		}, {
			"second hardware threads are used where there are few cores",
			[]cpuFiles{{siblings: "0,2"}, {siblings: "1,3"}, {siblings: "0,2"}, {siblings: "1,3"}},
			[]int{0, 1, 2, 3}, 4,
		}, {
			"a server uses eight",
			repeat(64, cpuFiles{}),
			nil, 8,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cores := readCores(writeSys(t, test.cpus))
			var order []int
			for _, c := range cores {
				order = append(order, c.CPU)
			}
			if test.order != nil && !slices.Equal(order, test.order) {
				t.Errorf("order %v, want %v", order, test.order)
			}
			if got := defaultThreads(cores); got != test.threads {
				t.Errorf("%d threads, want %d", got, test.threads)
			}
		})
	}
}

func TestThisMachineHasCoresAndThreads(t *testing.T) {
	if len(Cores()) == 0 {
		t.Error("no cores")
	}
	if n := DefaultThreads(); n < 1 || n > maxDefaultThreads {
		t.Errorf("%d threads", n)
	}
	if n := defaultThreads(nil); n != 1 {
		t.Errorf("%d threads without cores", n)
	}
}

func TestPinnedWorkersHaveACoreEachAndOthersShareTheirs(t *testing.T) {
	cpus := allowedCPUs()
	masksOf := func(n int, cpus []int) []unix.CPUSet {
		p := New(n, Options{Pin: true, CPUs: cpus})
		defer p.Close()
		defer p.Bind()()
		masks := make([]unix.CPUSet, n)
		p.Run(func(w *Worker) { _ = unix.SchedGetaffinity(0, &masks[w.ID]) })
		return masks
	}
	for id, mask := range masksOf(len(cpus), cpus) {
		if mask.Count() != 1 || !mask.IsSet(cpus[id]) {
			t.Errorf("worker %d may run on %d CPUs, want CPU %d", id, mask.Count(), cpus[id])
		}
	}
	for id, mask := range masksOf(len(cpus)+1, cpus) {
		if mask.Count() != len(cpus) {
			t.Errorf("one worker too many: worker %d may run on %d CPUs of %d", id, mask.Count(), len(cpus))
		}
	}
	for id, mask := range masksOf(3, []int{-7, 1 << 20, 1023}) {
		if mask.Count() == 0 {
			t.Errorf("CPUs that do not exist: worker %d has none", id)
		}
	}
	if got := allowedCPUs(); !slices.Equal(got, cpus) {
		t.Errorf("after pinning the process may use %v, before %v", got, cpus)
	}
}

func TestUnbindGivesTheThreadItsCoresBack(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, after unix.CPUSet
	_ = unix.SchedGetaffinity(0, &before)
	p := New(2, Options{Pin: true})
	defer p.Close()
	p.Bind()()
	_ = unix.SchedGetaffinity(0, &after)
	if before != after {
		t.Errorf("%d CPUs before, %d after", before.Count(), after.Count())
	}
}

package probe

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"hotcell/infer/kernel"
	"hotcell/infer/workers"
)

func TestRatesAreMeasuredWhereTheKernelsHaveLimits(t *testing.T) {
	before := kernel.Active()
	defer func() { _ = kernel.Use(before) }()
	for _, name := range kernel.Names() {
		if err := kernel.Use(name); err != nil {
			t.Fatal(err)
		}
		for _, threads := range []int{1, 3} {
			p := workers.New(threads, workers.Options{})
			for what, rate := range map[string]float64{
				"int8":                  Int8Rate(p, time.Millisecond),
				"float32":               Float32Rate(p, time.Millisecond),
				"reading":               ReadRate(p, make([]byte, 3*readPiece+5), time.Millisecond),
				"reading a small piece": ReadRate(p, make([]byte, 100), time.Millisecond),
			} {
				if (rate > 0) != kernel.HasLimits() {
					t.Errorf("%s, %d threads, %s: %g", name, threads, what, rate)
				}
			}
			if rate := ReadRate(p, nil, time.Millisecond); rate != 0 {
				t.Errorf("reading nothing: %g", rate)
			}
			p.Close()
		}
	}
}

func TestEveryCoreIsTimedAndBelongsToACluster(t *testing.T) {
	cores := Cores()
	clusters := Clusters(cores)
	n := 0
	for _, c := range clusters {
		n += len(c.CPUs)
	}
	if len(cores) != len(workers.Cores()) || n != len(cores) {
		t.Errorf("%d cores, %d in clusters: %+v %+v", len(cores), n, cores, clusters)
	}
}

func TestClusters(t *testing.T) {
	for _, test := range []struct {
		name  string
		cores []Core
		want  []Cluster
	}{
		{"the kernel's measure decides", []Core{
			{CPU: 7, Capacity: 1024, Int8Rate: 100}, {CPU: 4, Capacity: 900, Int8Rate: 70}, {CPU: 5, Capacity: 900, Int8Rate: 30}, {CPU: 6, Capacity: 900, Int8Rate: 80},
			{CPU: 1, Capacity: 300, Int8Rate: 20}, {CPU: 0, Capacity: 300, Int8Rate: 20},
		}, []Cluster{{[]int{7}, 100, 1}, {[]int{4, 5, 6}, 70, 0.7}, {[]int{0, 1}, 20, 0.2}}},
		{"a cluster at a lower clock may be the faster one", []Core{{CPU: 0, Capacity: 900, Int8Rate: 50}, {CPU: 1, Capacity: 800, Int8Rate: 100}},
			[]Cluster{{[]int{0}, 50, 0.5}, {[]int{1}, 100, 1}}},
		{"without it what was measured does", []Core{{CPU: 0, Int8Rate: 50}, {CPU: 1, Int8Rate: 100}, {CPU: 2, Int8Rate: 80}, {CPU: 3, Int8Rate: 45}},
			[]Cluster{{[]int{1, 2}, 100, 1}, {[]int{0, 3}, 50, 0.5}}},
		{"without either all are one", []Core{{CPU: 0}, {CPU: 1}}, []Cluster{{[]int{0, 1}, 0, 0}}},
		{"no cores", nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Clusters(test.cores); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
			for _, c := range test.cores {
				if !slices.Contains(test.want[c.Cluster].CPUs, c.CPU) {
					t.Errorf("CPU %d is said to be in cluster %d", c.CPU, c.Cluster)
				}
			}
		})
	}
}

func TestBandwidthIsMeasuredUpToAllCores(t *testing.T) {
	for cores, want := range map[int][]int{1: {1}, 2: {1, 2}, 6: {1, 2, 4, 6}, 8: {1, 2, 4, 8}} {
		if got := threadCounts(cores); !slices.Equal(got, want) {
			t.Errorf("%d cores: %v, want %v", cores, got, want)
		}
	}
	var asked []int
	list, err := Bandwidths(1<<20, func(n int) { asked = append(asked, n) })
	if err != nil || len(list) != len(asked) || len(list) == 0 || (list[0].BytesPerSec > 0) != kernel.HasLimits() {
		t.Errorf("%+v for %v: %v", list, asked, err)
	}
}

func TestTheBufferIsFarLargerThanTheCacheButNotThanMemory(t *testing.T) {
	for _, test := range []struct {
		available, cache int64
		want             int
	}{
		{16 << 30, 0, 256 << 20}, {16 << 30, 96 << 20, 768 << 20}, {1 << 30, 96 << 20, 128 << 20}, {0, 0, 256 << 20}, {1 << 20, 0, 16 << 20},
	} {
		if got := BufferSize(test.available, test.cache); got != test.want {
			t.Errorf("%d available, cache of %d: %d, want %d", test.available, test.cache, got, test.want)
		}
	}
}

// phone is what an app sees on a phone with 1+3+4 cores.
var phone = map[string]string{
	"proc/cpuinfo": strings.Repeat("processor\t: N\nCPU implementer\t: 0x41\nCPU part\t: 0xd46\n\n", 3) +
		"processor\t: 7\nCPU implementer\t: 0x41\nCPU part\t: 0xd4e\n\nprocessor\t: 8\nCPU implementer\t: 0x61\nCPU part\t: 0x22\n\nHardware\t: Qualcomm\n",
	"proc/meminfo":                                  "MemTotal:       11534336 kB\nMemFree: 1 kB\nSwapTotal: 4194304 kB\n",
	"proc/self/status":                              "Name:\thotcell\nCpus_allowed:\tff\nCpus_allowed_list:\t0-7\n",
	"proc/self/cgroup":                              "5:schedtune:/top-app\n4:cpuset:/top-app\n0::/uid_10\n",
	"sys/devices/system/cpu/present":                "0-7\n",
	"sys/kernel/mm/transparent_hugepage/enabled":    "always [madvise] never\n",
	"sys/devices/system/cpu/cpu0/cache/index0/size": "64K\n",
	"sys/devices/system/cpu/cpu0/cache/index3/size": "8M\n",
	"sys/fs/cgroup/cpu.max":                         "150000 100000\n",
	"sys/fs/cgroup/memory.max":                      "max\n",
}

func TestASystemIsDescribedByItsFiles(t *testing.T) {
	dir := t.TempDir()
	files := maps.Clone(phone)
	for i := range 3 {
		files["proc/cpuinfo"] = strings.Replace(files["proc/cpuinfo"], ": N", ": "+string(rune('0'+i)), 1)
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got := root(dir).describe()
	got.OS, got.Arch, got.Features = "", "", nil
	want := System{
		CPUs:   []string{"Cortex-A510 0-2", "Cortex-X3 7", "CPU of maker 0x61, part 0x22 8"},
		Memory: 11 << 30, Swap: 4 << 30, Cache: 8 << 20, HugePages: "madvise",
		Limits: Limits{CPUSet: "0-7", Group: "/top-app", Present: "0-7", GroupCPU: 1.5},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestASystemThatTellsNothingIsDescribedToo(t *testing.T) {
	got := root(t.TempDir()).describe()
	got.OS, got.Arch, got.Features = "", "", nil
	if want := (System{CPUs: []string{}}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	if s := Describe(); s.OS == "" || s.Arch == "" || s.Where == "" || s.Kernel == "" {
		t.Errorf("this machine: %+v", s)
	}
}

func TestWhereTheProgramRuns(t *testing.T) {
	for _, test := range []struct {
		want, goos string
		env        map[string]string
		uid        int
		file       string
	}{
		{"Termux", "android", map[string]string{"TERMUX_VERSION": "0.118"}, 10200, ""},
		{"Termux", "linux", map[string]string{"PREFIX": "/data/data/com.termux/files/usr"}, 10200, ""},
		{"adb shell", "android", nil, 2000, ""},
		{"Android as root", "android", nil, 0, ""},
		{"an Android app", "android", nil, 10123, ""},
		{"Linux inside Android (proot or chroot)", "linux", nil, 0, "/system/bin/app_process64"},
		{"plain Linux", "linux", nil, 2000, ""},
	} {
		got := where(test.goos, func(k string) string { return test.env[k] }, test.uid, func(path string) bool { return path == test.file })
		if got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

func TestSizesAreRead(t *testing.T) {
	for text, want := range map[string]int64{
		"12 kB": 12 << 10, "32K": 32 << 10, "8M": 8 << 20, "1G": 1 << 30, "77": 77, "max": 0, "": 0, "-5": 0, "9999999999G": 0,
	} {
		if got := size(text); got != want {
			t.Errorf("%q is %d, want %d", text, got, want)
		}
	}
}

func TestRangesAreWrittenAsTheKernelDoes(t *testing.T) {
	for want, n := range map[string][]int{"": nil, "3": {3}, "0-3,6": {0, 1, 2, 3, 6}, "0,2,4-5": {0, 2, 4, 5}} {
		if got := Ranges(n); got != want {
			t.Errorf("%v: %q, want %q", n, got, want)
		}
	}
}

package probe

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// System is what the kernel tells of the machine and of what this process may have.
type System struct {
	OS        string   `json:"os"` // linux or android
	Arch      string   `json:"arch"`
	Kernel    string   `json:"kernel,omitempty"` // release
	Where     string   `json:"where"`            // "Termux", "adb shell", "plain Linux", ...
	CPUs      []string `json:"cpus"`             // kinds of cores with their numbers: "Cortex-A76 4-7"
	Features  []string `json:"features"`         // of the CPU, that the kernels of this program look at
	Memory    int64    `json:"memory_bytes,omitempty"`
	Swap      int64    `json:"swap_bytes,omitempty"`
	Cache     int64    `json:"cache_bytes,omitempty"` // the last level of one CPU
	HugePages string   `json:"huge_pages,omitempty"`  // always, madvise or never
	Limits    Limits   `json:"limits"`
}

// Limits are what the process may have at most. Sizes are bytes; 0 is not known and -1 no limit.
type Limits struct {
	Memlock      int64   `json:"memlock_bytes"`                // memory that may be locked
	AddressSpace int64   `json:"address_space_bytes"`          // all memory that may be mapped
	CPUSet       string  `json:"cpuset,omitempty"`             // CPUs that may be used, such as 0-3,6
	Group        string  `json:"cpuset_group,omitempty"`       // Android's name for it: /top-app, /background, ...
	Present      string  `json:"cpus_present,omitempty"`       // all CPUs of the machine
	GroupMemory  int64   `json:"group_memory_bytes,omitempty"` // of the control group
	GroupCPU     float64 `json:"group_cpu,omitempty"`          // CPUs' worth of time that the control group may use
}

// root is where files of the system are looked for: "/", but in tests.
type root string

// text is a file's content without white space around it, "" where there is none or it is forbidden.
func (r root) text(path string) string {
	b, err := os.ReadFile(filepath.Join(string(r), path))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// field is what stands behind "name:" at the start of a line.
func field(text, name string) string {
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// Describe reads all of it.
func Describe() System {
	s := root("/").describe()
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		s.Kernel = unix.ByteSliceToString(u.Release[:])
	}
	s.Limits.Memlock, s.Limits.AddressSpace = rlimit(unix.RLIMIT_MEMLOCK), rlimit(unix.RLIMIT_AS)
	s.Where = where(runtime.GOOS, os.Getenv, os.Getuid(), exists)
	return s
}

func (r root) describe() System {
	cpuinfo, meminfo, status := r.text("proc/cpuinfo"), r.text("proc/meminfo"), r.text("proc/self/status")
	return System{
		OS: runtime.GOOS, Arch: runtime.GOARCH,
		CPUs:      cpuKinds(cpuinfo),
		Features:  features(),
		Memory:    size(field(meminfo, "MemTotal")),
		Swap:      size(field(meminfo, "SwapTotal")),
		Cache:     r.cache(),
		HugePages: chosen(r.text("sys/kernel/mm/transparent_hugepage/enabled")),
		Limits: Limits{
			CPUSet:      field(status, "Cpus_allowed_list"),
			Group:       cpusetGroup(r.text("proc/self/cgroup")),
			Present:     r.text("sys/devices/system/cpu/present"),
			GroupMemory: size(r.text("sys/fs/cgroup/memory.max")),
			GroupCPU:    quota(r.text("sys/fs/cgroup/cpu.max")),
		},
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// where tells on what kind of system the program was started.
func where(goos string, env func(string) string, uid int, exists func(string) bool) string {
	const shellUser = 2000 // Android's number for who comes in by adb
	switch {
	case env("TERMUX_VERSION") != "" || strings.Contains(env("PREFIX"), "com.termux"):
		return "Termux"
	case goos == "android" && uid == shellUser:
		return "adb shell"
	case goos == "android" && uid == 0:
		return "Android as root"
	case goos == "android":
		return "an Android app"
	case exists("/system/bin/app_process64") || exists("/system/bin/app_process"):
		return "Linux inside Android (proot or chroot)"
	}
	return "plain Linux"
}

// rlimit is a soft limit, -1 for none.
func rlimit(resource int) int64 {
	var l unix.Rlimit
	if unix.Getrlimit(resource, &l) != nil {
		return 0
	}
	if l.Cur > 1<<62 { // RLIM_INFINITY
		return -1
	}
	return int64(l.Cur)
}

// size reads "1234 kB", "32K", "8M" or "1234".
func size(text string) int64 {
	text = strings.TrimSpace(text)
	for _, unit := range []struct {
		suffix string
		bytes  int64
	}{{" kB", 1 << 10}, {"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}, {"", 1}} {
		if number, ok := strings.CutSuffix(text, unit.suffix); ok {
			n, err := strconv.ParseInt(number, 10, 64)
			if err != nil || n < 0 || n > (1<<62)/unit.bytes {
				return 0
			}
			return n * unit.bytes
		}
	}
	return 0
}

// chosen is the word in brackets of "always [madvise] never".
func chosen(text string) string {
	_, rest, _ := strings.Cut(text, "[")
	word, _, ok := strings.Cut(rest, "]")
	if !ok {
		return ""
	}
	return word
}

// quota reads "150000 100000", time in a period, as CPUs; "max ..." is no limit.
func quota(text string) float64 {
	fields := strings.Fields(text)
	if len(fields) != 2 {
		return 0
	}
	time, err1 := strconv.ParseFloat(fields[0], 64)
	period, err2 := strconv.ParseFloat(fields[1], 64)
	if err1 != nil || err2 != nil || period <= 0 {
		return 0
	}
	return time / period
}

// cpusetGroup finds "3:cpuset:/background" in a list of control groups.
func cpusetGroup(text string) string {
	for line := range strings.Lines(text) {
		if part := strings.SplitN(strings.TrimSpace(line), ":", 3); len(part) == 3 && slices.Contains(strings.Split(part[1], ","), "cpuset") {
			return part[2]
		}
	}
	return ""
}

// cache is the size of the largest cache that the first CPU tells of.
func (r root) cache() (largest int64) {
	for i := range 8 {
		largest = max(largest, size(r.text(fmt.Sprintf("sys/devices/system/cpu/cpu0/cache/index%d/size", i))))
	}
	return largest
}

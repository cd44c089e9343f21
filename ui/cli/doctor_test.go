package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"hotcell/infer/probe"
	"hotcell/iosched"
)

// aPhone is what doctor could find.
func aPhone() diagnosis {
	p := iosched.Profile{Folder: "/data/data/com.termux/files/home/.local/share/hotcell", FileSystem: "f2fs", Direct: true, MemoryAlign: 4096, OffsetAlign: 4096, FileBytes: 1 << 30, WriteRate: 8e8}
	for i, pattern := range iosched.Patterns() {
		p.Reads = append(p.Reads, iosched.Throughput{Pattern: pattern, BytesPerSec: float64(i+1) * 1e8, PerSec: 1000})
	}
	return diagnosis{
		System: probe.System{
			OS: "android", Arch: "arm64", Kernel: "5.15.94-android13-8-00001-gabcdef", Where: "Termux",
			CPUs: []string{"Cortex-A510 0-2", "Cortex-A715 3-4", "Cortex-A710 5-6", "Cortex-X3 7"}, Features: []string{"asimd", "dotprod", "i8mm"},
			Memory: 11 << 30, Swap: 4 << 30, HugePages: "never",
			Limits: probe.Limits{Memlock: 64 << 10, AddressSpace: -1, CPUSet: "0-7", Present: "0-7", Group: "/top-app", GroupCPU: 1.5, GroupMemory: 1 << 30},
		},
		Available: 5 << 30, Kernels: "dotprod", Variants: []string{"dotprod", "neon", "go"}, Accelerators: "none: this build runs on the CPU only",
		Cores:      []probe.Core{{CPU: 0, Capacity: 300, Int8Rate: 2e10, Cluster: 1}, {CPU: 7, Capacity: 1024, Int8Rate: 1e11}},
		Clusters:   []probe.Cluster{{CPUs: []int{7}, Int8Rate: 1e11, Speed: 1}, {CPUs: []int{0}, Int8Rate: 2e10, Speed: 0.2}},
		Bandwidths: []probe.Bandwidth{{Threads: 1, BytesPerSec: 2.1e10}, {Threads: 2, BytesPerSec: 3.3e10}},
		Storage:    &p,
	}
}

func TestDoctorFitsATermuxScreen(t *testing.T) {
	var out bytes.Buffer
	d := aPhone()
	s := &sheet{out: &out, width: 46}
	if d.print(s); s.err != nil {
		t.Fatal(s.err)
	}
	const want = `system      Termux, android/arm64, kernel
            5.15.94-android13-8-00001-gabcdef
CPU         Cortex-A510 0-2, Cortex-A715 3-4,
            Cortex-A710 5-6, Cortex-X3 7
features    asimd dotprod i8mm
kernels     dotprod, best of dotprod, neon, go
accelerator none: this build runs on the CPU
            only

cores                  int8 GOP/s     speed
7                           100.0     100 %
0                            20.0      20 %
`
	if !strings.HasPrefix(out.String(), want) {
		t.Errorf("got\n%s", out.String())
	}
	for _, line := range strings.Split(out.String(), "\n") {
		if w := ansi.StringWidth(line); w > 46 {
			t.Errorf("%d columns: %s", w, line)
		}
	}
	for _, part := range []string{
		"random 4 KiB           100      200      300\n", "in order 4 MiB        1300     1400        –\n",
		"memlock     64.0 KiB of memory may be locked\n", "cpuset      CPUs 0-7, of 0-7, group top-app\n", "cgroup      the time of 1.5 CPUs\n",
		"huge pages  never: ", "2                            33.0\n",
	} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("%q is missing in\n%s", part, out.String())
		}
	}
}

func TestDoctorTellsWhatIsNotKnown(t *testing.T) {
	var out bytes.Buffer
	d := diagnosis{NoStorage: "/x: no such file or directory", Clusters: []probe.Cluster{{CPUs: []int{0}}}, Bandwidths: []probe.Bandwidth{{Threads: 1}}}
	s := &sheet{out: &out, width: 46}
	d.print(s)
	for _, part := range []string{"storage     /x: no such", "0                               –         –\n", "1                               –\n", "huge pages  not known"} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("%q is missing in\n%s", part, out.String())
		}
	}
}

func TestDoctorsFindingsSurviveJSON(t *testing.T) {
	var out bytes.Buffer
	if err := writeJSON(&out, aPhone()); err != nil {
		t.Fatal(err)
	}
	var back diagnosis
	if err := json.Unmarshal(out.Bytes(), &back); err != nil || back.Storage.Reads[3].Depth != 1 || back.Storage.Reads[3].Request != 24<<10 || back.System.Limits.Group != "/top-app" {
		t.Errorf("%v\n%s", err, out.String())
	}
}

func TestDoctorExaminesThisMachine(t *testing.T) {
	if os.Getenv("HOTCELL_HEAVY") == "" {
		t.Skip("takes some seconds; set HOTCELL_HEAVY=1")
	}
	dir := t.TempDir()
	out, errOut, status := command(t, "doctor", "--json", "--dir", dir)
	var d diagnosis
	if err := json.Unmarshal([]byte(out), &d); err != nil || status != 0 || errOut != "" {
		t.Fatalf("status %d, %v, %s\n%s", status, err, errOut, out)
	}
	if len(d.Cores) == 0 || len(d.Clusters) == 0 || len(d.Bandwidths) == 0 || d.Storage == nil || d.Storage.Folder != dir {
		t.Errorf("%s", out)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

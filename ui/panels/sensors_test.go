package panels

import (
	"fmt"
	"io/fs"
	"testing"
	"testing/fstest"
	"time"
)

// tree is a file system of short files.
func tree(files map[string]string) fstest.MapFS {
	m := fstest.MapFS{}
	for name, text := range files {
		m[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return m
}

func zoneFiles(zones ...[2]string) map[string]string {
	files := map[string]string{}
	for i, z := range zones {
		dir := fmt.Sprintf("%s/thermal_zone%d/", zonesDir, i)
		files[dir+"type"], files[dir+"temp"] = z[0]+"\n", z[1]+"\n"
	}
	return files
}

func TestTemperatureIsTheHottestSensorOfTheProcessor(t *testing.T) {
	for _, test := range []struct {
		name  string
		files map[string]string
		want  float64
		zone  string
	}{
		{"a phone", zoneFiles([2]string{"battery", "31000"}, [2]string{"cpu-0-0-usr", "52300"}, [2]string{"cpu-1-0-usr", "61000"},
			[2]string{"pmic", "99000"}), 61, "cpu-1-0-usr"},
		{"a PC", zoneFiles([2]string{"acpitz", "27800"}, [2]string{"x86_pkg_temp", "45000"}), 45, "x86_pkg_temp"},
		{"no sensor with a known name", zoneFiles([2]string{"acpitz", "27800"}, [2]string{"quiet-therm", "33000"}), 33, "quiet-therm"},
		{"degrees instead of thousandths", zoneFiles([2]string{"cpu", "48"}), 48, "cpu"},
		{"sensors that are off", zoneFiles([2]string{"cpu0", "-274000"}, [2]string{"cpu1", "0"}, [2]string{"cpu2", "3000000"}), none, ""},
		{"files that are no numbers", zoneFiles([2]string{"cpu0", "hot"}, [2]string{"cpu1", ""}), none, ""},
		{"no thermal directory", nil, none, ""},
	} {
		var in Input
		NewSensors(tree(test.files)).Update(start, &in)
		expect(t, test.name, in.Thermal.Celsius, test.want)
		if in.Thermal.Zone != test.zone {
			t.Errorf("%s: zone %q, want %q", test.name, in.Thermal.Zone, test.zone)
		}
	}
}

func cpuFile(cpu int, name string) string {
	return fmt.Sprintf("%s/cpu%d/cpufreq/%s", cpusDir, cpu, name)
}

func TestClocksAreOfAClusterAndTheCapOfTheWorstCore(t *testing.T) {
	files := map[string]string{cpusDir + "/cpufreq/boost": "1", cpusDir + "/cpuidle/x": "1"}
	for cpu, f := range [][3]string{{"1000000", "2000000", "2000000"}, {"1400000", "2000000", "2000000"}, {"2500000", "2700000", "3000000"}} {
		files[cpuFile(cpu, "scaling_cur_freq")], files[cpuFile(cpu, "scaling_max_freq")], files[cpuFile(cpu, "cpuinfo_max_freq")] = f[0]+"\n", f[1]+"\n", f[2]+"\n"
	}
	files[cpuFile(3, "cpuinfo_max_freq")] = "0"
	in := Input{Clusters: []Cluster{{Name: "P", CPUs: []int{2}}, {Name: "E", CPUs: []int{0, 1}}, {Name: "X", CPUs: []int{3, 77}}}}
	NewSensors(tree(files)).Update(start, &in)
	expect(t, "clock of P", in.Clusters[0].GHz, 2.5)
	expect(t, "cap of P", in.Clusters[0].Cap, 0.9)
	expect(t, "clock of E", in.Clusters[1].GHz, 1.2)
	expect(t, "cap of E", in.Clusters[1].Cap, 1)
	expect(t, "clock of cores that tell nothing", in.Clusters[2].GHz, none)
	expect(t, "cap of cores that tell nothing", in.Clusters[2].Cap, none)
	expect(t, "cap", in.Thermal.Cap, 0.9)
}

func TestClocksAreToldBetweenTwoReadings(t *testing.T) {
	s := NewSensors(tree(map[string]string{cpuFile(0, "scaling_cur_freq"): "1500000"}))
	for _, after := range []time.Duration{0, 300 * time.Millisecond} {
		in := Input{Clusters: []Cluster{{CPUs: []int{0}}}}
		s.Update(start.Add(after), &in)
		expect(t, "clock", in.Clusters[0].GHz, 1.5)
	}
}

func TestProcessMemoryIsReadFromItsStatus(t *testing.T) {
	for _, test := range []struct {
		name, status     string
		anon, file, swap float64
	}{
		{"Linux", "Name:\thotcell\nVmSwap:\t  12 kB\nRssAnon:\t     116 kB\nRssFile:\t    1588 kB\nRssShmem:\t 0 kB\n", 116 << 10, 1588 << 10, 12 << 10},
		{"no swap in use is 0", "RssAnon: 1 kB\nRssFile: 2 kB\nVmSwap:\t0 kB\n", 1024, 2048, 0},
		{"other units and nonsense", "RssAnon: 12 MB\nRssFile: x kB\nVmSwap: -3 kB\nVmSwap\n\n:::", none, none, none},
		{"empty", "", none, none, none},
	} {
		p := process(tree(map[string]string{"proc/self/status": test.status}))
		expect(t, test.name+": anon", p.Anon, test.anon)
		expect(t, test.name+": file", p.File, test.file)
		expect(t, test.name+": swap", p.Swap, test.swap)
	}
	expect(t, "no /proc", process(tree(nil)).Anon, none)
}

// counting counts the files that are opened.
type counting struct {
	fs.FS
	opened int
}

func (c *counting) Open(name string) (fs.File, error) {
	c.opened++
	return c.FS.Open(name)
}

func TestFilesAreReadOnceASecond(t *testing.T) {
	root := &counting{FS: tree(map[string]string{"proc/self/status": "RssAnon: 5 kB\n"})}
	s := NewSensors(root)
	var in Input
	s.Update(start, &in)
	opened := root.opened
	in = Input{}
	s.Update(start.Add(900*time.Millisecond), &in)
	if root.opened != opened {
		t.Errorf("%d files were opened after 0.9 s", root.opened-opened)
	}
	expect(t, "anon in between", in.Process.Anon, 5<<10)
	if s.Update(start.Add(time.Second), &in); root.opened == opened {
		t.Error("nothing was read after a second")
	}
}

func TestThrottlingIsInferredFromDecodeAgainstItsFirstMinute(t *testing.T) {
	var p pace
	tokens, ns := uint64(1000), uint64(5e9)
	run := func(seconds int, perSecond uint64) {
		for range seconds {
			p.add(tokens, ns)
			tokens, ns = tokens+perSecond, ns+1e9
		}
		p.add(tokens, ns)
	}
	run(59, 10)
	expect(t, "before a minute", p.slower(), none)
	run(5, 10)
	expect(t, "before a window after it", p.slower(), none)
	run(30, 10)
	expect(t, "at the same speed", p.slower(), 0)
	run(30, 6)
	expect(t, "slower", p.slower(), 0.4)
	run(30, 12)
	expect(t, "faster", p.slower(), 0)
	p.add(tokens, ns-7e9)
	expect(t, "when time went back", p.slower(), 0)
}

func TestTheWorstSignOfHeatIsTold(t *testing.T) {
	for _, test := range []struct {
		cap, slower Reading
		want        string
	}{
		{Reading{}, Reading{}, "–"},
		{Reading{1, true}, Reading{}, "none"},
		{Reading{0.95, true}, Reading{}, "light"},
		{Reading{1, true}, Reading{0.08, true}, "light"},
		{Reading{0.8, true}, Reading{0, true}, "moderate"},
		{Reading{}, Reading{0.2, true}, "moderate"},
		{Reading{0.8, true}, Reading{0.5, true}, "severe"},
		{Reading{0.5, true}, Reading{}, "severe"},
	} {
		v := &view{slower: test.slower}
		v.in.Thermal.Cap = test.cap
		if got, _ := v.throttling(); got != test.want {
			t.Errorf("cap %+v, slower %+v: %q, want %q", test.cap, test.slower, got, test.want)
		}
	}
}

package panels

import (
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"
)

// Where the kernel tells about heat and clocks. Android denies the zones to apps and shows them to adb; the clocks' files are
// open to both, and the highest clock that is allowed now is the honest sign of throttling.
const (
	zonesDir = "sys/class/thermal"
	cpusDir  = "sys/devices/system/cpu"
)

// zonesMost is how many zones are read: some phones have eighty, and to read one can take a millisecond.
const zonesMost = 16

// cpuZones are words in the names of the sensors on the processor. Where none of them is found every sensor counts.
var cpuZones = []string{"cpu", "soc", "pkg", "tsens", "apc", "core", "big", "little", "k10temp"}

// zones lists the thermal zones that can be read: those on the processor if there are any.
func zones(root fs.FS) []string {
	entries, err := fs.ReadDir(root, zonesDir)
	if err != nil {
		return nil
	}
	var all, cpu []string
	for _, e := range entries {
		dir := path.Join(zonesDir, e.Name())
		if !strings.HasPrefix(e.Name(), "thermal_zone") {
			continue
		}
		if _, ok := celsius(root, dir); !ok {
			continue
		}
		all = append(all, dir)
		name := strings.ToLower(readLine(root, path.Join(dir, "type")))
		for _, word := range cpuZones {
			if strings.Contains(name, word) {
				cpu = append(cpu, dir)
				break
			}
		}
	}
	if len(cpu) > 0 {
		all = cpu
	}
	return all[:min(len(all), zonesMost)]
}

// celsius reads a zone's temperature. Most kernels tell thousandths of a degree, some degrees, and a sensor that
// is off tells nonsense.
func celsius(root fs.FS, dir string) (float64, bool) {
	n, err := strconv.ParseFloat(readLine(root, path.Join(dir, "temp")), 64)
	if err != nil {
		return 0, false
	}
	if n >= 1000 {
		n /= 1000
	}
	return n, n > 0 && n < 150
}

// hottest reads the hottest of the zones.
func hottest(root fs.FS, zones []string) (t Reading, name string) {
	for _, dir := range zones {
		if c, ok := celsius(root, dir); ok && c > t.Value {
			t, name = Reading{c, true}, label(readLine(root, path.Join(dir, "type")))
		}
	}
	return t, name
}

// clock reads the mean clock of cpus in GHz, and the lowest share of its highest clock that one of them is allowed.
func clock(root fs.FS, cpus []int) (ghz, share Reading) {
	n := 0
	for _, cpu := range cpus {
		read := func(name string) (kHz float64, ok bool) {
			kHz, err := strconv.ParseFloat(readLine(root, path.Join(cpusDir, "cpu"+strconv.Itoa(cpu), "cpufreq", name)), 64)
			return kHz, err == nil && kHz > 0 && kHz < 1e8
		}
		if now, ok := read("scaling_cur_freq"); ok {
			ghz.Value += now / 1e6
			n++
		}
		allowed, ok := read("scaling_max_freq")
		highest, known := read("cpuinfo_max_freq")
		if s := min(1, allowed/highest); ok && known && (!share.OK || s < share.Value) {
			share = Reading{s, true}
		}
	}
	return per(ghz.Value, float64(n)), share
}

// readLine reads a file of one short line; "" if that is not possible.
func readLine(root fs.FS, name string) string {
	data, err := fs.ReadFile(root, name)
	if err != nil || len(data) > 256 {
		return ""
	}
	return strings.TrimSpace(string(data))
}

// pace infers throttling where the system tells nothing: decode, without its waits for flash, against its first minute. It is an
// inference, since a longer context slows decode too.
type pace struct {
	started          bool
	tokens, ns       uint64 // at the start
	baseTok, baseNs  uint64 // what the first minute did
	markTok, markNs  uint64 // since when the newest window runs
	lastNs           uint64
	windowTok, winNs uint64 // the newest whole window
}

const (
	paceBase   = uint64(time.Minute)
	paceWindow = uint64(10 * time.Second)
)

// add takes the decoded tokens and the time that they took, both since the engine was made.
func (p *pace) add(tokens, ns uint64) {
	if !p.started {
		*p = pace{started: true, tokens: tokens, ns: ns, lastNs: ns}
	}
	if ns < p.lastNs { // the waits of a prefill were taken off
		return
	}
	p.lastNs = ns
	switch {
	case p.baseNs == 0:
		if ns-p.ns >= paceBase {
			p.baseTok, p.baseNs = tokens-p.tokens, ns-p.ns
			p.markTok, p.markNs = tokens, ns
		}
	case ns-p.markNs >= paceWindow:
		p.windowTok, p.winNs = tokens-p.markTok, ns-p.markNs
		p.markTok, p.markNs = tokens, ns
	}
}

// slower is the share by which the newest window was slower than the first minute, 0 if it was not.
func (p *pace) slower() Reading {
	if p.winNs == 0 || p.baseTok == 0 {
		return Reading{}
	}
	base := float64(p.baseTok) / float64(p.baseNs)
	return Reading{max(0, 1-float64(p.windowTok)/float64(p.winNs)/base), true}
}

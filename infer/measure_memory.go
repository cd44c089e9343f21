package infer

import (
	"os"
	"runtime/debug"
	"strconv"
	"strings"
)

// PeakMemory tells how much memory the process has held at most since a moment.
type PeakMemory struct {
	reset  bool  // the kernel counts from that moment
	before int64 // its peak until then
}

// StartPeakMemory begins a new peak. Memory that the program has freed but not yet given back is given back first.
func StartPeakMemory() PeakMemory {
	debug.FreeOSMemory()
	const forgetPeak = "5"
	err := os.WriteFile("/proc/self/clear_refs", []byte(forgetPeak), 0)
	return PeakMemory{err == nil, statusBytes("VmHWM")}
}

// Bytes is the peak of resident memory. Where the kernel cannot begin a new one and the old one still stands, it is what the
// process holds now; 0: not known.
func (p PeakMemory) Bytes() int64 {
	peak := statusBytes("VmHWM")
	if p.reset || peak > p.before {
		return peak
	}
	return statusBytes("VmRSS")
}

// statusBytes reads a size from the process's own status, 0 when it is not there.
func statusBytes(field string) int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	return parseStatus(string(status), field)
}

// parseStatus finds the line "VmHWM:     1234 kB".
func parseStatus(status, field string) int64 {
	for line := range strings.Lines(status) {
		name, value, _ := strings.Cut(line, ":")
		number, ok := strings.CutSuffix(strings.TrimSpace(value), " kB")
		if name != field || !ok {
			continue
		}
		if kb, err := strconv.ParseUint(strings.TrimSpace(number), 10, 50); err == nil {
			return int64(kb) * 1024
		}
	}
	return 0
}

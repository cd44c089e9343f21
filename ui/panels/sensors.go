package panels

import (
	"io/fs"
	"strconv"
	"strings"
	"time"
)

// sensorEvery is the least time between two readings: each opens some dozens of files.
const sensorEvery = time.Second

// Sensors reads what the operating system tells about the process, heat and clocks. What cannot be read is unknown, never an error.
type Sensors struct {
	root   fs.FS
	probed bool
	zones  []string
	cpus   []int // that tell their clock
	at     time.Time

	process Process
	thermal Thermal
	clocks  []Cluster // GHz and Cap of the clusters that were asked for last
}

// NewSensors makes a reader of the files below root: os.DirFS("/").
func NewSensors(root fs.FS) *Sensors { return &Sensors{root: root} }

// Update fills in.Process, in.Thermal and the clocks of in.Clusters, whose array it writes. Files are read at most once a second; in between
// the sample gets what was read last.
func (s *Sensors) Update(at time.Time, in *Input) {
	if !s.probed {
		s.probe()
	}
	if s.at.IsZero() || at.Sub(s.at) >= sensorEvery {
		s.at = at
		s.process = process(s.root)
		s.thermal.Celsius, s.thermal.Zone = hottest(s.root, s.zones)
		_, s.thermal.Cap = clock(s.root, s.cpus)
		s.clocks = s.clocks[:0]
		for _, c := range in.Clusters {
			c.GHz, c.Cap = clock(s.root, c.CPUs)
			s.clocks = append(s.clocks, c)
		}
	}
	in.Process, in.Thermal = s.process, s.thermal
	for i := range min(len(in.Clusters), len(s.clocks)) {
		in.Clusters[i].GHz, in.Clusters[i].Cap = s.clocks[i].GHz, s.clocks[i].Cap
	}
}

// probe finds out once which sensors there are.
func (s *Sensors) probe() {
	s.probed = true
	s.zones = zones(s.root)
	entries, err := fs.ReadDir(s.root, cpusDir)
	if err != nil {
		return
	}
	for _, e := range entries {
		number, ok := strings.CutPrefix(e.Name(), "cpu")
		if cpu, err := strconv.Atoi(number); ok && err == nil {
			if _, share := clock(s.root, []int{cpu}); share.OK {
				s.cpus = append(s.cpus, cpu)
			}
		}
	}
}

// process reads our own memory from a file of lines like "RssAnon:     1234 kB".
func process(root fs.FS) (p Process) {
	status, err := fs.ReadFile(root, "proc/self/status")
	if err != nil {
		return p
	}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		var field *Reading
		switch name {
		case "RssAnon":
			field = &p.Anon
		case "RssFile":
			field = &p.File
		case "VmSwap":
			field = &p.Swap
		default:
			continue
		}
		number, ok := strings.CutSuffix(strings.TrimSpace(value), " kB")
		if kB, err := strconv.ParseUint(strings.TrimSpace(number), 10, 50); ok && err == nil {
			*field = Reading{float64(kB) * 1024, true}
		}
	}
	return p
}

package cli

import (
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"hotcell/infer"
	"hotcell/iosched"
)

// memoryFlags say how much memory a model in a pack may take, and how the pack is read.
type memoryFlags struct {
	memory, device, engine, plan string
}

func (m *memoryFlags) add(f *pflag.FlagSet) {
	f.StringVar(&m.memory, "memory", "", "most memory that the program may hold, such as 2GiB, for models in packs; without it three quarters of what is available")
	f.StringVar(&m.plan, "plan", "", "run a model in a pack as this `file` of hotcell plan says")
	f.StringVar(&m.device, "device", "", "read as if from this `storage`, at its published speed, through the page cache, in which the pack should be: "+strings.Join(deviceNames(), ", "))
	f.StringVar(&m.engine, "io", "", "how packs are read: "+strings.Join(iosched.EngineNames(), ", ")+"; without it the best that works")
}

func deviceNames() (names []string) {
	for _, d := range iosched.DeviceModels() {
		names = append(names, d.Name)
	}
	return names
}

// apply sets what the flags say.
func (m *memoryFlags) apply(c *infer.Config) error {
	if m.memory != "" {
		n, err := parseSize(m.memory)
		if err != nil {
			return err
		}
		c.Memory = n
	}
	if m.plan != "" {
		if err := m.applyPlan(c); err != nil {
			return err
		}
	}
	c.IO.Engine = m.engine
	if m.device != "" {
		model, err := iosched.DeviceModelNamed(m.device)
		if err != nil {
			return usageError{err}
		}
		if c.IO.Wrap, err = iosched.Simulate(model, 1); err != nil {
			return err
		}
		c.IO.Direct = iosched.DirectOff // only the page cache is faster than any device that is simulated
	}
	return nil
}

// applyPlan sets what the plan says and no flag did. A mode that is left open is the plan's for each layer.
func (m *memoryFlags) applyPlan(c *infer.Config) (err error) {
	if c.Plan, err = readPlan(m.plan); err != nil {
		return err
	}
	if c.Memory == 0 {
		c.Memory = c.Plan.Budget
	}
	if c.Threads == 0 {
		c.Threads = c.Plan.Threads
	}
	if c.Context == 0 {
		c.Context = c.Plan.Context
	}
	return nil
}

// parseSize reads a number of bytes such as 2GiB, 1.5G, 800M or 4096.
func parseSize(text string) (int64, error) {
	number := strings.ToUpper(strings.TrimSpace(text))
	number = strings.TrimSuffix(strings.TrimSuffix(number, "B"), "I")
	unit := 1.0
	if i := strings.IndexByte("KMGT", last(number)); i >= 0 {
		number = strings.TrimSpace(number[:len(number)-1])
		unit = float64(int64(1024) << (10 * i))
	}
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || !(n > 0 && n*unit < 1<<60) {
		return 0, usagef("%q is not a size; write it as 2GiB or 800MiB", text)
	}
	return int64(n * unit), nil
}

// last is the last byte of s, 0 if there is none.
func last(s string) byte {
	if s == "" {
		return 0
	}
	return s[len(s)-1]
}

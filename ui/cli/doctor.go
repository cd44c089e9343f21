package cli

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"hotcell/infer"
	"hotcell/infer/kernel"
	"hotcell/infer/probe"
	"hotcell/iosched"
	"hotcell/models"
)

func newDoctor(s *streams) *cobra.Command {
	var (
		asJSON bool
		dir    string
	)
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Measure what this machine can do and tell what may hold it back",
		Long: "Measures the cores, the memory and the storage, in less than 20 seconds, and tells which kernels are used, which limits the\n" +
			"system sets and on what it runs. For storage a file of up to 1 GiB is written to a folder and removed.",
		Args: noArgs,
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	c.Flags().StringVar(&dir, "dir", "", "`folder` whose storage is measured; without it that of the library, or the current one")
	c.RunE = func(c *cobra.Command, _ []string) error {
		status := statusLine{s}
		d, err := examine(c.Context(), storageFolder(dir), &status)
		status.clear()
		if err != nil {
			return err
		}
		if asJSON {
			return writeJSON(s.out, d)
		}
		sh := newSheet(s.out)
		d.print(sh)
		return sh.err
	}
	return c
}

// diagnosis is all that doctor finds.
type diagnosis struct {
	System       probe.System      `json:"system"`
	Available    int64             `json:"available_bytes,omitempty"` // memory
	Kernels      string            `json:"kernels"`                   // in use
	Variants     []string          `json:"kernel_variants"`           // that this CPU can run, best first
	Cores        []probe.Core      `json:"cores"`
	Clusters     []probe.Cluster   `json:"clusters"`
	Bandwidths   []probe.Bandwidth `json:"memory_bandwidth"`
	Storage      *iosched.Profile  `json:"storage,omitempty"`
	NoStorage    string            `json:"storage_error,omitempty"`
	Accelerators string            `json:"accelerators"`
}

// storageFolder is the folder that was asked for, else the library's if there is one, else the current one.
func storageFolder(asked string) string {
	if asked != "" {
		return asked
	}
	if dir, err := models.DataDir(); err == nil {
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			return dir
		}
	}
	return "."
}

func examine(ctx context.Context, dir string, status *statusLine) (d diagnosis, err error) {
	d = diagnosis{
		System: probe.Describe(), Kernels: kernel.Active(), Variants: kernel.Names(),
		Accelerators: "none: this build runs on the CPU only",
	}
	d.Available, _ = infer.AvailableMemory()
	status.show("timing the cores")
	d.Cores = probe.Cores()
	d.Clusters = probe.Clusters(d.Cores)
	d.Bandwidths, err = probe.Bandwidths(probe.BufferSize(d.Available, d.System.Cache), func(threads int) {
		status.show("reading memory, %d threads", threads)
	})
	if err != nil {
		return d, err
	}
	profile, err := iosched.Measure(ctx, dir, iosched.Options{Progress: func(what string, done, all int) {
		status.show("storage: %s, %d/%d", what, done, all)
	}})
	switch {
	case ctx.Err() != nil:
		return d, ctx.Err()
	case err != nil:
		d.NoStorage = err.Error()
	default:
		d.Storage = &profile
	}
	return d, nil
}

// print shows it in no more than 46 columns.
func (d *diagnosis) print(s *sheet) {
	sys, limits := d.System, d.System.Limits
	s.fact("system", facts(sys.Where, sys.OS+"/"+sys.Arch, behind("kernel ", sys.Kernel)))
	s.fact("CPU", strings.Join(sys.CPUs, ", "))
	s.fact("features", strings.Join(sys.Features, " "))
	s.fact("kernels", facts(d.Kernels, "best of "+strings.Join(d.Variants, ", ")))
	s.fact("accelerator", d.Accelerators)

	s.line()
	s.line(fmt.Sprintf("%-22s %10s %9s", "cores", "int8 GOP/s", "speed"))
	for _, c := range d.Clusters {
		speed := "–"
		if c.Speed > 0 {
			speed = fmt.Sprintf("%.0f %%", 100*c.Speed)
		}
		s.line(fmt.Sprintf("%-22s %10s %9s", probe.Ranges(c.CPUs), tenth(c.Int8Rate/1e9), speed))
	}

	s.line()
	s.fact("memory", facts(sizeOf("%s", sys.Memory), sizeOf("%s available", d.Available), sizeOf("swap %s", sys.Swap)))
	s.fact("huge pages", hugePages(sys.HugePages))
	s.line(fmt.Sprintf("%-22s %10s", "threads", "read GB/s"))
	for _, b := range d.Bandwidths {
		s.line(fmt.Sprintf("%-22d %10s", b.Threads, tenth(b.BytesPerSec/1e9)))
	}

	s.line()
	d.storage(s)

	s.line()
	switch {
	case limits.Memlock < 0:
		s.fact("memlock", "all memory may be locked")
	case limits.Memlock > 0:
		s.fact("memlock", byteText(limits.Memlock)+" of memory may be locked")
	}
	if limits.AddressSpace > 0 {
		s.fact("ulimit -v", byteText(limits.AddressSpace)+" of memory may be mapped")
	}
	s.fact("cpuset", facts(behind("CPUs ", limits.CPUSet), behind("of ", limits.Present), behind("group ", strings.TrimPrefix(limits.Group, "/"))))
	if limits.GroupCPU > 0 {
		s.fact("cgroup", fmt.Sprintf("the time of %.1f CPUs", limits.GroupCPU))
	}
	if limits.GroupMemory > 0 {
		s.fact("cgroup", byteText(limits.GroupMemory)+" of memory")
	}
}

// storage is a table of requests by depth.
func (d *diagnosis) storage(s *sheet) {
	p := d.Storage
	if p == nil {
		s.fact("storage", d.NoStorage)
		return
	}
	s.fact("folder", p.Folder)
	direct := fmt.Sprintf("O_DIRECT in units of %d B", p.OffsetAlign)
	if !p.Direct {
		direct = "no O_DIRECT: " + p.WhyBuffered + "; what follows may come from memory"
	}
	s.fact("storage", facts(p.FileSystem, direct))
	s.fact("writing", fmt.Sprintf("%.0f MB/s, a file of %s", p.WriteRate/1e6, byteText(p.FileBytes)))
	depths := []int{1, 4, 16}
	s.line(fmt.Sprintf("%-17s %8s %8s %8s", "MB/s at depth", "1", "4", "16"))
	var rows []string
	cells := map[string][]string{}
	for _, r := range p.Reads {
		name := fmt.Sprintf("random %s", sizeText(r.Request))
		if !r.Random {
			name = fmt.Sprintf("in order %s", sizeText(r.Request))
		}
		if cells[name] == nil {
			rows, cells[name] = append(rows, name), []string{"–", "–", "–"}
		}
		for i, depth := range depths {
			if depth == r.Depth {
				cells[name][i] = fmt.Sprintf("%.0f", r.BytesPerSec/1e6)
			}
		}
	}
	for _, name := range rows {
		c := cells[name]
		s.line(fmt.Sprintf("%-17s %8s %8s %8s", name, c[0], c[1], c[2]))
	}
}

// behind puts a word before a text that is known.
func behind(word, text string) string {
	if text == "" {
		return ""
	}
	return word + text
}

// sizeOf writes a size that is known.
func sizeOf(format string, n int64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(format, byteText(n))
}

// sizeText is the size of a request, a whole number of its unit.
func sizeText(n int) string {
	if n >= 1<<20 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d KiB", n>>10)
}

// tenth is a number with one decimal, – if it is not known.
func tenth(v float64) string {
	if v == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f", v)
}

// hugePages says what the kernel's setting means for weights.
func hugePages(setting string) string {
	switch setting {
	case "":
		return "not known: the kernel does not tell"
	case "never":
		return "never: reading weights takes longer"
	}
	return setting + ": weights have them"
}

package cli

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"hotcell/infer"
	"hotcell/infer/probe"
	"hotcell/infer/workers"
	"hotcell/iosched"
	"hotcell/models"
	"hotcell/models/gguf"
	"hotcell/models/pack"
	"hotcell/planner"
)

func newPlan(s *streams) *cobra.Command {
	var (
		m                 modelFlags
		out               string
		asJSON, noMeasure bool
		lossy             bool
	)
	c := &cobra.Command{
		Use:   "plan -m PACK",
		Short: "Tell how a model in a pack would use the memory that it may take, and how fast it would be",
		Long: "Decides what of a model in a pack stays in memory and what is read from flash, prints it with the reasons and writes it as JSON.\n" +
			"The storage of the pack's folder and the memory are measured first, in some seconds; for that a file of up to 256 MiB is written\n" +
			"and removed. The plan can be edited, and used with --plan FILE.",
		Args: noArgs,
	}
	m.add(c.Flags())
	c.Flags().StringVarP(&out, "output", "o", "", "write the plan to this `file` as JSON")
	c.Flags().BoolVar(&asJSON, "json", false, "print the plan as JSON")
	c.Flags().BoolVar(&lossy, "lossy", false, "without --mode: layers whose neurons are rarely active may be predicted, which is faster and slightly lossy")
	c.Flags().BoolVar(&noMeasure, "no-measure", false, "measure nothing: the plan expects no speed")
	c.RunE = func(c *cobra.Command, _ []string) error {
		config, err := m.config()
		if err != nil {
			return err
		}
		if config.Lossy = lossy; lossy && config.Mode != infer.ModeAuto {
			return usagef("--lossy is for --mode auto; %s rules all layers", config.Mode)
		}
		f, err := models.Open(m.path)
		if err != nil {
			return err
		}
		defer closeModel(f)
		if _, err := infer.PlanFor(f, config); err != nil { // a mistake is told before something is measured
			return err
		}
		if !noMeasure && config.Plan == nil {
			status := statusLine{s}
			config.Device, err = measureDevice(c.Context(), f, &m, &status)
			status.clear()
			if err != nil {
				return err
			}
			debug.FreeOSMemory() // what measuring took is not the program's
		}
		plan, err := infer.PlanFor(f, config)
		if err != nil {
			return err
		}
		if config.Plan == nil {
			plan.Context = m.context
		}
		if out != "" {
			if _, err := replaceFile(out, func(w io.Writer) error { return writeJSON(w, plan) }); err != nil {
				return fmt.Errorf("writing %s: %w", out, err)
			}
		}
		if asJSON {
			return writeJSON(s.out, plan)
		}
		sh := newSheet(s.out)
		printPlan(sh, plan, config.Device)
		return sh.err
	}
	return c
}

// closeModel closes a model file, or the pack that it is presented from.
func closeModel(f *gguf.File) error {
	if p, ok := pack.Of(f); ok {
		return p.Close()
	}
	return f.Close()
}

// planFileBytes is far more than the plan of a model with a thousand layers.
const planFileBytes = 4 << 20

// readPlan reads a plan from a file, which may be edited or hostile.
func readPlan(path string) (*planner.Plan, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the plan: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, planFileBytes+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the plan: %w", err)
	case len(text) > planFileBytes:
		return nil, fmt.Errorf("%s: more than %s, that is no plan", path, byteText(planFileBytes))
	}
	plan, err := planner.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return plan, nil
}

// onlyForPacks refuses a plan for a model that is in memory as a whole.
func onlyForPacks(f *gguf.File, plan *planner.Plan) error {
	if _, packed := pack.Of(f); plan != nil && !packed {
		return fmt.Errorf("%s: plans are for packs; make one with hotcell pack", f.Name())
	}
	return nil
}

// Reads of one page and of two, the sizes of which neurons are, at depths that a device can use; and large ones, which neighbours become.
const (
	onePage  = 4 << 10
	twoPages = 2 * onePage
	runBytes = 512 << 10
	runDepth = 4
)

var planDepths = []int{32, 64}

// measureDevice measures what the planner asks for: the memory, and the storage on which the pack lies, or that of --device.
func measureDevice(ctx context.Context, f *gguf.File, m *modelFlags, status *statusLine) (d planner.Device, err error) {
	threads := m.threads
	if threads == 0 {
		threads = workers.DefaultThreads()
	}
	available, _ := infer.AvailableMemory()
	list, err := probe.Bandwidths(probe.BufferSize(available, probe.Describe().Cache), func(n int) { status.show("reading memory, %d threads", n) })
	if err != nil {
		return d, err
	}
	for i, b := range list {
		if i == 0 || b.Threads <= threads {
			d.ReadBytes = b.BytesPerSec
		}
	}
	if m.device != "" {
		model, err := iosched.DeviceModelNamed(m.device)
		if err != nil {
			return d, err
		}
		p, _ := pack.Of(f)
		start, end := p.Data()
		d.Depth = model.Units
		d.Page, d.Pair = randomReads(&model, onePage, end-start), randomReads(&model, twoPages, end-start)
		d.Run = randomReads(&model, runBytes, end-start) * runBytes
		return d, nil
	}
	p, _ := pack.Of(f)
	return d, measureStorage(ctx, filepath.Dir(p.Path()), &d, status)
}

// measureStorage finds how many random reads a second a folder's device gives, at the best depth.
func measureStorage(ctx context.Context, dir string, d *planner.Device, status *statusLine) error {
	o := iosched.Options{FileBytes: 256 << 20, Progress: func(what string, done, all int) { status.show("storage: %s, %d/%d", what, done, all) }}
	for _, depth := range planDepths {
		for _, bytes := range []int{onePage, twoPages} {
			o.Patterns = append(o.Patterns, iosched.Pattern{Random: true, Request: bytes, Depth: depth})
		}
	}
	o.Patterns = append(o.Patterns, iosched.Pattern{Random: true, Request: runBytes, Depth: runDepth})
	profile, err := iosched.Measure(ctx, dir, o)
	if err != nil {
		return fmt.Errorf("%w (--no-measure plans without)", err)
	}
	for i := range planDepths {
		i *= 2
		page, pair := profile.Reads[i].PerSec, profile.Reads[i+1].PerSec
		if page > 1.05*d.Page { // a deeper queue must pay, since a demand waits behind what is in it
			d.Page, d.Pair, d.Depth = page, pair, profile.Reads[i].Depth
		}
	}
	d.Run = profile.Reads[len(profile.Reads)-1].BytesPerSec
	return nil
}

// randomReads is how many random reads of so many bytes a second a modelled device gives, when they spread over so much of it.
func randomReads(m *iosched.DeviceModel, bytes int, spread int64) float64 {
	link := m.PerRead.Seconds() + float64(bytes)/m.Bandwidth
	if m.TableRange > 0 && spread > m.TableRange {
		link += min(m.MaxTableMiss.Seconds(), math.Log2(float64(spread)/float64(m.TableRange))*m.TableMiss.Seconds())
	}
	return min(1/link, float64(m.Units)/(m.Latency.Seconds()+link))
}

// printPlan shows a plan for people.
func printPlan(s *sheet, p *planner.Plan, d planner.Device) {
	s.fact("model", p.Name)
	s.fact("mode", fmt.Sprintf("%s, %d threads, %d reads at once", p.Mode, p.Threads, p.Depth))
	s.fact("budget", byteText(p.Budget))
	if p.Context > 0 {
		s.fact("context", fmt.Sprintf("%d tokens", p.Context))
	}
	s.line()
	for _, part := range []struct {
		label string
		bytes int64
		about string
	}{
		{"fixed", p.Memory.Fixed, "attention, embeddings, norms"},
		{"predictor", p.Memory.Predictor, ""},
		{"KV cache", p.Memory.KV, "keys and values of the whole context"},
		{"work", p.Memory.Work, "activations, buffers"},
		{"program", p.Memory.Program, "the program, tables"},
		{"hot", p.Memory.Hot, "neurons that stay"},
		{"cold", p.Memory.Cold, "neurons that come and go"},
	} {
		if part.bytes > 0 {
			s.line(strings.TrimRight(fmt.Sprintf("%-*s%10s  %s", labelWidth, part.label, byteText(part.bytes), part.about), " "))
		}
	}
	s.line()
	for first := 0; first < len(p.Layers); {
		last := first
		for last+1 < len(p.Layers) && p.Layers[last+1] == p.Layers[first] {
			last++
		}
		s.fact(layerRange(first, last), p.Layers[first].Mode+", "+hotText(p, p.Layers[first]))
		first = last + 1
	}
	s.line()
	expected := []string{}
	if p.Expected.TokensPerSec > 0 {
		expected = append(expected, fmt.Sprintf("%.1f tokens/s, %.0f %% of the time waiting for flash", p.Expected.TokensPerSec, 100*p.Expected.StallShare))
	}
	s.fact("expected", facts(append(expected, fmt.Sprintf("%.1f %% of what is needed is in memory", 100*p.Expected.HitRate))...))
	if d.ReadBytes > 0 {
		s.fact("measured", fmt.Sprintf("memory %.1f GB/s, flash %.1f GB/s in large reads, random reads a second: %.0f of %s, %.0f of %s",
			d.ReadBytes/1e9, d.Run/1e9, d.Page, sizeText(onePage), d.Pair, sizeText(twoPages)))
	}
	label := "why"
	for _, reason := range p.Why {
		s.fact(label, reason)
		label = ""
	}
}

// layerRange names layers.
func layerRange(first, last int) string {
	if first == last {
		return fmt.Sprintf("layer %d", first)
	}
	return fmt.Sprintf("layers %d-%d", first, last)
}

// hotText says what of a layer is hot.
func hotText(p *planner.Plan, l planner.LayerPlan) string {
	if !p.TwoPhase {
		return fmt.Sprintf("%d neurons hot", l.HotRest)
	}
	return fmt.Sprintf("%d gates hot, %d neurons as a whole", l.HotGates, l.HotRest)
}

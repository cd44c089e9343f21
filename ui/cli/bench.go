package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"

	"hotcell/infer"
	"hotcell/infer/kernel"
	"hotcell/infer/workers"
	"hotcell/models"
	"hotcell/models/gguf"
	"hotcell/models/pack"
	"hotcell/models/synthetic"
	"hotcell/neuroncache"
	"hotcell/planner"
)

// benchFlags are the command line of bench; lists have their items separated by commas.
type benchFlags struct {
	model, shapes, types             string
	prompts, generates, depths, cpus string
	runs                             int
	output, save, mode, kv, pack     string
	policy                           string
	without                          string
	early                            bool
	memoryFlags
}

func newBench(s *streams) *cobra.Command {
	var b benchFlags
	c := &cobra.Command{
		Use:   "bench",
		Short: "Measure how fast models run, and how near that is to the machine's limit",
		Long: "Measures tokens a second for a prompt (pp512: 512 tokens) and for generated tokens (tg64), as llama-bench does, as mean and standard\n" +
			"deviation. Without -m and --shape it is about the built-in model. --shape makes models with random weights in memory, as fast as the\n" +
			"real ones, so that a machine can be judged before a download:\n" +
			wrapped(synthetic.Names()) + "\n" +
			"Lists are separated by commas. \"of limit\" compares with what the same threads can do, measured in the same run (median): for generated\n" +
			"tokens the bytes of weights, keys and values against a plain read of the weights; for a prompt the multiplications and additions with\n" +
			"weights against those that the cores do in registers. \"memory\" is the most that the process held.",
		Args: noArgs,
	}
	f := c.Flags()
	f.StringVarP(&b.model, "model", "m", "", "GGUF `file` or the name of a model in the library")
	f.StringVar(&b.shapes, "shape", "", "`names` of shapes to make models of")
	f.StringVar(&b.types, "type", "Q4_0", "`types` of the weights of --shape: Q4_0, Q8_0, F16, Q4_K, Q6_K, ...")
	f.StringVarP(&b.prompts, "prompt", "p", "512", "`tokens` of the prompt; 0: none")
	f.StringVarP(&b.generates, "n", "n", "64", "`tokens` to generate; 0: none")
	f.StringVarP(&b.depths, "depth", "d", "0", "`tokens` that are in the context before")
	f.StringVarP(&b.cpus, "threads", "t", "0", "worker threads; 0: one for each fast core")
	f.IntVarP(&b.runs, "repeat", "r", 5, "`times` that each test is run")
	f.StringVarP(&b.output, "output", "o", "md", "`form` of the result: md, json or csv")
	f.StringVar(&b.save, "save", "", "write the model of --shape to this `file` first, so that other programs can run it too (-p 0 -n 0: only this)")
	f.StringVar(&b.mode, "mode", "auto", modeHelp)
	f.StringVar(&b.kv, "kv", "f16", kvHelp)
	f.BoolVar(&b.early, "early", false, "in predicted mode from a pack: ask the next layer's predictor while a layer waits, and read ahead what it is sure of")
	f.StringVar(&b.without, "without", "", "`parts` of the engine for packs that are left out, to see what they give: "+strings.Join(infer.WithoutNames(), ", "))
	f.StringVar(&b.policy, "policy", "", "of the neuron cache: "+strings.Join(neuroncache.Policies(), ", "))
	f.StringVar(&b.pack, "pack", "", "run the model of --shape from this pack `file`, which is written if it is not there")
	b.memoryFlags.add(f)
	c.RunE = func(c *cobra.Command, _ []string) error { return b.run(c.Context(), s) }
	return c
}

// wrapped is a list in lines of moderate length.
func wrapped(names []string) string {
	return "  " + strings.ReplaceAll(ansi.Wrap(strings.Join(names, ", "), 100, ""), "\n", "\n  ")
}

// benchModel is a model that can be opened as often as there are numbers of threads.
type benchModel struct {
	name     string // "" takes the name from the file
	open     func() (*gguf.File, error)
	activity func() func(layer int) []uint64 // which neurons are active, as in models of this shape; nil: what the weights say
}

// benchRow is one line of the result.
type benchRow struct {
	Model   string `json:"model"`
	Type    string `json:"type"`
	Bytes   int64  `json:"bytes"`
	Params  uint64 `json:"parameters"`
	Threads int    `json:"threads"`
	Kernels string `json:"kernels"`
	Name    string `json:"test"`
	infer.Test
	infer.Summary
	Peak int64       `json:"peak_memory_bytes,omitempty"`
	Load int64       `json:"load_ns"` // wall time from opening the file until the model could compute
	Runs []infer.Run `json:"runs"`
	Mode string      `json:"mode"`
}

// benchWriter prints rows in one form.
type benchWriter interface {
	row(benchRow) error
	end() error
}

func (b *benchFlags) run(ctx context.Context, s *streams) error {
	chosen, err := b.models()
	if err != nil {
		return err
	}
	tests, err := b.tests()
	if err != nil {
		return err
	}
	threads, err := numbers("-t", b.cpus)
	if err != nil {
		return err
	}
	var w benchWriter
	switch b.output {
	case "md":
		w = &markdownRows{out: s.out}
	case "json":
		w = &jsonRows{out: s.out, rows: []benchRow{}}
	case "csv":
		w = &csvRows{out: s.out}
	default:
		return usagef("the form %q is not known (md, json, csv)", b.output)
	}
	if b.runs < 1 {
		return usagef("-r must be at least 1")
	}
	status := statusLine{s}
	defer status.clear()
	if b.save != "" {
		if err := b.write(ctx, &status); err != nil {
			return err
		}
	}
	if len(tests) == 0 {
		if b.save == "" {
			return usagef("there is nothing to measure: -p and -n are 0")
		}
		return nil
	}
	err = func() error {
		for _, m := range chosen {
			for _, n := range threads {
				if err := b.measure(ctx, s, &status, m, n, tests, w); err != nil {
					return err
				}
			}
		}
		return nil
	}()
	status.clear()
	return errors.Join(err, w.end()) // what was measured before a mistake or an interrupt is shown too
}

// models are those that the flags name.
func (b *benchFlags) models() ([]benchModel, error) {
	if b.shapes == "" {
		if b.save != "" {
			return nil, usagef("--save is for models of --shape")
		}
		if b.pack != "" {
			return nil, usagef("--pack is for models of --shape; a pack of a file is named with -m")
		}
		return []benchModel{{open: func() (*gguf.File, error) { return models.Open(b.model) }}}, nil
	}
	if b.model != "" {
		return nil, usagef("-m and --shape exclude each other")
	}
	var list []benchModel
	for _, name := range items(b.shapes) {
		shape, err := synthetic.Find(name)
		if err != nil {
			return nil, usageError{err}
		}
		for _, kind := range items(b.types) {
			t, err := weightType(kind)
			if err != nil {
				return nil, err
			}
			list = append(list, b.shaped(shape, t))
		}
	}
	if b.save != "" && len(list) != 1 {
		return nil, usagef("--save takes one shape and one type")
	}
	return list, nil
}

// weightType finds a type of which random weights can be made.
func weightType(name string) (gguf.Type, error) {
	var known []string
	for t := gguf.Type(0); t < 64; t++ {
		if !synthetic.CanMake(t) {
			continue
		}
		if strings.EqualFold(t.String(), name) {
			return t, nil
		}
		known = append(known, t.String())
	}
	return 0, usagef("random weights of the type %q cannot be made (known: %s)", name, strings.Join(known, ", "))
}

// tests are all prompts, then all generations, for each depth.
func (b *benchFlags) tests() (tests []infer.Test, err error) {
	prompts, err1 := numbers("-p", b.prompts)
	generates, err2 := numbers("-n", b.generates)
	depths, err3 := numbers("-d", b.depths)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, usageError{err}
	}
	for _, d := range depths {
		for _, n := range prompts {
			if n > 0 {
				tests = append(tests, infer.Test{Prompt: n, Depth: d})
			}
		}
		for _, n := range generates {
			if n > 0 {
				tests = append(tests, infer.Test{Generate: n, Depth: d})
			}
		}
	}
	return tests, nil
}

func items(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

// numbers reads a list of whole numbers that are not negative.
func numbers(flag, list string) (ns []int, err error) {
	for _, item := range items(list) {
		n, err := strconv.ParseUint(item, 10, 24)
		if err != nil {
			return nil, usagef("%q in %s is not a number from 0 to %d", item, flag, 1<<24-1)
		}
		ns = append(ns, int(n))
	}
	if len(ns) == 0 {
		return nil, usagef("%s needs a number", flag)
	}
	return ns, nil
}

// measure runs the tests on one model with one number of threads.
func (b *benchFlags) measure(ctx context.Context, s *streams, status *statusLine, m benchModel, threads int, tests []infer.Test, w benchWriter) error {
	if threads == 0 {
		threads = workers.DefaultThreads()
	}
	kv, err := infer.ParseKVType(b.kv)
	if err != nil {
		return usageError{err}
	}
	without, err := infer.ParseWithout(b.without)
	if err != nil {
		return usageError{err}
	}
	c := infer.Config{Threads: threads, KV: kv, Pin: true, Bare: true, Mode: infer.Mode(b.mode), Without: without, EarlyReads: b.early, Policy: b.policy}
	if err := b.apply(&c); err != nil {
		return err
	}
	for _, t := range tests {
		c.Context = max(c.Context, t.Context())
	}
	peak, began := infer.StartPeakMemory(), time.Now()
	f, err := m.open()
	if err != nil {
		return err
	}
	if err := onlyForPacks(f, c.Plan); err != nil {
		f.Close()
		return err
	}
	if _, packed := pack.Of(f); m.activity != nil && (packed || c.Mode != infer.ModeDense) {
		c.Active = m.activity()
	}
	need, err := infer.MemoryNeed(f, c)
	if err == nil && need.Verdict == planner.Over {
		err = fmt.Errorf("%s: the model needs %s of memory, of which %s are available", f.Name(), byteText(need.Total), byteText(need.Available))
	}
	if err != nil {
		f.Close()
		return err
	}
	status.show("loading %s", f.Name())
	bar := newProgress(s, "loading "+f.Name())
	c.Progress = bar.set
	session, err := infer.Open(ctx, f, c)
	bar.close()
	if err != nil {
		return err
	}
	defer session.Close()
	info := session.Info()
	row := benchRow{Model: m.name, Type: info.Quant, Bytes: info.Bytes, Params: info.Params, Threads: threads, Kernels: kernel.Active(), Load: time.Since(began).Nanoseconds()}
	if row.Model == "" {
		row.Model = printable(info.Name)
	}
	row.Mode = info.Mode
	for _, t := range tests {
		label := fmt.Sprintf("%s, %s, %v", row.Model, threadText(threads), t)
		status.show("%s: warming up", label)
		row.Runs, err = session.Measure(ctx, t, b.runs, func(done int, r infer.Run) {
			status.show("%s: %d/%d, %.2f t/s", label, done, b.runs, r.PerSec)
		})
		if err != nil {
			return err
		}
		row.Name, row.Test, row.Summary, row.Peak = t.String(), t, infer.Summarise(row.Runs), peak.Bytes()
		status.clear()
		if err := w.row(row); err != nil {
			return err
		}
	}
	return nil
}

// write saves the model of --shape: to a temporary file beside the target, which takes its place when all is written.
func (b *benchFlags) write(ctx context.Context, status *statusLine) (err error) {
	shape, err := synthetic.Find(items(b.shapes)[0])
	if err != nil {
		return err
	}
	t, err := weightType(items(b.types)[0])
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(b.save), filepath.Base(b.save)+".*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", b.save, err)
	}
	defer func() {
		if err != nil {
			file.Close()
			os.Remove(file.Name())
			err = fmt.Errorf("writing %s: %w", b.save, err)
		}
	}()
	out := bufio.NewWriterSize(&savingWriter{ctx, file, status, 0}, 1<<20)
	if _, err = synthetic.WriteTo(out, shape, t); err != nil {
		return err
	}
	if err = errors.Join(out.Flush(), file.Chmod(0o644), file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), b.save)
}

// savingWriter tells how much was written, and stops when ctx does.
type savingWriter struct {
	ctx    context.Context
	to     io.Writer
	status *statusLine
	n      int64
}

func (w *savingWriter) Write(b []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := w.to.Write(b)
	w.n += int64(n)
	w.status.show("saving: %s", byteText(w.n))
	return n, err
}

// statusLine is a line on standard error that is written over and over, if that is a terminal.
type statusLine struct{ s *streams }

func (l *statusLine) show(format string, args ...any) {
	if terminal(l.s.err) {
		text := ansi.Truncate(fmt.Sprintf(format, args...), newSheet(l.s.err).width-1, "…")
		fmt.Fprintf(l.s.err, "\r\x1b[K%s", text)
	}
}

func (l *statusLine) clear() {
	if terminal(l.s.err) {
		fmt.Fprint(l.s.err, "\r\x1b[K")
	}
}

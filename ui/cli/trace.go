package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"hotcell/neuroncache"
	"hotcell/neuroncache/sim"
	"hotcell/neuroncache/trace"
	"hotcell/neuroncache/trace/synth"
)

func newTrace(s *streams) *cobra.Command {
	c := &cobra.Command{
		Use:   "trace",
		Short: "Make or record traces of active neurons, and try cache policies on them",
		Long: "A trace says which neurons each token used. Played against the neuron cache's policies it tells how much of a model must\n" +
			"be in memory, and which policy keeps the right part.",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newTraceMake(s), newTraceRecord(s), newTraceReplay(s), newTraceInfo(s))
	return c
}

func newTraceMake(s *streams) *cobra.Command {
	var (
		out    string
		tokens int
		seed   uint64
	)
	c := &cobra.Command{
		Use:   "make SHAPE [-o FILE]",
		Short: "Make a trace with the published habits of a model",
		Long: "Makes a trace of a model that need not be at hand, from what is published of its activity:\n" + wrapped(synth.Names()) + "\n" +
			"The same shape, seed and number of tokens make the same file.",
		Args: oneArg("shape"),
	}
	c.Flags().StringVarP(&out, "output", "o", "", "trace `file` to write; without it the shape's name with .trace, in the current folder")
	c.Flags().IntVar(&tokens, "tokens", 600, "`tokens` to make")
	c.Flags().Uint64Var(&seed, "seed", 1, "`number` that decides what is active")
	c.RunE = func(c *cobra.Command, args []string) error {
		shape, err := synth.Find(args[0])
		switch {
		case err != nil:
			return usageError{err}
		case tokens < 1:
			return usagef("--tokens is %d, expected 1 or more", tokens)
		case out == "":
			out = shape.Name + ".trace"
		}
		bar := newProgress(s, "making "+filepath.Base(out))
		size, err := makeTrace(c.Context(), out, synth.New(shape, seed), tokens, bar)
		bar.close()
		if err != nil {
			return fmt.Errorf("writing %s: %w", out, err)
		}
		_, err = fmt.Fprintf(s.out, "%s: %s, %d tokens, %s\n", printable(out), shape.Name, tokens, byteText(size))
		return err
	}
	return c
}

// makeTrace writes a trace to a file.
func makeTrace(ctx context.Context, path string, g *synth.Generator, tokens int, bar *progress) (size int64, err error) {
	return replaceFile(path, func(out io.Writer) error {
		w, err := trace.NewWriter(out, g.Header())
		if err != nil {
			return err
		}
		for n := range tokens {
			if err := errors.Join(ctx.Err(), g.WriteToken(w)); err != nil {
				return err
			}
			bar.set(int64(n+1), int64(tokens))
		}
		return w.Close()
	})
}

// traceFile is a trace on disk that is read from its start several times.
type traceFile struct {
	ctx  context.Context
	path string
}

// read passes the trace to use, which reads it as far as it likes.
func (f traceFile) read(use func(r *trace.Reader) error) error {
	file, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer file.Close()
	r, err := trace.NewReader(cancelled{f.ctx, file})
	if err == nil {
		err = use(r)
	}
	if err != nil && f.ctx.Err() == nil {
		err = fmt.Errorf("%s: %w", f.path, err)
	}
	return err
}

// cancelled is a reader that fails when its context ends.
type cancelled struct {
	ctx context.Context
	in  io.Reader
}

func (c cancelled) Read(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.in.Read(b)
}

func newTraceReplay(s *streams) *cobra.Command {
	var (
		sizes, policies string
		warm            int
		asJSON          bool
	)
	known := strings.Join(append(neuroncache.Policies(), sim.Belady), ", ")
	c := &cobra.Command{
		Use:   "replay FILE",
		Short: "Tell how often each cache policy would have had what a token needs",
		Long: "Plays a trace against the neuron cache's policies at several sizes and prints the share of needed neurons that were in memory.\n" +
			"belady is the optimum, which knows the future: no policy reaches it. The default policy has a star.",
		Args: oneArg("trace file"),
	}
	c.Flags().StringVar(&sizes, "sizes", "25,50,75", "cache sizes in `percent` of the model's neurons")
	c.Flags().StringVar(&policies, "policy", "", "`policies` to try: "+known+"; without it all")
	c.Flags().IntVar(&warm, "warm", -1, "first `tokens` that only fill the cache; -1: a quarter of the trace")
	c.Flags().BoolVar(&asJSON, "json", false, "print a JSON list")
	c.RunE = func(c *cobra.Command, args []string) error {
		percents, err := numbers("sizes", sizes)
		if err != nil {
			return err
		}
		for _, p := range percents {
			if p < 1 || p > 100 {
				return usagef("--sizes has %d, expected 1 to 100", p)
			}
		}
		names := append(neuroncache.Policies(), sim.Belady)
		if policies != "" {
			for _, name := range items(policies) {
				if !slices.Contains(names, name) {
					return usagef("there is no policy %q (known: %s)", name, known)
				}
			}
			if names = items(policies); len(names) == 0 {
				return usagef("--policy names no policy (known: %s)", known)
			}
		}
		if warm < -1 {
			return usagef("--warm is %d, expected 0 or more, or -1", warm)
		}
		bar := newProgress(s, "replaying "+filepath.Base(args[0]))
		replay := replay{file: traceFile{c.Context(), args[0]}, policies: names, percents: percents, warm: warm}
		err = replay.run(bar)
		bar.close()
		switch {
		case err != nil:
			return err
		case asJSON:
			return writeJSON(s.out, replay.results)
		}
		return replay.print(s.out)
	}
	return c
}

// replay is every policy on one trace, at every size.
type replay struct {
	file     traceFile
	policies []string
	percents []int
	warm     int // -1: a quarter

	header  trace.Header
	tokens  int
	results []sim.Result // [policy][size]
}

func (p *replay) run(bar *progress) error {
	var future *sim.Future
	err := p.file.read(func(r *trace.Reader) (err error) {
		p.header = r.Header
		future, err = sim.Look(r)
		return err
	})
	if err != nil {
		return err
	}
	if p.tokens = future.Tokens; p.warm < 0 {
		p.warm = p.tokens / 4
	}
	if p.warm >= p.tokens {
		return usagef("%s has %d tokens: none are left after %d that only fill the cache", p.file.path, p.tokens, p.warm)
	}
	all := int64(len(p.policies) * len(p.percents))
	for _, policy := range p.policies {
		for _, percent := range p.percents {
			bar.set(int64(len(p.results)), all)
			slots := sim.Slots(&p.header, float64(percent)/100)
			err := p.file.read(func(r *trace.Reader) error {
				result, err := sim.Result{}, error(nil)
				if policy == sim.Belady {
					result, err = sim.Optimum(r, future, slots, p.warm)
				} else {
					result, err = sim.Replay(r, policy, slots, p.warm)
				}
				p.results = append(p.results, result)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// print writes a table that fits the narrowest phone at three sizes.
func (p *replay) print(out io.Writer) error {
	sh := newSheet(out)
	sh.line(printable(fmt.Sprintf("%s: hit rate of %d tokens after %d", p.header.Name, p.tokens-p.warm, p.warm)))
	row := fmt.Sprintf("%-13s", "cache")
	for _, percent := range p.percents {
		row += fmt.Sprintf(" %7d %%", percent)
	}
	sh.line(row)
	for i, policy := range p.policies {
		if policy == neuroncache.DefaultPolicy {
			policy += " *"
		}
		row := fmt.Sprintf("%-13s", policy)
		for _, result := range p.results[i*len(p.percents):][:len(p.percents)] {
			row += fmt.Sprintf(" %7.2f %%", 100*result.HitRate)
		}
		sh.line(row)
	}
	return sh.err
}

// traceFacts is what hotcell trace info tells.
type traceFacts struct {
	File      string  `json:"file"`
	Name      string  `json:"name"`
	Layers    int     `json:"layers"`
	Groups    int     `json:"groups"`
	Units     int     `json:"units"`
	UnitBytes int     `json:"unit_bytes,omitempty"`
	Tokens    int     `json:"tokens"`
	Active    float64 `json:"active_units"`
	Share     float64 `json:"active_share"`
	Skew      float64 `json:"activity_of_top_26_percent"`
	New       float64 `json:"new_after_5_tokens"`
	Union     float64 `json:"union_of_5_tokens"`
	Repeats   float64 `json:"tokens_that_use_an_expert_again,omitempty"`
}

func newTraceInfo(s *streams) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "info FILE",
		Short: "Tell what a trace holds and how regular it is",
		Args:  oneArg("trace file"),
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	c.RunE = func(c *cobra.Command, args []string) error {
		facts, err := measureTrace(traceFile{c.Context(), args[0]})
		switch {
		case err != nil:
			return err
		case asJSON:
			return writeJSON(s.out, facts)
		}
		sh := newSheet(s.out)
		describeTrace(sh, facts)
		return sh.err
	}
	return c
}

func measureTrace(file traceFile) (facts traceFacts, err error) {
	err = file.read(func(r *trace.Reader) error {
		h := r.Header
		st := trace.NewStatistics(h)
		for {
			token, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
			st.Add(token)
		}
		facts = traceFacts{
			File: file.path, Name: h.Name, Layers: h.Layers(), Groups: len(h.Groups), Units: h.Units(), UnitBytes: h.UnitBytes, Tokens: st.Tokens(),
			Active: st.Active(), Share: st.Share(), Skew: st.Skew(0.26), New: st.New(), Union: st.Union(),
		}
		if h.PerLayer > 1 {
			facts.Repeats = st.Repeats()
		}
		return nil
	})
	return facts, err
}

// describeTrace prints a trace's facts for people.
func describeTrace(sh *sheet, f traceFacts) {
	sh.line(printable(f.Name))
	sh.fact("file", f.File)
	groups := ""
	if f.Groups > f.Layers {
		groups = fmt.Sprintf("%d experts", f.Groups)
	}
	size := ""
	if f.UnitBytes > 0 {
		size = fmt.Sprintf("of %s, %s in all", byteText(int64(f.UnitBytes)), byteText(int64(f.UnitBytes)*int64(f.Units)))
	}
	sh.fact("model", facts(fmt.Sprintf("%d layers", f.Layers), groups, strings.TrimSpace(fmt.Sprintf("%d units %s", f.Units, size))))
	sh.fact("tokens", fmt.Sprint(f.Tokens))
	if f.Tokens == 0 {
		return
	}
	sh.fact("active", fmt.Sprintf("%.0f units for a token, %.1f %%", f.Active, 100*f.Share))
	sh.fact("skew", fmt.Sprintf("the most active 26 %% make %.0f %% of the activity", 100*f.Skew))
	sh.fact("new", fmt.Sprintf("%.0f %% of what is active was not in the %d tokens before", 100*f.New, trace.Window))
	sh.fact("window", fmt.Sprintf("%d tokens use %.1f %% of the units", trace.Window, 100*f.Union))
	if f.Repeats > 0 {
		sh.fact("experts", fmt.Sprintf("in %.0f %% of the cases one is used again by the next token", 100*f.Repeats))
	}
}

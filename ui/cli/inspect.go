package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"hotcell/infer"
	"hotcell/models"
	"hotcell/models/gguf"
	"hotcell/planner"
)

func newInspect(s *streams) *cobra.Command {
	var (
		context         int
		asJSON, tensors bool
	)
	c := &cobra.Command{
		Use:   "inspect [FILE|NAME]",
		Short: "Tell what a model is and whether it can run here",
		Long: "Tells what a GGUF file or a model of the library holds, how it would be computed, and how much memory it takes.\n" +
			"Only the file's header is read. Without an argument it is about the built-in model.",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("%s takes one file, got %d", c.CommandPath(), len(args))
			}
			return nil
		},
	}
	c.Flags().IntVar(&context, "ctx", 0, "context in `tokens` that memory is counted for; 0: what a chat takes")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	c.Flags().BoolVar(&tensors, "tensors", false, "list every tensor too")
	c.RunE = func(_ *cobra.Command, args []string) error {
		if context < 0 {
			return usagef("--ctx must not be negative")
		}
		f, err := models.Open(strings.Join(args, ""))
		if err != nil {
			return err
		}
		defer f.Close()
		d := infer.Describe(f, context)
		var list []tensorFacts
		if tensors {
			list = listTensors(f)
		}
		if asJSON {
			return writeJSON(s.out, struct {
				infer.Description
				Tensors []tensorFacts `json:"tensors,omitempty"`
			}{d, list})
		}
		sh := newSheet(s.out)
		describe(sh, d)
		if tensors {
			sh.tensors(list, !terminal(s.out) || sh.width >= listWidth)
		}
		return sh.err
	}
	return c
}

// tensorFacts is one tensor of a file.
type tensorFacts struct {
	Name   string   `json:"name"`
	Type   string   `json:"type"`
	Shape  []uint64 `json:"shape"` // row length first
	Bytes  int64    `json:"bytes"`
	Offset int64    `json:"offset"` // from the start of the file, or of its part
}

func listTensors(f *gguf.File) (list []tensorFacts) {
	for _, t := range f.Tensors() {
		list = append(list, tensorFacts{t.Name, t.Type.String(), t.Dims, t.Size, t.Offset})
	}
	return list
}

// describe prints a model for people.
func describe(s *sheet, d infer.Description) {
	if d.Name != "" {
		s.line(printable(d.Name))
	}
	s.fact("file", d.File)
	s.fact("container", d.Container+", "+byteText(d.Bytes))
	s.fact("licence", d.License)
	s.fact("family", d.Architecture)
	shape(s, d)
	if len(d.Types) > 0 {
		s.line()
		types(s, d.Types)
	}
	s.line()
	language(s, d)
	s.line()
	use(s, d)
	if d.CannotRun != "" {
		s.fact("cannot run", d.CannotRun)
	}
}

func shape(s *sheet, d infer.Description) {
	m := d.Shape
	if d.Parameters > 0 {
		active := ""
		if d.ActiveParameters < d.Parameters {
			active = fmt.Sprintf(", %s active per token", countText(d.ActiveParameters))
		}
		s.fact("parameters", fmt.Sprintf("%s%s, %.2f bits each", countText(d.Parameters), active, d.BitsPerWeight))
	}
	neurons := fact("%d FFN neurons", m.FeedForward)
	if m.Experts > 0 && m.FeedForward == m.ExpertFeedForward { // there are no dense layers
		neurons = ""
	}
	s.fact("layers", facts(fact("%d", m.Layers), fact("width %d", m.Width), neurons))
	s.fact("attention", facts(fact("%d heads", m.Heads)+fact(" of %d", m.HeadLength), fact("%d KV heads", m.KVHeads)))
	if m.Experts > 0 {
		s.fact("experts", facts(fmt.Sprintf("%d of %d used per token", m.ExpertsUsed, m.Experts), fact("%d neurons each", m.ExpertFeedForward)))
	}
	s.fact("context", fact("%d tokens trained", m.Context))
	if m.RoPEBase > 0 || m.RoPEScaling != "" {
		scaling := m.RoPEScaling
		if scaling != "" && m.RoPEFactor > 0 {
			scaling += " scaling, factor " + decimal(m.RoPEFactor)
		} else if scaling != "" {
			scaling += " scaling"
		}
		base := ""
		if m.RoPEBase > 0 {
			base = "base " + decimal(m.RoPEBase)
		}
		s.fact("RoPE", facts(base, scaling))
	}
	if m.Window > 0 {
		s.fact("window", facts(fact("%d tokens", m.Window)+fact(" in %d layers", m.WindowLayers)))
	}
}

// types is a table that fits the narrowest phone.
func types(s *sheet, list []infer.TypeShare) {
	s.line(fmt.Sprintf("%-8s %7s  %8s %10s %5s", "type", "tensors", "params", "bytes", "%"))
	for _, t := range list {
		s.line(fmt.Sprintf("%-8s %7d  %8s %10s %5.1f", t.Type, t.Tensors, countText(t.Parameters), byteText(t.Bytes), 100*t.Share))
	}
}

func language(s *sheet, d infer.Description) {
	t := d.Tokenizer
	kind := map[string]string{"llama": " (SentencePiece)", "gpt2": " (byte-level BPE)"}[t.Model]
	pre := ""
	if t.Pre != "" {
		pre = "words as " + t.Pre
	}
	model := t.Model
	if model == "" {
		model = "none"
	}
	s.fact("tokenizer", facts(model+kind, pre, fact("%d pieces", t.Pieces)))
	if d.Shape.Vocabulary != t.Pieces {
		s.fact("", fact("embedding of %d rows", d.Shape.Vocabulary))
	}
	name := func(what string, n *infer.TokenName) string {
		if n == nil {
			return ""
		}
		return fmt.Sprintf("%s %d %q", what, n.ID, n.Text)
	}
	s.fact("tokens", facts(name("BOS", t.BOS), name("EOS", t.EOS), name("EOT", t.EOT)))
	template := "none in the file"
	switch {
	case d.Template.Form == "file":
		template = "in the file"
	case d.Template.Form != "":
		template = "built-in form " + d.Template.Form
	case d.Template.InFile:
		template = "in the file, not tried"
	}
	s.fact("template", template)
	s.fact("", d.Template.Warning)
}

// use tells what the engine does with the model.
func use(s *sheet, d infer.Description) {
	switch d.Compute {
	case infer.ComputeDense:
		s.fact("runs", "dense: every weight is used for every token")
	case infer.ComputeSparse:
		predictor := ", but the file has no predictor of which"
		if d.Predictor {
			predictor = ", and the file's predictor tells which (--mode predicted)"
		}
		s.fact("runs", "sparse: after ReLU most neurons are zero"+predictor)
	case infer.ComputeExperts:
		relu := ""
		if d.ReLU {
			relu = ", most of their neurons zero after ReLU"
		}
		s.fact("runs", fmt.Sprintf("experts: the router chooses %d of %d for each token%s", d.Shape.ExpertsUsed, d.Shape.Experts, relu))
	}
	m := d.Memory
	if m.Total == 0 {
		return
	}
	verdict := map[planner.Verdict]string{
		planner.Fits: fmt.Sprintf("; it fits into the %s that are available", byteText(m.Available)),
		planner.Over: fmt.Sprintf("; it does not fit into the %s that are available", byteText(m.Available)),
	}[m.Verdict]
	s.fact("memory", fmt.Sprintf("%s for a context of %d tokens%s", byteText(m.Total), d.Context, verdict))
	for _, part := range []struct {
		label string
		bytes int64
	}{{"weights", m.Weights}, {"KV cache", m.KV}, {"work", m.Work}} {
		s.line(fmt.Sprintf("  %-*s%10s", labelWidth, part.label, byteText(part.bytes)))
	}
}

// tensors lists each tensor on one line, or on two.
func (s *sheet) tensors(list []tensorFacts, wide bool) {
	s.line()
	longest := 0
	for _, t := range list {
		longest = max(longest, len(t.Name))
	}
	for _, t := range list {
		facts := fmt.Sprintf("%-8s%-18s%11d @%d", t.Type, strings.ReplaceAll(strings.Trim(fmt.Sprint(t.Shape), "[]"), " ", "x"), t.Bytes, t.Offset)
		if wide {
			s.line(fmt.Sprintf("%-*s  %s", min(longest, 40), printable(t.Name), facts))
		} else {
			s.line(printable(t.Name))
			s.line("  " + facts)
		}
	}
}

// fact is a number in words, or nothing where the file does not tell it.
func fact(format string, n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(format, n)
}

func decimal(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// facts joins those that are known.
func facts(list ...string) string {
	var known []string
	for _, f := range list {
		if f != "" {
			known = append(known, f)
		}
	}
	return strings.Join(known, ", ")
}

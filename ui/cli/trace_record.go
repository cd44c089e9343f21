package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"hotcell/infer"
	"hotcell/models"
	"hotcell/models/pack"
	"hotcell/neuroncache/trace"
)

func newTraceRecord(s *streams) *cobra.Command {
	var (
		m         modelFlags
		out, text string
		tokens    int
	)
	c := &cobra.Command{
		Use:   "record -o FILE",
		Short: "Record which neurons a model uses for a text",
		Long: "Runs a model with a ReLU over a text, token by token in exact mode, and records which neurons each token uses. Units of the trace are\n" +
			"the neurons' numbers in the model's file.",
		Args: noArgs,
	}
	f := c.Flags()
	f.StringVarP(&m.path, "model", "m", "", "GGUF or pack `file`, or a name in the library; without it the built-in model")
	f.StringVarP(&out, "output", "o", "", "trace `file` to write")
	f.StringVar(&text, "text", "", "text `file`; without it a built-in one")
	f.IntVar(&tokens, "tokens", 600, "most `tokens` of the text that are used")
	f.IntVarP(&m.threads, "threads", "t", 0, "worker threads; 0: one for each fast core")
	f.IntVar(&m.context, "ctx", 0, "`tokens` of a window, into which the text is cut; 0: what the model was trained for, at most 8192")
	m.memoryFlags.add(f)
	c.RunE = func(c *cobra.Command, _ []string) error {
		switch {
		case out == "":
			return usagef("name the trace to write with -o")
		case tokens < 1:
			return usagef("--tokens is %d, expected 1 or more", tokens)
		}
		sample := pack.SampleText
		if text != "" {
			b, err := os.ReadFile(text)
			if err != nil {
				return fmt.Errorf("reading the text: %w", err)
			}
			sample = string(b)
		}
		m.mode = string(infer.ModeExact)
		config, err := m.config()
		if err != nil {
			return err
		}
		session, err := m.open(c.Context(), s, config)
		if err != nil {
			return err
		}
		defer session.Close()
		bar := newProgress(s, "recording")
		recorded, size, err := recordTrace(c.Context(), session, m.path, out, sample, tokens, bar)
		bar.close()
		if err != nil {
			return fmt.Errorf("writing %s: %w", out, err)
		}
		_, err = fmt.Fprintf(s.out, "%s: %s, %d tokens, %s\n", printable(out), printable(session.Info().Name), recorded, byteText(size))
		return err
	}
	return c
}

// recordTrace writes what a session uses for a text to a trace file, and returns the tokens that are in it and its size.
func recordTrace(ctx context.Context, session *infer.Session, model, path, text string, most int, bar *progress) (tokens int, size int64, err error) {
	header := trace.Header{Name: traceName(model), PerLayer: 1}
	for i, l := range session.NeuronLayers() {
		if i == 0 {
			header.UnitBytes = l.Bytes
		}
		header.Groups = append(header.Groups, l.Neurons)
	}
	size, err = replaceFile(path, func(out io.Writer) error {
		w, err := trace.NewWriter(out, header)
		if err != nil {
			return err
		}
		last := len(header.Groups) - 1
		err = session.Record(ctx, text, most, func(r infer.Recorded) error {
			err := w.Add(r.Layer, r.Active)
			if r.Layer == last {
				err = errors.Join(err, w.EndToken())
				tokens = r.Token + 1
				bar.set(int64(tokens), int64(r.Tokens))
			}
			return err
		})
		return errors.Join(err, w.Close())
	})
	return tokens, size, err
}

// traceName is what a trace calls a model; the built-in one has no path.
func traceName(model string) string {
	if model == "" {
		return models.BuiltIn
	}
	return packName(model)
}

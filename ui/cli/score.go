package cli

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"hotcell/infer"
	"hotcell/models"
)

func newLogits(s *streams) *cobra.Command {
	var (
		m                 = modelFlags{kv: "f32"}
		tokens, out       string
		reference, single bool
	)
	c := &cobra.Command{
		Use:   "logits --tokens 1,2,3 -o FILE",
		Short: "Write the logits after each token, for conformance tests",
		Long: "Writes float32 little-endian logits [tokens][vocabulary]. Keys and values are kept as float32 unless --kv asks for another\n" +
			"format. In auto mode a PowerInfer file is computed with its predictor, as PowerInfer does.",
		Args: noArgs,
	}
	m.add(c.Flags())
	c.Flags().StringVar(&tokens, "tokens", "", "token ids separated by commas")
	c.Flags().StringVarP(&out, "output", "o", "", "`file` to write")
	c.Flags().BoolVar(&reference, "reference", false, "compute with the plain float32 reference")
	c.Flags().BoolVar(&single, "single", false, "compute one token at a time, as in decode")
	c.RunE = func(c *cobra.Command, _ []string) error {
		ids, err := parseIDs(tokens)
		if err != nil {
			return err
		}
		config, err := m.config()
		if err != nil {
			return err
		}
		if out == "" {
			return usagef("name the file to write with -o")
		}
		f, err := models.Open(m.path)
		if err != nil {
			return err
		}
		if config.Mode == infer.ModeAuto && config.Plan == nil {
			config.Mode = infer.ModeFile
		}
		if reference {
			defer f.Close()
			rows, err := infer.Reference(f, ids, max(config.Context, 0), config.Mode)
			if err != nil {
				return err
			}
			return writeLogits(out, func(each func(int, []float32)) error {
				for t, row := range rows {
					each(t, row)
				}
				return nil
			})
		}
		config.AtLeast, config.Bare = len(ids), true
		session, err := m.load(c.Context(), s, f, config)
		if err != nil {
			return err
		}
		defer session.Close()
		return writeLogits(out, func(each func(int, []float32)) error {
			return session.Logits(c.Context(), ids, single, each)
		})
	}
	return c
}

func parseIDs(list string) ([]int32, error) {
	var ids []int32
	for _, field := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' }) {
		id, err := strconv.ParseInt(field, 10, 32)
		if err != nil {
			return nil, usagef("%q in --tokens is not a token id", field)
		}
		ids = append(ids, int32(id))
	}
	if len(ids) == 0 {
		return nil, usagef("name the tokens with --tokens 1,2,3")
	}
	return ids, nil
}

// writeLogits writes rows to a temporary file beside path, which takes path's place when all is written.
func writeLogits(path string, compute func(each func(t int, row []float32)) error) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			file.Close()
			os.Remove(file.Name())
		}
	}()
	w := bufio.NewWriter(file)
	var word [4]byte
	err = compute(func(_ int, row []float32) {
		for _, v := range row {
			binary.LittleEndian.PutUint32(word[:], math.Float32bits(v))
			w.Write(word[:]) // Flush reports the first error
		}
	})
	if err != nil {
		return err
	}
	if err = errors.Join(w.Flush(), file.Chmod(0o644), file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

func newPerplexity(s *streams) *cobra.Command {
	var (
		m    modelFlags
		path string
	)
	c := &cobra.Command{
		Use:   "perplexity -f FILE",
		Short: "Measure how well a model predicts a text",
		Long: "Cuts the text into windows of --ctx tokens (512 by default) and scores the second half of each, as llama.cpp does.\n" +
			"Prints the running value, then the final one with its standard error.",
		Args: noArgs,
	}
	m.add(c.Flags())
	c.Flags().StringVarP(&path, "file", "f", "", "text `file`")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if path == "" {
			return usagef("name the text with -f")
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("reading the text: %w", err)
		}
		config, err := m.config()
		if err != nil {
			return err
		}
		session, err := m.open(c.Context(), s, config)
		if err != nil {
			return err
		}
		defer session.Close()
		p, err := session.Perplexity(c.Context(), string(text), m.context, func(p infer.Perplexity) {
			fmt.Fprintf(s.out, "[%d/%d] %.4f\n", p.Window, p.Windows, p.Value())
		})
		if err != nil {
			return err
		}
		fmt.Fprintf(s.out, "perplexity %.4f ± %.4f over %d tokens in %d windows\n", p.Value(), p.Error(), p.Tokens, p.Windows)
		if st := session.Stats(); st.Neurons > 0 {
			share, _ := st.ActiveShare()
			fmt.Fprintf(s.out, "%.1f %% of the neurons active", 100*share)
			if recall, ok := st.Recall(); ok {
				fmt.Fprintf(s.out, ", recall of the predictor %.1f %%", 100*recall)
			}
			fmt.Fprintln(s.out)
		}
		return nil
	}
	return c
}

package cli

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"hotcell/models"
	"hotcell/models/token"
)

func newTokenize(s *streams) *cobra.Command {
	var (
		model string
		o     token.EncodeOptions
		lines bool
	)
	c := &cobra.Command{
		Use:   "tokenize TEXT|-",
		Short: "Print the token ids of a text",
		Long: "Prints the ids separated by spaces. No BOS is added and control tokens written in the text are not parsed, unless asked.\n" +
			"With --lines every input line is one JSON string, and one line of ids is printed for each. A GGUF file without tensors is enough.",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("tokenize takes one text, got %d (quote it)", len(args))
			}
			if len(args) == 0 && terminal(s.in) {
				return usagef("there is no text: give one, or - for standard input")
			}
			return nil
		},
	}
	c.Flags().StringVarP(&model, "model", "m", "", "GGUF `file`; without it the built-in model")
	c.Flags().BoolVar(&o.Special, "special", false, "parse control tokens written in the text")
	c.Flags().BoolVar(&o.BOS, "bos", false, "put the BOS token first")
	c.Flags().BoolVar(&lines, "lines", false, "one JSON string a line")
	c.RunE = func(_ *cobra.Command, args []string) error {
		f, err := models.Open(model)
		if err != nil {
			return err
		}
		defer f.Close()
		t, err := token.New(f)
		if err != nil {
			return err
		}
		if o.BOS {
			if _, ok := t.BOS(); !ok {
				return fmt.Errorf("%s: the vocabulary has no BOS token", f.Name())
			}
		}
		in := s.in
		if len(args) == 1 && args[0] != "-" {
			in = strings.NewReader(args[0])
		}
		out := bufio.NewWriter(s.out)
		if lines {
			err = tokenizeLines(in, out, t, o)
		} else {
			var text []byte
			if text, err = io.ReadAll(in); err == nil {
				writeIDs(out, t.Encode(string(text), o))
			}
		}
		return errors.Join(err, out.Flush())
	}
	return c
}

// tokenizeLines reads one JSON string a line, of any length.
func tokenizeLines(in io.Reader, out *bufio.Writer, t *token.Tokenizer, o token.EncodeOptions) error {
	r := bufio.NewReader(in)
	for n := 1; ; n++ {
		line, err := r.ReadString('\n')
		if line = strings.TrimRight(line, "\r\n"); line != "" {
			var text string
			if err := json.Unmarshal([]byte(line), &text); err != nil {
				return fmt.Errorf("line %d is not a JSON string: %w", n, err)
			}
			writeIDs(out, t.Encode(text, o))
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func writeIDs(out *bufio.Writer, ids []int32) {
	var digits [12]byte
	for i, id := range ids {
		if i > 0 {
			out.WriteByte(' ')
		}
		out.Write(strconv.AppendInt(digits[:0], int64(id), 10))
	}
	out.WriteByte('\n')
}

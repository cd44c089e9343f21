package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"hotcell/models/convert"
	"hotcell/models/gguf"
)

func newConvert(s *streams) *cobra.Command {
	var out, kind, name string
	c := &cobra.Command{
		Use:   "convert FOLDER -o FILE",
		Short: "Turn a Hugging Face model into a GGUF file",
		Long: "Converts a folder with config.json, a tokenizer and safetensors into one GGUF file.\n\n" +
			"Architectures: " + strings.Join(convert.Architectures(), ", ") + ".",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("convert takes one folder, got %d arguments (see %s --help)", len(args), c.CommandPath())
			}
			return nil
		},
	}
	c.Flags().StringVarP(&out, "output", "o", "", "GGUF `file` to write")
	c.Flags().StringVar(&kind, "type", "Q4_0", "`type` of the matrices: Q4_0, Q8_0 or F16")
	c.Flags().StringVar(&name, "name", "", "the model's `name` in the file; without it the folder's")
	c.RunE = func(c *cobra.Command, args []string) error {
		types := map[string]gguf.Type{"Q4_0": gguf.Q4_0, "Q8_0": gguf.Q8_0, "F16": gguf.F16}
		t, ok := types[strings.ToUpper(kind)]
		switch {
		case out == "":
			return usagef("say where the model goes, as in %s %s -o model.gguf", c.CommandPath(), args[0])
		case !ok:
			return usagef("the type %q is not one that can be written (Q4_0, Q8_0, F16)", kind)
		}
		bar := newProgress(s, "converting "+filepath.Base(out))
		err := convert.Convert(c.Context(), args[0], out, convert.Options{Type: t, Name: name, Progress: bar.set})
		bar.close()
		if err != nil {
			return err
		}
		info, err := os.Stat(out)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.out, "%s: %d MB, %v\n", out, (info.Size()+500_000)/1_000_000, t)
		return err
	}
	return c
}

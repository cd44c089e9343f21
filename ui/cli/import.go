package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"hotcell/infer"
	"hotcell/models"
	"hotcell/models/gguf"
	"hotcell/planner"
)

func newImport(s *streams) *cobra.Command {
	var o models.ImportOptions
	c := &cobra.Command{
		Use:   "import FILE",
		Short: "Put a model into the library, to be opened by its name",
		Long: "Checks that a GGUF file can run, reads all of it, and copies it into the library with its checksum, with all parts if it is\n" +
			"split. Afterwards -m NAME opens it; the beginning of a name is enough. An interrupted import leaves nothing behind.",
		Args: oneArg("FILE"),
	}
	c.Flags().StringVar(&o.Name, "name", "", "`name` in the library; without it the file's")
	c.Flags().BoolVar(&o.Link, "link", false, "leave the model where it is and keep a symbolic link")
	c.RunE = func(c *cobra.Command, args []string) error {
		library, err := models.OpenLibrary("")
		if err != nil {
			return err
		}
		var memory planner.Memory
		o.Check = func(f *gguf.File) error {
			d := infer.Describe(f, 0)
			if d.CannotRun != "" {
				return errors.New(printable(f.Name() + ": cannot run: " + d.CannotRun))
			}
			memory = d.Memory
			return nil
		}
		bar := newProgress(s, "importing "+printable(args[0]))
		o.Progress = bar.set
		e, added, err := library.Import(c.Context(), args[0], o)
		bar.close()
		if err != nil {
			return err
		}
		if memory.Verdict == planner.Over {
			fmt.Fprintf(s.err, "It takes %s of memory, but only %s are available now.\n", byteText(memory.Total), byteText(memory.Available))
		}
		did := "imported"
		if !added {
			did = "the library has this model already:"
		}
		_, err = fmt.Fprintf(s.out, "%s %s (%s, %s)\n", did, e.Name, printable(e.Type), byteText(e.Bytes))
		return err
	}
	return c
}

// oneArg asks for exactly one argument.
func oneArg(what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usagef("%s takes one %s, got %d (see %s --help)", c.CommandPath(), what, len(args), c.CommandPath())
		}
		return nil
	}
}

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"hotcell/models"
)

// streams are where a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// usageError is a mistake in the words of a command.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// Main runs the command that args name (without the program's own name) and returns the exit status. An interrupt or a request to terminate
// cancels it.
func Main(args []string, in io.Reader, out, errOut io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	root := newRoot(&streams{in, out, errOut})
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var usage usageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		fmt.Fprintf(errOut, "hotcell: %s\n", printable(err.Error()))
		return 2
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		return 130
	}
	fmt.Fprintf(errOut, "hotcell: %s\n", printable(err.Error()))
	return 1
}

func newRoot(s *streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "hotcell",
		Short: "Chat with a language model that runs on this device",
		Long: "Hotcell runs language models on this device, in the terminal.\n\n" +
			"Without a command it opens a chat with the built-in model; -m FILE takes any GGUF file that the engine knows.",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArgs,
	}
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usagef("%w (see %s --help)", err, c.CommandPath())
	})
	root.PersistentFlags().Func("data-dir", "`folder` of the library and other data (also in $"+models.DataEnv+")", func(dir string) error {
		return os.Setenv(models.DataEnv, dir) // so that the flag and the variable cannot disagree
	})
	chat := newChat(s)
	root.Flags().AddFlagSet(chat.Flags())
	root.RunE = chat.RunE
	root.AddCommand(chat, newRun(s), newTokenize(s), newLogits(s), newPerplexity(s), newInspect(s), newImport(s), newModels(s), newConvert(s), newPack(s), newPlan(s), newTrace(s), newBench(s), newDoctor(s))
	return root
}

// noArgs refuses arguments: for the root command these are misspelt commands.
func noArgs(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if c.HasSubCommands() {
		var hint string
		if near := c.SuggestionsFor(args[0]); len(near) > 0 {
			hint = fmt.Sprintf("; did you mean %s?", strings.Join(near, " or "))
		}
		return usagef("there is no command %q%s (see hotcell --help)", args[0], hint)
	}
	return usagef("%s takes no arguments, got %q (see %s --help)", c.CommandPath(), args[0], c.CommandPath())
}

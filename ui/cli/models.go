package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"hotcell/models"
)

func newModels(s *streams) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "models",
		Short: "List the models of the library",
		Args:  noArgs,
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON list")
	c.RunE = func(*cobra.Command, []string) error {
		library, err := models.OpenLibrary("")
		if err != nil {
			return err
		}
		list, err := library.List()
		if err != nil {
			return err
		}
		if asJSON {
			return writeJSON(s.out, list)
		}
		if len(list) == 0 {
			fmt.Fprintf(s.err, "There are no models in %s; hotcell import FILE puts one there.\n", printable(library.Dir()))
			return nil
		}
		sh := newSheet(s.out)
		listModels(sh, list, !terminal(s.out) || sh.width >= listWidth)
		return sh.err
	}
	c.AddCommand(newModelsRemove(s))
	return c
}

// listModels shows each model on one line, or on two.
func listModels(s *sheet, list []models.Entry, wide bool) {
	longest := 0
	for _, e := range list {
		longest = max(longest, len(e.Name))
	}
	for _, e := range list {
		link := ""
		if e.Link {
			link = "link"
		}
		if wide {
			s.line(strings.TrimRight(fmt.Sprintf("%-*s  %-12s %-8s %8s %10s  %s", min(longest, 40), e.Name,
				printable(e.Architecture), printable(e.Type), countText(e.Parameters), byteText(e.Bytes), link), " "))
		} else {
			s.line(e.Name)
			s.line("  ", printable(facts(e.Architecture, e.Type, countText(e.Parameters), byteText(e.Bytes), link)))
		}
		if e.Problem != "" {
			s.fact("  damaged", e.Problem)
		}
	}
}

func newModelsRemove(s *streams) *cobra.Command {
	return &cobra.Command{
		Use:   "rm NAME",
		Short: "Delete a model from the library",
		Args:  oneArg("NAME"),
		RunE: func(_ *cobra.Command, args []string) error {
			library, err := models.OpenLibrary("")
			if err != nil {
				return err
			}
			e, err := library.Remove(args[0])
			if err != nil {
				return err
			}
			kept := ""
			if e.Link {
				kept = "; the file it linked to is still there"
			}
			_, err = fmt.Fprintf(s.out, "removed %s%s\n", e.Name, kept)
			return err
		},
	}
}

package cli

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"hotcell/infer"
	"hotcell/models"
	"hotcell/models/gguf"
	"hotcell/models/pack"
	"hotcell/planner"
)

// packFlags say what becomes of which file.
type packFlags struct {
	model, output  string
	text           string // file
	tokens         int
	verify, unpack string
}

func newPack(s *streams) *cobra.Command {
	var p packFlags
	c := &cobra.Command{
		Use:   "pack -m MODEL [-o FILE]",
		Short: "Write a model as a pack, to be run from flash when it is larger than memory",
		Long: "Writes a pack: the same values in the order and layout that the engine reads from flash. Neurons of sparse models (those with a\n" +
			"ReLU) are ordered by how often they are active over a text, so the model is run over it first. An interrupted run leaves\n" +
			"FILE.part; the same command goes on from there.\n\n" +
			"--verify reads a whole pack and says what is damaged. --unpack gives the GGUF file back, bit for bit.",
		Args: noArgs,
	}
	c.Flags().StringVarP(&p.model, "model", "m", "", "GGUF `file`, or a name in the library; without it the built-in model")
	c.Flags().StringVarP(&p.output, "output", "o", "", "`file` to write; without it the model's name with .pack, in the current folder")
	c.Flags().StringVar(&p.text, "text", "", "text `file` over which activity is counted; without it a built-in one")
	c.Flags().IntVar(&p.tokens, "tokens", 4096, "most `tokens` of the text that are used; 0 keeps the original order")
	c.Flags().StringVar(&p.verify, "verify", "", "check the pack in `file`")
	c.Flags().StringVar(&p.unpack, "unpack", "", "turn the pack in `file` back into a GGUF file, named with -o")
	c.RunE = func(c *cobra.Command, _ []string) error {
		switch {
		case p.tokens < 0:
			return usagef("--tokens is %d, expected 0 or more", p.tokens)
		case p.verify != "" && p.unpack != "", p.verify+p.unpack != "" && p.model != "":
			return usagef("--verify, --unpack and -m do not go together: each names a file to work on")
		case p.verify != "":
			return p.check(c.Context(), s)
		case p.unpack != "" && p.output == "":
			return usagef("say where the model goes, as in %s --unpack %s -o model.gguf", c.CommandPath(), p.unpack)
		case p.unpack != "":
			return p.restore(c.Context(), s)
		}
		return p.write(c.Context(), s)
	}
	return c
}

// write packs the model.
func (p *packFlags) write(ctx context.Context, s *streams) error {
	f, err := models.Open(p.model)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, is := pack.Of(f); is {
		return fmt.Errorf("%s: this is a pack already", f.Name())
	}
	if p.output == "" {
		p.output = packName(f.Name())
	}
	activity, err := p.activity(ctx, s, f)
	if err != nil {
		return err
	}
	bar := newProgress(s, "packing "+printable(f.Name()))
	err = pack.Write(ctx, f, p.output, pack.Options{Activity: activity, Progress: bar.set})
	bar.close()
	if err != nil {
		return err
	}
	made, err := pack.Open(p.output)
	if err != nil {
		return err
	}
	defer made.Close()
	order := "neurons in their original order"
	if activity != nil {
		order = fmt.Sprintf("neurons by their activity over %d tokens", activity.Tokens)
	}
	_, err = fmt.Fprintf(s.out, "%s: %s, %s of it always in memory, %s\n", p.output, byteText(made.Size()), byteText(residentBytes(made)), order)
	return err
}

// activity counts how often neurons are active; nil for a model where that makes no difference, or that is too large to be run for it.
func (p *packFlags) activity(ctx context.Context, s *streams, f *gguf.File) (*pack.Activity, error) {
	if p.tokens == 0 || !pack.Sparse(f) {
		return nil, nil
	}
	text := pack.SampleText
	if p.text != "" {
		b, err := os.ReadFile(p.text)
		if err != nil {
			return nil, fmt.Errorf("reading the text: %w", err)
		}
		text = string(b)
	}
	if need, err := infer.MemoryNeed(f, infer.Config{}); err == nil && need.Verdict == planner.Over {
		if p.text != "" {
			return nil, fmt.Errorf("%s: running the model over the text takes %s of memory, but only %s are available; without --text its neurons keep their order",
				f.Name(), byteText(need.Total), byteText(need.Available))
		}
		fmt.Fprintf(s.err, "%s takes %s of memory, but only %s are available: its neurons are not counted and keep their order.\n",
			printable(f.Name()), byteText(need.Total), byteText(need.Available))
		return nil, nil
	}
	bar := newProgress(s, "counting activity")
	counted, err := infer.CountActivity(ctx, f, text, p.tokens, func(done, total int) { bar.set(int64(done), int64(total)) })
	bar.close()
	if err != nil {
		return nil, err
	}
	return &pack.Activity{Tokens: counted.Tokens, Counts: counted.Counts}, nil
}

// partOfSplit ends the name of a file of a split model.
var partOfSplit = regexp.MustCompile(`-\d{5}-of-\d{5}$`)

// packName is what a model's pack is called unless the user says so.
func packName(model string) string {
	name := partOfSplit.ReplaceAllString(strings.TrimSuffix(model, ".gguf"), "")
	return strings.ReplaceAll(name, " ", "-") + ".pack"
}

// residentBytes is the size of the tensors that lie in no group.
func residentBytes(f *pack.File) (n int64) {
	for _, t := range f.GGUF().Tensors() {
		n += t.Size
	}
	return n
}

// mostDamages is how many places --verify names.
const mostDamages = 20

// check reads a whole pack and reports.
func (p *packFlags) check(ctx context.Context, s *streams) error {
	f, err := pack.Open(p.verify)
	if err != nil {
		return err
	}
	defer f.Close()
	start, end := f.Data()
	fmt.Fprintf(s.out, "format      version %d, %d groups, %d tensors: right\n", pack.Version, len(f.Groups()), len(f.Tensors()))
	bar := newProgress(s, "checking "+printable(f.Name()))
	damage, err := f.Check(ctx, bar.set)
	bar.close()
	if err != nil {
		return err
	}
	pages := (end - start) / pack.PageBytes
	if len(damage) == 0 {
		_, err = fmt.Fprintf(s.out, "checksums   %d pages: right\nmodel       SHA-256 %s: right\n", pages, f.Hash())
		return err
	}
	var bad int64
	for i, d := range damage {
		bad += d.Bytes / pack.PageBytes
		if i < mostDamages {
			fmt.Fprintf(s.out, "damaged     %d bytes at offset %d: %s\n", d.Bytes, d.Offset, printable(d.Where))
		}
	}
	if n := len(damage) - mostDamages; n > 0 {
		fmt.Fprintf(s.out, "damaged     and %d more places\n", n)
	}
	return fmt.Errorf("%s: %d of %d pages are damaged; make the pack anew", f.Name(), bad, pages)
}

// restore gives the GGUF file back.
func (p *packFlags) restore(ctx context.Context, s *streams) error {
	f, err := pack.Open(p.unpack)
	if err != nil {
		return err
	}
	defer f.Close()
	bar := newProgress(s, "unpacking "+printable(f.Name()))
	err = pack.Unpack(ctx, f, p.output, bar.set)
	bar.close()
	if err != nil {
		return err
	}
	info, err := os.Stat(p.output)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%s: %s, SHA-256 %s\n", p.output, byteText(info.Size()), f.Hash())
	return err
}

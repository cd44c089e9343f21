package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/term"
)

// A sheet shows facts, each a label and a text, wrapped to the terminal. Texts may come from a file: they are cleaned.
//
//	container   GGUF v3, 5.6 MiB
//	cannot run  the architecture "novel" is not
//	            supported
type sheet struct {
	out   io.Writer
	width int // columns
	err   error
}

const (
	labelWidth  = 12
	plainWidth  = 80 // where there is no terminal to ask
	widestSheet = 100
	// listWidth is where a list takes one line for each item.
	listWidth = 90
)

func newSheet(out io.Writer) *sheet {
	s := &sheet{out: out, width: plainWidth}
	if f, ok := out.(*os.File); ok && terminal(f) {
		if w, _, err := term.GetSize(f.Fd()); err == nil && w > 0 {
			s.width = min(w, widestSheet)
		}
	}
	return s
}

// fact shows a text under a label; an empty text is left out. On a terminal too narrow for two columns the text goes below.
func (s *sheet) fact(label, text string) {
	text = printable(text)
	if text == "" {
		return
	}
	indent := labelWidth
	if s.width < 2*labelWidth {
		s.line(label)
		label, indent = "", 2
	}
	for _, line := range strings.Split(ansi.Wrap(text, max(4, s.width-indent), ""), "\n") {
		s.line(fmt.Sprintf("%-*s%s", indent, label, strings.TrimRight(line, " ")))
		label = ""
	}
}

// line writes a line as it is, an empty one without arguments.
func (s *sheet) line(text ...string) {
	if s.err == nil {
		_, s.err = fmt.Fprintln(s.out, strings.Join(text, ""))
	}
}

// printable makes text from a file one line that is safe to show: what is not printable becomes a box, white space a space.
func printable(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return '□'
		}
		return r
	}, strings.ToValidUTF8(text, "□"))
	return strings.TrimSpace(text)
}

// writeJSON writes one object or list, in which characters that a terminal could obey are escaped.
func writeJSON(out io.Writer, v any) error {
	var text, b strings.Builder
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return err
	}
	for _, r := range text.String() {
		switch {
		case r == '\n' || unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// byteText is a size as people read it: 5.6 MiB.
func byteText(n int64) string {
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	v, unit := float64(n)/1024, 0
	for ; v >= 1023.95 && unit < 3; unit++ {
		v /= 1024
	}
	return fmt.Sprintf("%.1f %s", v, [...]string{"KiB", "MiB", "GiB", "TiB"}[unit])
}

// countText is a number of parameters as model names write it: 8.1 M, 30.5 B.
func countText(n uint64) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	v, unit := float64(n)/1000, 0
	for ; v >= 999.95 && unit < 3; unit++ {
		v /= 1000
	}
	return fmt.Sprintf("%.1f %s", v, [...]string{"K", "M", "B", "T"}[unit])
}

// Command ansisvg draws a terminal's screen as an SVG picture. It reads what
// `tmux capture-pane -e -p` prints, which is lines of text whose only escape
// sequences choose colours and attributes (SGR), and writes the SVG:
//
//	tmux capture-pane -e -p | go run ./docs/screenshots/ansisvg -width 80 -height 24 > screen.svg
//
// Runs of ASCII in one style are one text element. Every other character is
// placed by itself, so that the cells stay in their columns also where a font
// lacks a glyph and another one with another width takes its place.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"html"
	"io"
	"os"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// The size of a cell of DejaVu Sans Mono, in pixels. The height is the font's
// ascent and descent, at which box-drawing characters of two lines touch.
const (
	fontSize   = 14.0
	cellWidth  = 0.602 * fontSize
	cellHeight = 1.164 * fontSize
	ascent     = 0.928 * fontSize
	margin     = fontSize
)

func main() {
	width := flag.Int("width", 80, "columns of the screen")
	height := flag.Int("height", 24, "rows of the screen")
	flag.Parse()
	if err := draw(os.Stdout, os.Stdin, *width, *height); err != nil {
		fmt.Fprintln(os.Stderr, "ansisvg:", err)
		os.Exit(1)
	}
}

// draw reads a screen and writes its picture.
func draw(out io.Writer, in io.Reader, width, height int) error {
	w := bufio.NewWriter(out)
	pixelWidth, pixelHeight := float64(width)*cellWidth+2*margin, float64(height)*cellHeight+2*margin
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" font-family="DejaVu Sans Mono, monospace" font-size="%g" xml:space="preserve">`+"\n",
		pixelWidth, pixelHeight, fontSize)
	fmt.Fprintf(w, `<rect width="100%%" height="100%%" rx="8" fill="%s"/>`+"\n", background)
	lines := bufio.NewScanner(in)
	for y := 0; y < height && lines.Scan(); y++ {
		drawLine(w, lines.Text(), margin+float64(y)*cellHeight)
	}
	fmt.Fprintln(w, "</svg>")
	if err := lines.Err(); err != nil {
		return err
	}
	return w.Flush()
}

// drawLine draws one row of cells whose upper edge is at y.
func drawLine(w io.Writer, line string, y float64) {
	var (
		style style
		run   strings.Builder // ASCII not drawn yet
		start int             // its first column
		x     int             // the column
		state byte
	)
	flush := func() {
		drawText(w, run.String(), start, x-start, y, style)
		run.Reset()
		start = x
	}
	for len(line) > 0 {
		sequence, cells, n, next := ansi.DecodeSequence(line, state, nil)
		line, state = line[n:], next
		switch {
		case cells == 0:
			flush()
			style.apply(sequence)
		case cells == 1 && sequence[0] < 0x80:
			run.WriteString(sequence)
			x++
		default:
			flush()
			x += cells
			drawText(w, sequence, start, cells, y, style)
			start = x
		}
	}
	flush()
}

func drawText(w io.Writer, text string, column, cells int, y float64, s style) {
	if text == "" {
		return
	}
	foreground, behind := s.colours()
	x := margin + float64(column)*cellWidth
	if behind != background {
		fmt.Fprintf(w, `<rect x="%.2f" y="%.2f" width="%.2f" height="%.2f" fill="%s"/>`+"\n", x, y, float64(cells)*cellWidth, cellHeight, behind)
	}
	if strings.TrimSpace(text) == "" {
		return
	}
	attributes := ""
	if s.bold {
		attributes += ` font-weight="bold"`
	}
	if s.italic {
		attributes += ` font-style="italic"`
	}
	if s.underline {
		attributes += ` text-decoration="underline"`
	}
	if s.dim {
		attributes += ` fill-opacity="0.6"`
	}
	fmt.Fprintf(w, `<text x="%.2f" y="%.2f" fill="%s"%s>%s</text>`+"\n", x, y+ascent, foreground, attributes, html.EscapeString(text))
}

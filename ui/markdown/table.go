package markdown

import (
	"bytes"
	"slices"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

const (
	minColumn     = 8       // cells below which a column is not squeezed; the table is stacked instead
	maxTableCells = 8 << 10 // a larger table stays text: each row has all columns, so a few kB could ask for gigabytes
)

// tableParser is goldmark's parser of tables with a limit.
type tableParser struct{ parser.ParagraphTransformer }

func newTableParser() parser.ParagraphTransformer {
	return tableParser{extension.NewTableParagraphTransformer()}
}

func (t tableParser) Transform(n *ast.Paragraph, reader text.Reader, pc parser.Context) {
	lines, columns := n.Lines(), 1
	for i := range lines.Len() {
		seg := lines.At(i)
		line, seen := seg.Value(reader.Source()), 0
		if isDense(line, &seen) {
			return
		}
		columns = max(columns, 1+bytes.Count(line, []byte("|")))
	}
	if columns*lines.Len() <= maxTableCells {
		t.ParagraphTransformer.Transform(n, reader, pc)
	}
}

// table draws a table. Columns are as wide as their text if there is room; else the widest ones are squeezed
// and their cells wrapped; and where that leaves less than a word a column, each row becomes a few lines
// of "column: value".
func (r *renderer) table(n *extast.Table) {
	var cells [][]cell // [row][column]; the first row is the header
	widths := make([]int, len(n.Alignments))
	for line := n.FirstChild(); line != nil; line = line.NextSibling() {
		m := plain
		if line == n.FirstChild() {
			m = strong
		}
		var columns []cell
		for c := line.FirstChild(); c != nil && len(columns) < len(widths); c = c.NextSibling() {
			spans := r.inline(c, m)
			rows, w := wrap(r.sheet, spans, maxOpen), 0
			for _, row := range rows {
				w = max(w, row.cells)
			}
			widths[len(columns)] = max(widths[len(columns)], w)
			columns = append(columns, cell{spans, rows, w})
		}
		cells = append(cells, columns)
	}
	const between = 3 // cells between columns
	if !squeeze(widths, r.room-between*(len(widths)-1)) {
		r.stacked(cells)
		return
	}
	wall := " " + r.sheet.render(r.sheet.wall, dim) + " "
	for i, columns := range cells {
		r.tableRow(columns, widths, n.Alignments, wall)
		if i == 0 {
			rules := make([]string, len(widths))
			for i, w := range widths {
				rules[i] = strings.Repeat(r.sheet.rule, w)
			}
			r.emit(r.sheet.render(strings.Join(rules, r.sheet.rule+r.sheet.cross+r.sheet.rule), dim))
		}
	}
}

// cell is a cell of a table.
type cell struct {
	spans []span
	rows  []row // where it has the room that it wants
	wants int   // cells of the screen
}

// squeeze takes from the widest columns until the sum fits into the room, or reports that they would get too
// narrow.
func squeeze(widths []int, room int) bool {
	sum, widest := 0, 0
	for _, w := range widths {
		sum, widest = sum+w, max(widest, w)
	}
	for sum > room {
		if widest <= minColumn {
			return false
		}
		widest--
		for i, w := range widths {
			if w > widest && sum > room {
				widths[i]--
				sum--
			}
		}
	}
	return true
}

// tableRow draws one row, whose cells may take several lines.
func (r *renderer) tableRow(columns []cell, widths []int, align []extast.Alignment, wall string) {
	wrapped, height := make([][]row, len(widths)), 1
	for i := range widths {
		if i < len(columns) {
			if wrapped[i] = columns[i].rows; columns[i].wants > widths[i] {
				wrapped[i] = wrap(r.sheet, columns[i].spans, widths[i])
			}
		}
		height = max(height, len(wrapped[i]))
	}
	for k := range height {
		var line strings.Builder
		for i, w := range widths {
			if i > 0 {
				line.WriteString(wall)
			}
			var text row
			if k < len(wrapped[i]) {
				text = wrapped[i][k]
			}
			left := 0
			switch free := w - text.cells; align[i] {
			case extast.AlignRight:
				left = free
			case extast.AlignCenter:
				left = free / 2
			}
			line.WriteString(strings.Repeat(" ", left) + text.text)
			if i < len(widths)-1 {
				line.WriteString(strings.Repeat(" ", w-text.cells-left))
			}
		}
		r.emit(strings.TrimRight(line.String(), " "))
	}
}

// stacked draws the rows of a table one under the other, a line or more for each cell that is not empty.
func (r *renderer) stacked(cells [][]cell) {
	header := cells[0]
	if len(cells) == 1 {
		for _, c := range header {
			r.paragraph(c.spans)
		}
	}
	for i, columns := range cells[1:] {
		if i > 0 {
			r.rule()
		}
		for k, c := range columns {
			if len(c.spans) == 0 {
				continue
			}
			spans := c.spans
			if k < len(header) && len(header[k].spans) > 0 {
				spans = slices.Concat(header[k].spans, []span{{": ", strong}}, spans)
			}
			r.paragraph(spans)
		}
	}
}

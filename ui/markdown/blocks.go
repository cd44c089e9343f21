package markdown

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"

	"hotcell/ui/look"
)

// renderer draws the blocks of one tree.
type renderer struct {
	sheet *Sheet
	src   []byte
	width int    // of lines
	from  frozen // what stands before src
	stop  place  // nothing from there on is drawn

	unfinished ast.Node // the last paragraph, if more text may come

	lines []string
	codes []code
	lex   lexer // of the code block drawn last

	lead string // drawn before each line: indents and the bars of quotes
	once string // drawn instead of lead before the next line, if not empty: a list item's marker
	room int    // cells behind lead
}

// emit adds a line that fits into the room.
func (r *renderer) emit(text string) {
	lead := r.lead
	if r.once != "" {
		lead, r.once = r.once, ""
	}
	if text == "" {
		lead = strings.TrimRight(lead, " ")
	}
	r.lines = append(r.lines, lead+text)
}

// paragraph adds spans, wrapped.
func (r *renderer) paragraph(spans []span) {
	for _, row := range wrap(r.sheet, spans, r.room) {
		r.emit(row.text)
	}
}

// rule adds a line across the room.
func (r *renderer) rule() { r.emit(r.sheet.render(strings.Repeat(r.sheet.rule, r.room), dim)) }

// indented draws body behind a marker of so many cells and, from the second line on, behind rest. Where that
// would take more than half of the line, the marker has a line of its own, if first is not rest.
func (r *renderer) indented(first, rest string, cells int, body func()) {
	if r.width-r.room+cells > r.width/2 {
		if first != rest {
			r.paragraph([]span{{strings.TrimRight(first, " "), dim}})
		}
		body()
		return
	}
	lead, room := r.lead, r.room
	if r.once == "" {
		r.once = lead
	}
	r.once += r.sheet.render(first, dim)
	if strings.TrimSpace(rest) != "" {
		rest = r.sheet.render(rest, dim)
	}
	r.lead, r.room = lead+rest, room-cells
	body()
	if r.once != "" { // nothing was drawn behind the marker
		r.emit("")
	}
	r.lead, r.room = lead, room
}

// past reports whether a block of the top level, or an item of a list there, is behind the part to be drawn.
func (r *renderer) past(n ast.Node) bool { return lineStart(r.src, n.Pos()) >= r.stop.at }

// gap adds a blank line if the source has one before a block.
func (r *renderer) gap(n ast.Node) {
	if len(r.lines) == 0 {
		return
	}
	start := lineStart(r.src, n.Pos())
	if start == 0 && r.from.blank || blankBefore(r.src, start) {
		r.emit("")
	}
}

// blocks draws the blocks in a container.
func (r *renderer) blocks(parent ast.Node) {
	top := parent.Kind() == ast.KindDocument
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		if top && r.past(n) {
			return
		}
		if top || n.PreviousSibling() != nil {
			r.gap(n)
		}
		r.block(n)
	}
}

func (r *renderer) block(n ast.Node) {
	switch n := n.(type) {
	case *ast.Heading:
		r.heading(n)
	case *ast.Paragraph, *ast.TextBlock:
		r.paragraph(r.inline(n, plain))
	case *ast.ThematicBreak:
		r.rule()
	case *ast.FencedCodeBlock:
		r.code(n, look.Label(string(n.Language(r.src))))
	case *ast.CodeBlock:
		r.code(n, "")
	case *ast.HTMLBlock:
		r.asTyped(n)
	case *ast.Blockquote:
		bar := r.sheet.wall + " "
		r.indented(bar, bar, 2, func() { r.blocks(n) })
	case *ast.List:
		r.list(n)
	case *extast.Table:
		r.table(n)
	default:
		r.blocks(n)
	}
}

func (r *renderer) heading(n *ast.Heading) {
	m := heading
	if n.Level > 2 {
		m = strong
	}
	spans := r.inline(n, m)
	if len(spans) == 0 {
		return
	}
	r.paragraph(append([]span{{r.sheet.shown(m, strings.Repeat("#", n.Level)+" "), m}}, spans...))
}

// asTyped draws HTML.
func (r *renderer) asTyped(n *ast.HTMLBlock) {
	var lines []string
	for i := range n.Lines().Len() {
		seg := n.Lines().At(i)
		lines = append(lines, look.Sanitize(string(bytes.TrimRight(seg.Value(r.src), "\r\n"))))
	}
	if n.HasClosure() {
		lines = append(lines, look.Sanitize(string(bytes.TrimRight(n.ClosureLine.Value(r.src), "\r\n"))))
	}
	r.paragraph([]span{{strings.Join(lines, "\n"), plain}})
}

// list draws the items of a list. Numbers count up from the first one, as CommonMark has it.
func (r *renderer) list(n *ast.List) {
	top := n.Parent().Kind() == ast.KindDocument
	number := firstNumber(n, r.from)
	for item := n.FirstChild(); item != nil; item = item.NextSibling() {
		if top && r.past(item) {
			return
		}
		if item != n.FirstChild() {
			r.gap(item)
		}
		marker, cells := r.sheet.bullet+" ", 2
		if n.IsOrdered() {
			marker = strconv.Itoa(number) + string(rune(n.Marker)) + " "
			cells = len(marker)
		} else if box := checkbox(item); box != "" {
			marker, cells = box, len(box)
		}
		r.indented(marker, strings.Repeat(" ", cells), cells, func() { r.blocks(item) })
		number++
	}
}

// checkbox is the marker of a task, "" if the item is not one.
func checkbox(item ast.Node) string {
	if item.FirstChild() == nil {
		return ""
	}
	box, ok := item.FirstChild().FirstChild().(*extast.TaskCheckBox)
	switch {
	case !ok:
		return ""
	case box.IsChecked:
		return "[x] "
	}
	return "[ ] "
}

// lastLeaf is the block at the end of the tree, a paragraph or the like.
func lastLeaf(n ast.Node) ast.Node {
	for n.LastChild() != nil && n.LastChild().Type() == ast.TypeBlock {
		n = n.LastChild()
	}
	return n
}

// waiting is how many bytes at the end of an open text are markers that wait for what they mark. A line of them
// may become an item or a rule, or make the paragraph above a heading; stars may begin strong text or be half of
// its end.
func waiting(text string) int {
	line := text[strings.LastIndexByte(text, '\n')+1:]
	if strings.Trim(line, "-=*+#>|:~` ") == "" {
		return len(line)
	}
	before := strings.TrimRight(line, "*")
	switch stars := len(line) - len(before); {
	case stars == 2 && strings.HasSuffix(before, " "), stars == 1 && strings.Count(before, "**")%2 == 1:
		return stars
	}
	return 0
}

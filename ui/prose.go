package ui

import (
	"hotcell/ui/look"
	"hotcell/ui/markdown"
)

// sheetOf is the look of markdown.
func sheetOf(t look.Theme) *markdown.Sheet {
	return markdown.NewSheet(markdown.Style{
		Heading: t.Accent, Strong: t.Strong, Emphasis: t.Plain().Italic(true), Strike: t.Plain().Strikethrough(true),
		Code: t.Code, Link: t.Dim, Dim: t.Dim,
		Keyword: t.Accent, String: t.OK, Comment: t.Dim, Number: t.Warn.Bold(false),
		ASCII: t.ASCII,
	})
}

// prose is an answer's text as markdown.
type prose struct{ doc *markdown.Document }

// rows are the lines of a text; open says that more will come. The slice is valid until the next call.
func (p *prose) rows(text string, open bool, width int, sheet *markdown.Sheet) []string {
	if p.doc == nil {
		p.doc = markdown.New(sheet)
	}
	p.doc.SetText(text, open)
	return trimBlank(p.doc.Lines(width))
}

// blocks are the code blocks of what was drawn last.
func (p *prose) blocks() []markdown.Code {
	if p.doc == nil {
		return nil
	}
	return p.doc.Blocks()
}

package markdown

import (
	"bytes"
	"strings"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/util"

	"hotcell/ui/look"
)

// inliner turns what is inside a paragraph into spans.
type inliner struct {
	sheet *Sheet
	src   []byte
	spans []span
}

// inline is the content of a block as spans, all of which have the mark base.
func (r *renderer) inline(block ast.Node, base mark) []span {
	in := inliner{sheet: r.sheet, src: r.src}
	in.children(block, base)
	in.clean()
	if block == r.unfinished {
		in.closeCode()
		in.closeStrong()
	}
	return in.spans
}

// raw adds text whose newlines are spaces.
func (in *inliner) raw(text string, m mark) { in.add(strings.ReplaceAll(text, "\n", " "), m) }

// add adds text in which a newline is a break. It is not clean yet.
func (in *inliner) add(text string, m mark) {
	if text != "" {
		in.spans = append(in.spans, span{text, m})
	}
}

// clean joins neighbours that look the same and sanitises them. The parser splits text at brackets, which
// are also parts of escape sequences: so first the one, then the other.
func (in *inliner) clean() {
	var cleaned []span
	for i := 0; i < len(in.spans); {
		m := in.spans[i].mark
		var text strings.Builder
		for ; i < len(in.spans) && in.spans[i].mark == m; i++ {
			text.WriteString(in.spans[i].text)
		}
		if s := look.Sanitize(text.String()); s != "" {
			cleaned = append(cleaned, span{s, m})
		}
	}
	in.spans = cleaned
}

// around adds a node's children, between marks of markdown if m cannot be seen.
func (in *inliner) around(n ast.Node, outer, m mark, instead string) {
	instead = in.sheet.shown(m, instead)
	in.add(instead, outer)
	in.children(n, outer|m)
	in.add(instead, outer)
}

func (in *inliner) children(parent ast.Node, m mark) {
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		in.node(n, m)
	}
}

func (in *inliner) node(n ast.Node, m mark) {
	switch n := n.(type) {
	case *ast.Text:
		value := n.Segment.Value(in.src)
		if !n.IsRaw() {
			value = unescape(value)
		}
		in.raw(string(value), m)
		if n.SoftLineBreak() || n.HardLineBreak() {
			in.add("\n", m)
		}
	case *ast.String: // mathematics
		for i, line := range strings.Split(string(n.Value), "\n") {
			if i > 0 {
				in.add("\n", m)
			}
			in.raw(line, m)
		}
	case *ast.CodeSpan:
		instead := in.sheet.shown(inlineCode, "`")
		in.add(instead, m)
		for c := n.FirstChild(); c != nil; c = c.NextSibling() {
			if text, ok := c.(*ast.Text); ok {
				in.raw(string(text.Segment.Value(in.src)), m|inlineCode)
			}
		}
		in.add(instead, m)
	case *ast.Emphasis:
		if n.Level == 1 {
			in.around(n, m, emphasis, "*")
		} else {
			in.around(n, m, strong, "**")
		}
	case *extast.Strikethrough:
		in.around(n, m, strike, "~~")
	case *ast.AutoLink:
		in.raw(string(n.Label(in.src)), m|link)
	case *ast.Link:
		in.linked(n, n.Destination, m)
	case *ast.Image:
		in.linked(n, n.Destination, m)
	case *ast.RawHTML:
		value := n.Segments.Value(in.src)
		if isLineBreak(value) {
			in.add("\n", m)
		} else {
			in.raw(string(value), m)
		}
	case *extast.TaskCheckBox: // the item's marker
	default:
		in.children(n, m)
	}
}

// linked adds the text of a link and its address, which is shown once if the text is the address.
func (in *inliner) linked(n ast.Node, address []byte, m mark) {
	first := len(in.spans)
	in.children(n, m)
	var text strings.Builder
	for _, s := range in.spans[first:] {
		text.WriteString(s.text)
	}
	url := look.Label(string(unescape(address)))
	switch {
	case url == "" || url == look.Label(text.String()):
	case text.Len() == 0:
		in.add(url, m|link)
	default:
		in.add(" (", m|dim)
		in.add(url, m|link)
		in.add(")", m|dim)
	}
}

// isLineBreak reports whether a piece of HTML is <br>, the one way to break a line inside a table.
func isLineBreak(html []byte) bool {
	switch strings.ToLower(string(html)) {
	case "<br>", "<br/>", "<br />":
		return true
	}
	return false
}

// unescape resolves backslashes and entities.
func unescape(value []byte) []byte {
	if !bytes.ContainsAny(value, `\&`) {
		return value
	}
	var out []byte
	for i := 0; i < len(value); i++ {
		c := value[i]
		if c == '\\' && i+1 < len(value) && util.IsPunct(value[i+1]) {
			i++
			out = append(out, value[i])
			continue
		}
		if c == '&' {
			if n := bytes.IndexByte(value[i:min(len(value), i+maxEntity)], ';'); n > 0 {
				entity := value[i : i+n+1]
				out = append(out, util.ResolveEntityNames(util.ResolveNumericReferences(entity))...)
				i += n
				continue
			}
		}
		out = append(out, c)
	}
	return out
}

const maxEntity = 33 // bytes of the longest name of an entity, & and ; included

// closeCode makes what follows a lone backtick in the last line inline code: its end is still to come.
func (in *inliner) closeCode() {
	if in.sheet.sequence(inlineCode) == "" {
		return
	}
	for i := len(in.spans) - 1; i >= 0; i-- {
		s := &in.spans[i]
		if s.mark&inlineCode == 0 {
			if at := strings.LastIndexByte(s.text, '`'); at >= 0 {
				if at > 0 && s.text[at-1] == '`' || strings.Contains(s.text[at:], "\n") {
					return
				}
				rest := s.text[at+1:]
				s.text = s.text[:at]
				for _, later := range in.spans[i+1:] {
					rest += later.text
				}
				in.spans = append(in.spans[:i+1], span{rest, s.mark | inlineCode})
				return
			}
		}
		if strings.Contains(s.text, "\n") {
			return
		}
	}
}

// closeStrong makes what follows two lone stars in the last line strong.
func (in *inliner) closeStrong() {
	if in.sheet.sequence(strong) == "" {
		return
	}
	for i := len(in.spans) - 1; i >= 0; i-- {
		s := in.spans[i]
		at := strings.LastIndex(s.text, "**")
		if s.mark&(inlineCode|strong) == 0 && at >= 0 && !strings.Contains(s.text[at:], "\n") {
			before, after := s.text[:at], s.text[at+2:]
			if opens(before, after, i+1 < len(in.spans)) {
				later := append([]span{{after, s.mark}}, in.spans[i+1:]...)
				in.spans = append(in.spans[:i:i], span{before, s.mark})
				for _, s := range later {
					in.spans = append(in.spans, span{s.text, s.mark | strong})
				}
			}
			return
		}
		if strings.Contains(s.text, "\n") {
			return
		}
	}
}

// opens reports whether two stars between the texts before and after begin strong text.
func opens(before, after string, more bool) bool {
	if after == "" && !more || strings.HasPrefix(after, " ") {
		return false
	}
	if before == "" {
		return true
	}
	c := before[len(before)-1]
	return c == ' ' || c == '\n' || c == '(' || c >= 0x80
}

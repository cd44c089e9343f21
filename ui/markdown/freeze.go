package markdown

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
)

// place is a place in a parsed source up to which it is drawn. It is the start of a line, unless the
// source was cut inside one.
type place struct {
	at     int
	number int                  // of the item of an ordered list that begins there, else 0
	code   *ast.FencedCodeBlock // the code block that the place is in, else nil
}

// freezable finds the last place in the source before which nothing can change by text that is added. Its at is 0
// if there is none. The line behind the place, or before it inside a code block, is complete: the start
// of a line can look like another block than the whole one.
//
// Which places there are depends on the text alone and a place once found stays one, so it makes
// no difference how often a growing text is looked at.
func freezable(tree ast.Node, src []byte, from frozen) place {
	begin := len(from.fence)
	last := tree.LastChild()
	if code, ok := last.(*ast.FencedCodeBlock); ok {
		for i := code.Lines().Len() - 1; i >= 0; i-- {
			if stop := code.Lines().At(i).Stop; stop > begin && src[stop-1] == '\n' {
				return place{at: stop, code: code}
			}
		}
	}
	for n := last; n != nil; n = n.PreviousSibling() {
		if list, ok := n.(*ast.List); ok {
			number := firstNumber(list, from) + list.ChildCount() - 1
			for item := list.LastChild(); item != list.FirstChild(); item = item.PreviousSibling() {
				if start := lineStart(src, item.Pos()); start > begin && isWhole(src, start) {
					if !list.IsOrdered() {
						number = 0
					}
					return place{at: start, number: number}
				}
				number--
			}
		}
		if n.PreviousSibling() == nil {
			break
		}
		start := lineStart(src, n.Pos())
		_, afterCode := n.PreviousSibling().(*ast.FencedCodeBlock)
		if start > begin && isWhole(src, start) && (afterCode || blankBefore(src, start)) {
			return place{at: start}
		}
	}
	return place{}
}

// firstNumber is the number of the first item of a list of the top level. The list may go on one whose first
// items are frozen.
func firstNumber(list *ast.List, from frozen) int {
	if from.number > 0 && list.PreviousSibling() == nil && list.Parent() != nil && list.Parent().Kind() == ast.KindDocument {
		return from.number
	}
	return list.Start
}

// cutAt is where a part without a freezable place is cut: behind its last line, else before its last word, else
// before its last character. What follows must not look like an indent or the end of a code block.
func cutAt(part string) int {
	if i := strings.LastIndexByte(part, '\n'); i >= 0 {
		return i + 1
	}
	between := len(part)
	for i := len(part) - 1; i > len(part)/2; i-- {
		if !utf8.RuneStart(part[i]) || strings.IndexByte(" \t`~", part[i]) >= 0 {
			continue
		}
		if part[i-1] == ' ' {
			return i
		}
		if between == len(part) {
			between = i
		}
	}
	return between
}

// end is the place at the end of the source.
func end(tree ast.Node, src []byte) place {
	stop := place{at: len(src)}
	if code, ok := tree.LastChild().(*ast.FencedCodeBlock); ok {
		written := lineEnd(src, code.Pos())
		if n := code.Lines().Len(); n > 0 {
			written = code.Lines().At(n - 1).Stop
		}
		if written == len(src) { // no line of a closing fence
			stop.code = code
		}
	}
	return stop
}

// lineStart is where the line that at is in begins.
func lineStart(src []byte, at int) int { return bytes.LastIndexByte(src[:max(0, at)], '\n') + 1 }

// lineEnd is where the line after the one that at is in begins.
func lineEnd(src []byte, at int) int {
	if i := bytes.IndexByte(src[at:], '\n'); i >= 0 {
		return at + i + 1
	}
	return len(src)
}

// isWhole reports whether the line that begins at start has its end.
func isWhole(src []byte, start int) bool { return bytes.IndexByte(src[start:], '\n') >= 0 }

// blankBefore reports whether there is a line before the one that begins at start, and it is blank. The marks of
// quotes do not count.
func blankBefore(src []byte, start int) bool {
	return start > 0 && len(bytes.Trim(src[lineStart(src, start-1):start], "> \t\r\n")) == 0
}

// endsBlank is blankBefore for the end of a text.
func endsBlank(text string) bool {
	body, ok := strings.CutSuffix(text, "\n")
	return ok && strings.Trim(body[strings.LastIndexByte(body, '\n')+1:], "> \t\r\n") == ""
}

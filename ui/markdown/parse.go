package markdown

import (
	"bytes"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// gfm parses GitHub's markdown and leaves mathematics alone. It has no definitions of links: see the package comment.
// A parser may be used by many goroutines.
var gfm = parser.NewParser(
	parser.WithBlockParsers(blockParsers()...),
	parser.WithInlineParsers(parser.DefaultInlineParsers()...),
	parser.WithInlineParsers(
		util.Prioritized(extension.NewTaskCheckBoxParser(), 0),
		util.Prioritized(mathParser{}, 50), // before code spans and emphasis
		util.Prioritized(extension.NewStrikethroughParser(), 500),
		util.Prioritized(extension.NewLinkifyParser(), 999),
	),
	parser.WithParagraphTransformers(util.Prioritized(newTableParser(), 100), util.Prioritized(denseParser{}, 200)),
	parser.WithASTTransformers(util.Prioritized(extension.NewTableASTTransformer(), 0)),
)

// maxDepth is how many containers may stand in each other; a list and its item are two. What would open one more is
// text. For each line the parser visits each open container, so their number times the lines is what it costs.
const maxDepth = 24

// blockParsers are goldmark's, with lists, quotes and headings limited.
func blockParsers() []util.PrioritizedValue {
	all := parser.DefaultBlockParsers()
	for i, p := range all {
		switch block := p.Value.(parser.BlockParser); {
		case block == parser.NewListParser() || block == parser.NewBlockquoteParser():
			all[i].Value = shallow{block}
		case bytes.IndexByte(block.Trigger(), '#') >= 0:
			all[i].Value = sparse{block}
		}
	}
	return all
}

// shallow is a parser of containers that opens none at [maxDepth].
type shallow struct{ parser.BlockParser }

func (s shallow) Open(parent ast.Node, reader text.Reader, pc parser.Context) (ast.Node, parser.State) {
	if parent.Kind() != ast.KindList { // items do not count twice, and goldmark asks in passing for each of them
		depth := 0
		for n := parent; n != nil; n = n.Parent() {
			depth++
		}
		if depth > maxDepth {
			return nil, parser.NoChildren
		}
	}
	return s.BlockParser.Open(parent, reader, pc)
}

// maxSpecial is how many characters a paragraph may have that can begin or end something inside it. Goldmark takes
// time up to the square of their number; a paragraph of prose has a few dozen.
const maxSpecial = 1200

// isDense reports whether text has more than [maxSpecial] special characters, those in seen included.
func isDense(text []byte, seen *int) bool {
	for _, c := range text {
		switch c {
		case '*', '_', '[', ']', '(', '<', '`', '~', '$', '\\', '&', '@':
			*seen++
		}
	}
	return *seen > maxSpecial
}

// denseParser shows a paragraph as it is that has too many special characters.
type denseParser struct{}

func (denseParser) Transform(n *ast.Paragraph, reader text.Reader, _ parser.Context) {
	seen := 0
	for i := range n.Lines().Len() {
		seg := n.Lines().At(i)
		if isDense(seg.Value(reader.Source()), &seen) {
			block := ast.NewHTMLBlock(ast.HTMLBlockType6)
			block.SetLines(n.Lines())
			block.SetPos(n.Pos())
			n.Parent().ReplaceChild(n.Parent(), n, block)
			return
		}
	}
}

// sparse is a parser of headings that leaves lines with too many special characters to the paragraphs.
type sparse struct{ parser.BlockParser }

func (s sparse) Open(parent ast.Node, reader text.Reader, pc parser.Context) (ast.Node, parser.State) {
	line, _ := reader.PeekLine()
	if seen := 0; isDense(line, &seen) {
		return nil, parser.NoChildren
	}
	return s.BlockParser.Open(parent, reader, pc)
}

// parse makes the tree of src. If the parser fails, src is one block of text as it is: no bug of a
// parser may take the app down with a sentence that a model wrote.
func parse(src []byte) (tree ast.Node) {
	defer func() {
		if recover() != nil {
			tree = asTyped(src)
		}
	}()
	return gfm.Parse(text.NewReader(src))
}

// asTyped is a tree that shows src as it is. HTML is what is always shown so.
func asTyped(src []byte) ast.Node {
	tree, block := ast.NewDocument(), ast.NewHTMLBlock(ast.HTMLBlockType6)
	for at := 0; at < len(src); {
		next := lineEnd(src, at)
		block.Lines().Append(text.NewSegment(at, next))
		at = next
	}
	block.SetPos(0)
	tree.AppendChild(tree, block)
	return tree
}

// mathParser makes mathematics a [ast.String], so that its underscores, stars and backslashes stay:
// $x_1$, $$x$$, \(x\) and \[x\]. A dollar begins mathematics only if no space follows it and ends it only if no space is
// before it and no digit behind it, so that prices are prices.
type mathParser struct{}

const (
	maxInlineMath  = 512     // bytes from $ to $, so that a line of dollars takes linear time
	maxDisplayMath = 4 << 10 // bytes from \[ to \]
)

func (mathParser) Trigger() []byte { return []byte{'$', '\\'} }

func (mathParser) Parse(_ ast.Node, block text.Reader, _ parser.Context) ast.Node {
	line, _ := block.PeekLine()
	switch {
	case bytes.HasPrefix(line, []byte("$$")):
		return display(block, "$$", "$$")
	case bytes.HasPrefix(line, []byte(`\[`)):
		return display(block, `\[`, `\]`)
	case bytes.HasPrefix(line, []byte(`\(`)):
		if i := bytes.Index(line[:min(len(line), maxInlineMath)], []byte(`\)`)); i > 0 {
			return take(block, line[:i+2])
		}
	case line[0] == '$' && len(line) > 1 && !util.IsSpace(line[1]):
		for i := 2; i < min(len(line), maxInlineMath); i++ {
			if line[i] == '$' && !util.IsSpace(line[i-1]) && line[i-1] != '\\' &&
				(i+1 == len(line) || !util.IsNumeric(line[i+1])) {
				return take(block, line[:i+1])
			}
		}
	}
	return nil
}

// display reads mathematics that may go over several lines.
func display(block text.Reader, open, closing string) ast.Node {
	var all []byte
	for skip := len(open); len(all) < maxDisplayMath; skip = 0 {
		line, _ := block.PeekLine()
		if line == nil {
			return nil
		}
		if i := bytes.Index(line[skip:], []byte(closing)); i >= 0 {
			block.Advance(skip + i + len(closing))
			return ast.NewString(append(all, line[:skip+i+len(closing)]...))
		}
		all = append(all, line...)
		block.AdvanceLine()
	}
	return nil
}

// take makes the next bytes of the block a node.
func take(block text.Reader, value []byte) ast.Node {
	block.Advance(len(value))
	return ast.NewString(bytes.Clone(value))
}

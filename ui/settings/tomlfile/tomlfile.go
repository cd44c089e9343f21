// Package tomlfile reads and writes the small TOML files that people edit by hand: roles and settings.
//
// The problem: a typing error in such a file must be told with file, line and field, or nobody finds it; a key
// that is misspelt must not be passed over in silence; and when the program changes a value, what a person
// wrote around it, comments and all, must stay.
//
// The idea: a [Doc] is asked for each key that the program knows, with the values that are allowed. A value
// that is wrong is noted as a [Problem] and leaves the default; keys that nobody asked for are problems too.
// The caller decides what problems mean: a role with one is refused, settings go on without the field.
// [Doc.Set] changes one value in the text itself, and [Write] replaces a file in one step.
//
//	doc, err := tomlfile.Read("config.toml", 64<<10)
//	doc.Choice("theme", &theme, "auto", "dark", "light")
//	doc.Float("sampling.temperature", &temperature, 0, 5)
//	problems := doc.Problems()
package tomlfile

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"

	"github.com/BurntSushi/toml"
)

// Problem is one thing that is wrong with a file, as one plain sentence.
type Problem struct {
	File string // its name without the folder
	Line int    // from 1; 0: not known
	Key  string // such as "sampling.top_p"; "": not known
	What string
}

func (p Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ", line %d", p.Line)
	}
	if p.Key != "" {
		fmt.Fprintf(&b, ", %s", p.Key)
	}
	return b.String() + ": " + p.What
}

// Doc is a TOML file that was read.
type Doc struct {
	name     string
	text     string
	values   map[string]any // by whole key; tables are not in it
	lines    map[string]int
	asked    map[string]bool
	problems []Problem
}

// Read reads and parses a file of at most limit bytes.
func Read(path string, limit int64) (*Doc, error) {
	text, err := ReadText(path, limit)
	if err != nil {
		return nil, err
	}
	return Parse(filepath.Base(path), text)
}

// ReadText reads a file of at most limit bytes. Anything but a regular file is refused, so that a pipe cannot
// hold up the program.
func ReadText(path string, limit int64) (string, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	name := filepath.Base(path)
	if info, err := f.Stat(); err != nil {
		return "", err
	} else if !info.Mode().IsRegular() {
		return "", Problem{File: name, What: "this is not a file"}
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return "", err
	}
	if int64(len(data)) > limit {
		return "", Problem{File: name, What: fmt.Sprintf("the file is larger than %d KiB", limit>>10)}
	}
	return string(data), nil
}

// Parse reads text; name stands for the file in problems.
func Parse(name, text string) (*Doc, error) {
	text = strings.TrimPrefix(text, "\uFEFF") // some editors put it there
	if nesting(text) > maxNesting {
		return nil, Problem{File: name, What: "this is too intricate to be read"}
	}
	tree := map[string]any{}
	if _, err := toml.Decode(text, &tree); err != nil {
		var bad toml.ParseError
		if errors.As(err, &bad) {
			return nil, Problem{File: name, Line: bad.Position.Line, Key: bad.LastKey, What: bad.Message}
		}
		return nil, Problem{File: name, What: strings.TrimPrefix(err.Error(), "toml: ")}
	}
	d := &Doc{name: name, text: text, values: map[string]any{}, lines: keyLines(text), asked: map[string]bool{}}
	d.flatten("", tree)
	return d, nil
}

func (d *Doc) flatten(prefix string, table map[string]any) {
	for key, value := range table {
		if strings.ContainsAny(key, `."`) { // quoted in the file; it is not the path that it looks like
			key = strconv.Quote(key)
		}
		if sub, ok := value.(map[string]any); ok && len(sub) > 0 {
			d.flatten(prefix+key+".", sub)
			continue
		}
		d.values[prefix+key] = value
	}
}

// Text is the file as it was read, with the changes of Set.
func (d *Doc) Text() string { return d.text }

// Problems returns what was wrong with the keys that were asked for, and every key that was not, by line.
func (d *Doc) Problems() []Problem {
	all := slices.Clone(d.problems)
	for key, value := range d.values {
		if !d.asked[key] && !d.emptyTable(key, value) {
			all = append(all, Problem{d.name, d.line(key), key, "there is no such field"})
		}
	}
	slices.SortFunc(all, func(a, b Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return strings.Compare(a.Key, b.Key)
	})
	return all
}

// emptyTable tells whether key is a known table without anything in it.
func (d *Doc) emptyTable(key string, value any) bool {
	if _, ok := value.(map[string]any); !ok {
		return false
	}
	for asked := range d.asked {
		if strings.HasPrefix(asked, key+".") {
			return true
		}
	}
	return false
}

// Wrong notes a problem with the value of key. It returns false.
func (d *Doc) Wrong(key, format string, args ...any) bool {
	d.problems = append(d.problems, Problem{d.name, d.line(key), key, fmt.Sprintf(format, args...)})
	return false
}

// line is where key stands. A key that is written in a form that keyLines does not know has the line of the
// table that it is in, or none.
func (d *Doc) line(key string) int {
	for key != "" {
		if n := d.lines[key]; n > 0 {
			return n
		}
		key = key[:max(0, strings.LastIndexByte(key, '.'))]
	}
	return 0
}

// value returns what the file has for key, and whether it has something.
func (d *Doc) value(key string) (any, bool) {
	d.asked[key] = true
	v, ok := d.values[key]
	return v, ok
}

// The methods below read one kind of value each. They tell whether the file has a right one; if not, into is
// left as it is, and what is wrong is a problem.

// String reads a text of at most limit characters. Only if multiline is true may it have control characters.
func (d *Doc) String(key string, into *string, limit int, multiline bool) bool {
	v, ok := d.value(key)
	if !ok {
		return false
	}
	s, isText := v.(string)
	switch {
	case !isText:
		return d.Wrong(key, "this must be a text in quotes, not %s", kind(v))
	case utf8.RuneCountInString(s) > limit:
		return d.Wrong(key, "this is longer than %d characters", limit)
	case !multiline && strings.ContainsFunc(s, unicode.IsControl):
		return d.Wrong(key, "this must be one line without control characters")
	}
	*into = s
	return true
}

// Choice reads one of some words.
func (d *Doc) Choice(key string, into *string, words ...string) bool {
	v, ok := d.value(key)
	if !ok {
		return false
	}
	s, isText := v.(string)
	if !isText || !slices.Contains(words, s) {
		return d.Wrong(key, "this must be one of %q", words)
	}
	*into = s
	return true
}

// Bool reads true or false.
func (d *Doc) Bool(key string, into *bool) bool {
	v, ok := d.value(key)
	if !ok {
		return false
	}
	b, isBool := v.(bool)
	if !isBool {
		return d.Wrong(key, "this must be true or false, not %s", kind(v))
	}
	*into = b
	return true
}

// Int reads a whole number from least to most.
func (d *Doc) Int(key string, into *int, least, most int) bool {
	var n int64
	if !d.Int64(key, &n, int64(least), int64(most)) {
		return false
	}
	*into = int(n)
	return true
}

// Int64 reads a whole number from least to most.
func (d *Doc) Int64(key string, into *int64, least, most int64) bool {
	v, ok := d.value(key)
	if !ok {
		return false
	}
	n, isInt := v.(int64)
	if !isInt || n < least || n > most {
		return d.Wrong(key, "this must be a whole number from %d to %d", least, most)
	}
	*into = n
	return true
}

// Float reads a number from least to most.
func (d *Doc) Float(key string, into *float32, least, most float64) bool {
	v, ok := d.value(key)
	if !ok {
		return false
	}
	f := math.NaN()
	switch n := v.(type) {
	case float64:
		f = n
	case int64:
		f = float64(n)
	}
	if !(f >= least && f <= most) {
		return d.Wrong(key, "this must be a number from %g to %g", least, most)
	}
	*into = float32(f)
	return true
}

// kind names the kind of a value for people.
func kind(v any) string {
	switch v.(type) {
	case string:
		return "a text"
	case bool:
		return "true or false"
	case int64, float64:
		return "a number"
	case []any, []map[string]any:
		return "a list"
	case map[string]any:
		return "a table"
	}
	return "a date"
}

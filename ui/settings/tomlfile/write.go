package tomlfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Literal is a value as TOML writes it: string, bool, int, int64 and float32. A text with line ends stands on lines of its own.
func Literal(v any) string {
	switch v := v.(type) {
	case string:
		return quote(v)
	case bool:
		return strconv.FormatBool(v)
	case int:
		return strconv.Itoa(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float32:
		s := strconv.FormatFloat(float64(v), 'f', -1, 32)
		if !strings.ContainsRune(s, '.') {
			s += ".0"
		}
		return s
	}
	panic(fmt.Sprintf("tomlfile: no literal for a %T", v))
}

func quote(s string) string {
	var b strings.Builder
	quotes := `"`
	if strings.Contains(s, "\n") {
		quotes = `"""`
		b.WriteString(quotes + "\n") // TOML leaves out a line end right after the quotes
	} else {
		b.WriteString(quotes)
	}
	for _, r := range strings.ToValidUTF8(s, string(utf8.RuneError)) {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteByte('\n')
		case r == '\t':
			b.WriteString(`\t`)
		case unicode.IsControl(r):
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String() + quotes
}

// Set gives key a value in the text and leaves everything around it as it is. A key that the file does not
// have is added at the end of its table. It fails if the file is written in a form in which the place cannot
// be told; the text is then unchanged.
func (d *Doc) Set(key string, value any) error {
	if value == nil {
		return d.edit(key, nil, d.without(key))
	}
	return d.edit(key, value, d.with(key, Literal(value)))
}

// edit takes the changed text if it says what it should, and the same as before of everything else.
func (d *Doc) edit(key string, value any, text string) error {
	changed, err := Parse(d.name, text)
	if err == nil {
		same := func(k string, v any) bool { return k == key || fmt.Sprint(changed.values[k]) == fmt.Sprint(v) }
		for k, v := range d.values {
			if !same(k, v) {
				err = fmt.Errorf("%s would change", k)
			}
		}
		got, has := changed.values[key]
		if has != (value != nil) || has && !sameValue(got, value) {
			err = errors.New("its place is not clear")
		}
	}
	if err != nil {
		return fmt.Errorf("cannot set %s in %s: %w", key, d.name, err)
	}
	d.text, d.values, d.lines = changed.text, changed.values, changed.lines
	return nil
}

func sameValue(got, want any) bool {
	switch w := want.(type) {
	case int:
		return got == int64(w)
	case float32:
		f, ok := got.(float64)
		return ok && float32(f) == w
	case string:
		return got == strings.ToValidUTF8(w, string(utf8.RuneError))
	}
	return got == want
}

func (d *Doc) with(key, literal string) string {
	lines := strings.Split(d.text, "\n")
	found, tables := scan(d.text)
	for _, a := range found {
		if a.key == key {
			line := lines[a.from]
			after := line[a.rest:]
			if a.to > a.from+1 {
				after = ""
			}
			lines = append(append(append([]string{}, lines[:a.from]...), line[:a.value]+literal+after), lines[a.to:]...)
			return strings.Join(lines, "\n")
		}
	}
	table, name := "", key
	if dot := strings.LastIndexByte(key, '.'); dot >= 0 {
		table, name = key[:dot], key[dot+1:]
	}
	at := len(lines) // where the table ends
	if table != "" {
		begin, ok := tables[table]
		if !ok {
			text := strings.TrimRight(d.text, "\n")
			if text != "" {
				text += "\n\n"
			}
			return text + "[" + table + "]\n" + name + " = " + literal + "\n"
		}
		at = begin + 1
		for _, a := range found {
			if strings.HasPrefix(a.key, table+".") && a.from > begin {
				at = max(at, a.to)
			}
		}
	} else {
		for _, begin := range tables {
			at = min(at, begin)
		}
		for at > 0 && strings.TrimSpace(lines[at-1]) == "" {
			at--
		}
	}
	lines = append(append(append([]string{}, lines[:at]...), name+" = "+literal), lines[at:]...)
	return strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
}

func (d *Doc) without(key string) string {
	lines := strings.Split(d.text, "\n")
	found, _ := scan(d.text)
	for _, a := range found {
		if a.key == key {
			return strings.Join(append(lines[:a.from:a.from], lines[a.to:]...), "\n")
		}
	}
	return d.text
}

// Write replaces the file at path by one with the given text, in one step: whatever happens, either the old or
// the new one is there. It makes missing folders. A link stays a link: the file that it leads to is replaced.
func Write(path, text string) error {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(folder, ".tmp-*")
	if err != nil {
		return err
	}
	if old, statErr := os.Stat(path); statErr == nil {
		_ = f.Chmod(old.Mode().Perm()) // a folder without modes, as on an SD card, refuses
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return err
	}
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

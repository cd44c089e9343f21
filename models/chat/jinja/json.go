package jinja

import (
	"fmt"
	"sort"
	"strings"
)

// tojson writes JSON as Python's json.dumps does with ensure_ascii off, which is what models saw
// in training: a space after ':' and ',', and no HTML escapes (Jinja's own filter has them).
func tojson(c *Call, x any) (any, error) {
	a, err := c.args("ensure_ascii", "indent", "separators", "sort_keys")
	if err != nil {
		return nil, err
	}
	w := &jsonWriter{run: c.run, itemSep: ", ", keySep: ": ", sorted: truth(a[3])}
	if !absent(a[1]) {
		w.indented, w.itemSep = true, ","
		if s, ok := a[1].(string); ok {
			w.indent = s
		} else {
			n, err := intOr(a[1], 0)
			if err != nil {
				return nil, err
			}
			w.indent = strings.Repeat(" ", min(max(n, 0), 64))
		}
	}
	if items, ok := sequence(a[2]); ok && len(items) == 2 {
		if w.itemSep, err = stringArg(items[0]); err != nil {
			return nil, err
		}
		if w.keySep, err = stringArg(items[1]); err != nil {
			return nil, err
		}
	}
	err = w.write(x, 0)
	return w.b.String(), err
}

type jsonWriter struct {
	run             *run
	b               strings.Builder
	itemSep, keySep string
	indent          string
	indented        bool
	sorted          bool
}

func (w *jsonWriter) put(s string) error {
	if err := w.run.build(len(s)); err != nil {
		return err
	}
	w.b.WriteString(s)
	return nil
}

func (w *jsonWriter) newline(depth int) error {
	if !w.indented {
		return nil
	}
	if err := w.run.build(1 + depth*len(w.indent)); err != nil {
		return err
	}
	w.b.WriteString("\n" + strings.Repeat(w.indent, depth))
	return nil
}

func (w *jsonWriter) write(v any, depth int) error {
	if depth > maxNesting {
		return ErrBudget
	}
	switch v := v.(type) {
	case nil:
		return w.put("null")
	case bool:
		return w.put(map[bool]string{true: "true", false: "false"}[v])
	case int:
		return w.put(fmt.Sprint(v))
	case float64:
		names := map[string]string{"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
		if s, ok := names[floatText(v)]; ok {
			return w.put(s)
		}
		return w.put(floatText(v))
	case string:
		return w.quote(v)
	case *Dict:
		return w.dict(v, depth)
	}
	items, ok := sequence(v)
	if !ok {
		return fmt.Errorf("a value of type %s has no JSON form", typeName(v))
	}
	return w.list("[", "]", len(items), depth, func(i int) error { return w.write(items[i], depth+1) })
}

func (w *jsonWriter) dict(d *Dict, depth int) error {
	keys := d.keys
	if w.sorted {
		keys = append([]any(nil), keys...)
		sort.SliceStable(keys, func(i, j int) bool { return fmt.Sprint(keys[i]) < fmt.Sprint(keys[j]) })
	}
	return w.list("{", "}", len(keys), depth, func(i int) error {
		key, ok := keys[i].(string)
		if !ok {
			inner := &jsonWriter{run: w.run}
			if err := inner.write(keys[i], depth+1); err != nil {
				return err
			}
			key = inner.b.String()
		}
		if err := w.quote(key); err != nil {
			return err
		}
		if err := w.put(w.keySep); err != nil {
			return err
		}
		return w.write(d.values[keys[i]], depth+1)
	})
}

func (w *jsonWriter) list(open, end string, n, depth int, item func(i int) error) error {
	if n == 0 {
		return w.put(open + end)
	}
	if err := w.put(open); err != nil {
		return err
	}
	for i := range n {
		if i > 0 {
			if err := w.put(w.itemSep); err != nil {
				return err
			}
		}
		if err := w.newline(depth + 1); err != nil {
			return err
		}
		if err := item(i); err != nil {
			return err
		}
	}
	if err := w.newline(depth); err != nil {
		return err
	}
	return w.put(end)
}

func (w *jsonWriter) quote(s string) error {
	if err := w.run.build(len(s) + 2); err != nil {
		return err
	}
	w.b.WriteByte('"')
	for _, c := range s {
		switch c {
		case '"', '\\':
			w.b.WriteByte('\\')
			w.b.WriteRune(c)
		case '\n':
			w.b.WriteString(`\n`)
		case '\r':
			w.b.WriteString(`\r`)
		case '\t':
			w.b.WriteString(`\t`)
		case '\f':
			w.b.WriteString(`\f`)
		case '\b':
			w.b.WriteString(`\b`)
		default:
			if c < ' ' {
				fmt.Fprintf(&w.b, `\u%04x`, c)
			} else {
				w.b.WriteRune(c)
			}
		}
	}
	w.b.WriteByte('"')
	return nil
}

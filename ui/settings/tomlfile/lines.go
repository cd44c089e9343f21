package tomlfile

import "strings"

// assignment is one `key = value` of a text that was found to be TOML.
type assignment struct {
	key         string // with its table
	from, to    int    // lines, from 0; to is past the last
	value, rest int    // bytes in line from: begin of the value, and end of it if it ends on that line
}

// scan finds the assignments of a text and the line on which each table begins. It knows the plain forms of
// TOML: bare keys, dotted or not, [tables], texts over several lines. What is written in another form is not
// found, which costs a line number and nothing else.
func scan(text string) (found []assignment, tables map[string]int) {
	tables = map[string]int{}
	lines := strings.Split(text, "\n")
	table := ""
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		trimmed := strings.TrimSpace(line)
		if strings.HasPrefix(trimmed, "[") {
			end := strings.IndexByte(trimmed, ']')
			name := bare(strings.TrimLeft(trimmed[:max(end, 0)], "["))
			tables[name] = i
			table = name + "."
			continue
		}
		equals := strings.IndexByte(line, '=')
		if equals < 0 || strings.HasPrefix(trimmed, "#") {
			continue
		}
		a := assignment{key: table + bare(line[:equals]), from: i}
		if table == "" {
			a.key = bare(line[:equals])
		}
		a.value = len(line) - len(strings.TrimLeft(line[equals+1:], " \t"))
		a.rest = a.value + valueEnd(line[a.value:])
		a.to = i + 1
		for open := opening(line[a.value:]); open != "" && a.to < len(lines); a.to++ {
			if strings.Contains(lines[a.to], open) {
				open = ""
			}
		}
		found = append(found, a)
		i = a.to - 1
	}
	return found, tables
}

// bare is a key without the white space around its parts and without quotes.
func bare(key string) string {
	parts := strings.Split(key, ".")
	for i, p := range parts {
		parts[i] = strings.Trim(strings.TrimSpace(p), `"'`)
	}
	return strings.Join(parts, ".")
}

// opening is what closes the text over several lines that value begins, or "" if it closes on its line.
func opening(value string) string {
	for _, quotes := range []string{`"""`, `'''`} {
		if body, ok := strings.CutPrefix(value, quotes); ok && !strings.Contains(body, quotes) {
			return quotes
		}
	}
	return ""
}

// valueEnd is where the value at the start of a line ends: before the comment, if one follows.
func valueEnd(line string) int {
	quote := byte(0)
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case quote == '"' && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '#':
			return len(strings.TrimRight(line[:i], " \t"))
		}
	}
	return len(strings.TrimRight(line, " \t\r"))
}

// keyLines tells the line of each key and table, from 1.
func keyLines(text string) map[string]int {
	found, tables := scan(text)
	lines := map[string]int{}
	for name, i := range tables {
		lines[name] = i + 1
	}
	for _, a := range found {
		lines[a.key] = a.from + 1
	}
	return lines
}

// maxNesting is how many signs that nest a file may have. The TOML package takes a time that grows with the
// square of the depth: half a megabyte of dots would take minutes.
const maxNesting = 2000

// nesting counts the dots, brackets and braces outside of texts and comments.
func nesting(text string) (n int) {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '.', '[', '{':
			n++
		case '#':
			end := strings.IndexByte(text[i:], '\n')
			if end < 0 {
				return n
			}
			i += end
		case '"', '\'':
			quotes := text[i : i+1]
			if triple := strings.Repeat(quotes, 3); strings.HasPrefix(text[i:], triple) {
				quotes = triple
			}
			for i += len(quotes); i < len(text) && !strings.HasPrefix(text[i:], quotes); i++ {
				if c == '"' && text[i] == '\\' {
					i++
				}
			}
			i += len(quotes) - 1
			for more := 0; len(quotes) == 3 && more < 2 && i+1 < len(text) && text[i+1] == c; more++ {
				i++ // a text may end with quotes of its own
			}
		}
	}
	return n
}

package store

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"
)

// Format is a form in which a chat leaves the store.
type Format string

// The formats.
const (
	Markdown Format = "md"   // the messages on screen, for people
	JSON     Format = "json" // all branches with all that is known of them, for programs
)

// exportVersion is the version of the JSON format; a change that breaks its readers raises it.
const exportVersion = 1

// Export writes a chat to w.
func (s *Store) Export(ctx context.Context, w io.Writer, id int64, format Format) error {
	var c Chat
	var messages []Message
	err := s.do(ctx, "read the chat", func(db *conn) (err error) {
		if c, err = chat(db, id); err != nil {
			return err
		}
		if format == JSON {
			messages, err = list(db, `SELECT `+messageColumns+` FROM messages m WHERE m.chat = ? ORDER BY m.id`, id)
		} else {
			messages, err = pathOf(db, id)
		}
		return err
	})
	if err != nil {
		return err
	}
	switch format {
	case Markdown:
		err = writeMarkdown(w, c, messages)
	case JSON:
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		err = e.Encode(struct {
			Hotcell  int       `json:"hotcell_chat"`
			Chat     Chat      `json:"chat"`
			Messages []Message `json:"messages"` // in the order in which they were begun; parent tells the tree
		}{exportVersion, c, messages})
	default:
		return fmt.Errorf("there is no format %q; the formats are %s and %s", format, Markdown, JSON)
	}
	if err != nil {
		return fmt.Errorf("cannot write the chat: %w", err)
	}
	return nil
}

// Save exports a chat to a new file in folder, named after its title, and returns the file's path.
func (s *Store) Save(ctx context.Context, folder string, id int64, format Format) (path string, err error) {
	c, err := s.Chat(ctx, id)
	if err != nil {
		return "", err
	}
	var content bytes.Buffer
	if err := s.Export(ctx, &content, id, format); err != nil {
		return "", err
	}
	f, err := create(folder, fileName(c.Title), "."+string(format))
	if err != nil {
		return "", fmt.Errorf("cannot save the chat: %w", err)
	}
	_, err = f.Write(content.Bytes())
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		_ = os.Remove(f.Name())
		return "", fmt.Errorf("cannot save the chat: %w", err)
	}
	return f.Name(), nil
}

// create makes a file that was not there: name.ext, name-2.ext, ...
func create(folder, name, ext string) (*os.File, error) {
	for n := 1; ; n++ {
		path := filepath.Join(folder, name+ext)
		if n > 1 {
			path = filepath.Join(folder, fmt.Sprintf("%s-%d%s", name, n, ext))
		}
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if !errors.Is(err, os.ErrExist) {
			return f, err
		}
	}
}

// fileName is a title as a name that every file system and shell takes: letters, digits and single dashes.
func fileName(title string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(title) {
		switch {
		case b.Len() >= 60:
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	if name := strings.TrimRight(b.String(), "-"); name != "" {
		return name
	}
	return "chat"
}

// writeMarkdown writes the messages under a heading each. Their own text is not changed: it is Markdown already.
func writeMarkdown(w io.Writer, c Chat, path []Message) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "# %s\n\n", heading(c.Title, "Chat"))
	fmt.Fprintf(b, "%s\n", c.Created.Format(time.DateTime))
	for _, m := range path {
		who := "You"
		if m.Speaker == Assistant {
			who = heading(m.Role, "Assistant")
			if m.Model != "" {
				who += " (" + heading(m.Model, "") + ")"
			}
		}
		fmt.Fprintf(b, "\n## %s, %s\n", who, m.Created.Format(time.DateTime))
		if m.Thought != "" {
			fmt.Fprintf(b, "\n<details><summary>Reasoning</summary>\n\n%s\n\n</details>\n", strings.TrimSpace(m.Thought))
		}
		if text := strings.TrimSpace(m.Text); text != "" {
			fmt.Fprintf(b, "\n%s\n%s", text, unclosed(text))
		}
		if m.Ending != "" {
			fmt.Fprintf(b, "\n*%s*\n", oneLine(m.Ending, 400))
		}
	}
	return b.Flush()
}

// unclosed is the line that closes a code block which is still open at the end of text: an answer that was
// stopped would otherwise take the next ones into it.
func unclosed(text string) string {
	open := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		fence := line[:len(line)-len(strings.TrimLeft(line, line[:min(1, len(line))]))]
		switch {
		case len(fence) < 3 || fence[0] != '`' && fence[0] != '~':
		case open == "":
			open = fence
		case strings.HasPrefix(fence, open) && fence == line:
			open = ""
		}
	}
	if open != "" {
		open += "\n"
	}
	return open
}

// heading is a name on one line, or other if there is none.
func heading(name, other string) string {
	if name = oneLine(name, titleRunes); name != "" {
		return name
	}
	return other
}

package menu

import (
	"regexp"
	"strings"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/sahilm/fuzzy"

	"hotcell/ui/keys"
	"hotcell/ui/look"
)

// Command is a command as the palette lists it.
type Command struct {
	Name string // without its slash
	Args string // what may follow: [NAME]
	Long string // what it does
	Key  string // the key that does the same; may be empty
}

// line is the command with what may follow, where there is room for that.
func (c Command) line(w int) string {
	if w < look.Narrow || c.Args == "" {
		return "/" + c.Name
	}
	return "/" + c.Name + " " + c.Args
}

// commandLine takes a text for a command if its first word is letters. A path such as usr/bin is none.
var commandLine = regexp.MustCompile(`(?s)^([A-Za-z]*)(?:\s(.*))?$`)

// Palette finds commands as they are typed. What turns out to be no command becomes the draft of the chat.
type Palette struct {
	theme    look.Theme
	commands []Command
	query    string
	shown    []int
	at, top  int
	zones    zones
}

// NewPalette lists commands; text is what was typed behind the slash already.
func NewPalette(t look.Theme, commands []Command, text string) *Palette {
	p := &Palette{theme: t, commands: commands, query: text}
	p.find()
	return p
}

// Typing reports that text is typed.
func (p *Palette) Typing() bool { return true }

// Click is a tap.
func (p *Palette) Click(x, y int) Action { return p.zones.click(x, y) }

// find lists the commands that fit the first word: one of that name first, then by how well they fit.
func (p *Palette) find() {
	word, _, _ := strings.Cut(p.query, " ")
	word = strings.ToLower(word)
	p.shown, p.at = p.shown[:0], 0
	names := make([]string, len(p.commands))
	for i, c := range p.commands {
		if names[i] = c.Name; c.Name == word || word == "" {
			p.shown = append(p.shown, i)
		}
	}
	if word == "" {
		return
	}
	for _, begins := range []bool{true, false} {
		for _, m := range fuzzy.Find(word, names) {
			if name := names[m.Index]; name != word && strings.HasPrefix(name, word) == begins {
				p.shown = append(p.shown, m.Index)
			}
		}
	}
}

// Key types, moves or runs.
func (p *Palette) Key(k tea.KeyMsg) Action {
	switch text := printable(k); {
	case text != "":
		p.query += strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
		if !commandLine.MatchString(p.query) || strings.Contains(p.query, "\n") {
			return Replace{Draft{"/" + p.query}}
		}
		p.find()
	case k.Type == tea.KeyBackspace || k.Type == tea.KeyCtrlH:
		if p.query == "" {
			return Close{}
		}
		r := []rune(p.query)
		p.query = string(r[:len(r)-1])
		p.find()
	case k.Type == tea.KeyCtrlU:
		p.query = ""
		p.find()
	case k.Type == tea.KeyTab:
		if len(p.shown) > 0 {
			p.query = p.commands[p.shown[p.at]].Name + " "
			p.find()
		}
	default:
		return p.press(keys.Of(keys.InPalette, k.String()))
	}
	return nil
}

func (p *Palette) press(a keys.Action) Action {
	switch a {
	case keys.Back:
		return Close{}
	case keys.Up:
		p.at = max(0, p.at-1)
	case keys.Down:
		p.at = max(0, min(p.at+1, len(p.shown)-1))
	case keys.Choose:
		if len(p.shown) == 0 {
			return Say{"there is no command /" + p.query + "; a space before the slash sends it as a message"}
		}
		_, args, _ := strings.Cut(p.query, " ")
		return Replace{Run{strings.TrimSpace(p.commands[p.shown[p.at]].Name + " " + args)}}
	}
	return nil
}

// Draw draws the commands, with what is typed in the title.
func (p *Palette) Draw(w, h int) []string {
	t := p.theme
	f := foot{keys.InPalette, []keys.Action{keys.Choose, keys.Up, keys.Back}, p.press}
	title := "/" + look.Label(p.query)
	if strings.HasSuffix(p.query, " ") {
		title += " "
	}
	return frame(t, title+"_", "commands", f, w, h, &p.zones, func(y, w, h int) []string {
		if len(p.shown) == 0 {
			return indent(look.Wrap("No command fits. A space before the slash sends it as a message.", max(1, w-4)))
		}
		p.top = max(min(p.top, p.at), p.at-h+1)
		first := 0
		for _, c := range p.commands {
			first = max(first, look.Width(c.line(w)))
		}
		first = min(first, max(8, w/2))
		var lines []string
		for i := p.top; i < min(len(p.shown), p.top+h); i++ {
			i, c := i, p.commands[p.shown[i]]
			p.zones.add(0, y+len(lines), w, 1, func() Action { p.at = i; return p.press(keys.Choose) })
			mark, style := "  ", t.Strong
			if i == p.at {
				mark, style = t.Accent.Render(t.Mark)+" ", t.Accent
			}
			line := mark + style.Render(look.Pad(t.Fit(c.line(w), first), first)) + "  " + t.Dim.Render(c.Long)
			key := ""
			if w >= look.Narrow {
				key = t.Dim.Render(keys.Text(t, c.Key))
			}
			lines = append(lines, t.Spread(line, key, w-1))
		}
		return lines
	})
}

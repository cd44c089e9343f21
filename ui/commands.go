package ui

import (
	"fmt"
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"hotcell/ui/keys"
	"hotcell/ui/look"
	"hotcell/ui/menu"
)

// command is what a line that begins with a slash does. Whatever a key does in the chat, a command does too.
type command struct {
	name, args, long string
	key              keys.Action // that does the same
	run              func(m *model, args string) tea.Cmd
}

// commands are all commands, in the order of the palette.
func commands() []command {
	key := func(a keys.Action) func(*model, string) tea.Cmd {
		return func(m *model, _ string) tea.Cmd { return m.act(a) }
	}
	plain := func(f func(*model) tea.Cmd) func(*model, string) tea.Cmd {
		return func(m *model, _ string) tea.Cmd { return f(m) }
	}
	return []command{
		{"new", "", "begin a new chat", keys.NewChat, key(keys.NewChat)},
		{"chats", "[WORDS]", "open, search, rename, export and delete chats", keys.Chats, (*model).openChats},
		{"model", "[NAME]", "models: load, measure, open files", keys.Models, (*model).modelCommand},
		{"role", "[NAME]", "roles: use, edit, create", keys.Roles, (*model).roleCommand},
		{"settings", "", "settings", keys.Settings, key(keys.Settings)},
		{"retry", "", "answer the last question again, as a branch", keys.Retry, key(keys.Retry)},
		{"continue", "", "go on with an answer that was cut", keys.None, plain((*model).goOn)},
		{"edit", "", "edit the last question, then the one before", keys.EditLast, key(keys.EditLast)},
		{"branch", "", "go to the next branch of the last fork", keys.NextBranch, key(keys.NextBranch)},
		{"messages", "", "edit, retry, copy any message; switch its branches", keys.Messages, key(keys.Messages)},
		{"stop", "", "stop the answer or the long operation", keys.Back, plain((*model).stopAnswer)},
		{"copy", "[N]", "copy code block N of the last answer; 0: all of it", keys.Copy, (*model).copyNumber},
		{"export", "[md|json]", "write the chat to a file", keys.None, (*model).export},
		{"rename", "TITLE", "rename the chat", keys.None, (*model).rename},
		{"delete", "", "delete the chat", keys.None, plain(func(m *model) tea.Cmd { return m.deleteChat(m.talk.id) })},
		{"undo", "", "bring the deleted chat back", keys.None, plain((*model).undelete)},
		{"history", "", "earlier inputs", keys.None, plain((*model).openHistory)},
		{"thoughts", "", "fold or unfold what the model thought", keys.Fold, key(keys.Fold)},
		{"stats", "", "the dashboard's panels, one at a time", keys.NextPanel, plain((*model).openStats)},
		{"heat", "", "where the neurons are, layer by layer", keys.None, plain((*model).openHeat)},
		{"panels", "[on|off]", "show or hide the dashboard", keys.NextPanel, (*model).panelsCommand},
		{"bench", "", "measure the loaded model", keys.None, plain((*model).bench)},
		{"ctx", "TOKENS", "load the model again with another context", keys.None, (*model).contextCommand},
		{"set", "NAME VALUE", "change a setting", keys.None, (*model).setCommand},
		{"help", "", "keys, commands and numbers", keys.Help, plain((*model).openHelp)},
		{"redraw", "", "draw the screen again", keys.Redraw, plain(func(*model) tea.Cmd { return tea.ClearScreen })},
		{"quit", "", "leave", keys.Quit, plain((*model).quit)},
	}
}

// listed are the commands as the palette shows them.
func listed(all []command) []menu.Command {
	list := make([]menu.Command, len(all))
	for i, c := range all {
		list[i] = menu.Command{Name: c.name, Args: c.args, Long: c.long}
		if b, ok := keys.Find(keys.InChat, c.key); ok && c.key != keys.None {
			list[i].Key = b.Label
		}
	}
	return list
}

func (m *model) openPalette(typed string) tea.Cmd {
	p := menu.NewPalette(m.theme, listed(commands()), "")
	m.open(p)
	if typed == "" {
		return nil
	}
	return m.perform(p.Key(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(typed)}))
}

// run runs a command line without its slash.
func (m *model) run(line string) tea.Cmd {
	name, args, _ := strings.Cut(strings.TrimSpace(line), " ")
	all := commands()
	i := slices.IndexFunc(all, func(c command) bool { return c.name == strings.ToLower(name) })
	if i < 0 {
		return m.toastFor("there is no command /"+name, longToast)
	}
	args = strings.TrimSpace(args)
	if args != "" && all[i].args == "" {
		return m.toastFor(fmt.Sprintf("the command /%s stands alone", all[i].name), longToast)
	}
	return all[i].run(m, args)
}

func (m *model) openHelp() tea.Cmd {
	m.open(helpPage(m.theme))
	return nil
}

func (m *model) openStats() tea.Cmd {
	if m.engine == nil {
		return m.toastFor("no model is loaded", longToast)
	}
	return m.openPanel(0)
}

// modelCommand lists the models, or loads the one whose name begins with what was typed. A path opens that file or folder.
func (m *model) modelCommand(args string) tea.Cmd {
	if args == "" {
		return m.openModels()
	}
	if strings.ContainsAny(args, "/~.") {
		return m.openPath(expand(args))
	}
	list, ctx, choice := m.cfg.Models.List, m.ctx, m.choice()
	if list == nil {
		return m.loadModel(args, nil)
	}
	return m.later(func() tea.Msg {
		all, err := list(ctx, choice)
		return menuMsg(func(m *model) tea.Cmd {
			for _, e := range all {
				if strings.HasPrefix(strings.ToLower(e.ID), strings.ToLower(args)) || strings.HasPrefix(strings.ToLower(e.Name), strings.ToLower(args)) {
					return m.loadModel(e.ID, nil)
				}
			}
			if err != nil {
				return m.toastFor(err.Error(), longToast)
			}
			return m.toastFor("there is no model "+look.Label(args), longToast)
		})
	})
}

func (m *model) roleCommand(args string) tea.Cmd {
	if args == "" {
		return m.openRoles()
	}
	return m.findRole(args)
}

func (m *model) panelsCommand(args string) tea.Cmd {
	switch args {
	case "on":
		return m.showDash(true)
	case "off":
		return m.showDash(false)
	}
	return m.showDash(!m.dash.shown)
}

// contextCommand changes the context and loads the model again, which a context needs.
func (m *model) contextCommand(args string) tea.Cmd {
	if m.answer != nil {
		return m.busy()
	}
	before := m.prefs.Context
	cmd := m.setSetting("context", args)
	if m.prefs.Context == before {
		return cmd
	}
	m.cfg.Choice.Context = 0 // what is typed now counts more than how the program was started
	return tea.Batch(cmd, m.loadModel(m.modelID, nil))
}

func (m *model) setCommand(args string) tea.Cmd {
	if args == "" {
		return m.openSettings()
	}
	name, value, _ := strings.Cut(args, " ")
	return m.setSetting(name, value)
}

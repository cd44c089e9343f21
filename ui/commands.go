package ui

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"
)

// command is what a line that begins with a slash does.
type command struct {
	name, long string
	run        func(*model) tea.Cmd
}

// commands are all commands, in the order of the help page.
func commands() []command {
	return []command{
		{"help", "this page", (*model).openHelp},
		{"new", "begin a new conversation", (*model).newConversation},
		{"retry", "answer the last message again", (*model).retry},
		{"stop", "stop the answer", (*model).stopAnswer},
		{"stats", "what the engine has done", (*model).openStats},
		{"quit", "leave", (*model).quit},
	}
}

// commandLine takes a draft for a command if its first word is a slash and letters. A path such as
// /usr/bin is none.
var commandLine = regexp.MustCompile(`(?s)^/([A-Za-z]*)(?:\s+(.*))?$`)

// runCommand runs the draft if it is a command. A draft that names none is kept.
func (m *model) runCommand(draft string) (cmd tea.Cmd, isCommand bool) {
	match := commandLine.FindStringSubmatch(draft)
	if match == nil {
		return nil, false
	}
	all := commands()
	i := slices.IndexFunc(all, func(c command) bool { return c.name == strings.ToLower(match[1]) })
	if i < 0 {
		var names []string
		for _, c := range all {
			names = append(names, "/"+c.name)
		}
		m.say(fmt.Sprintf("There is no command /%s. The commands are %s. A space before the slash sends it as a message.",
			match[1], strings.Join(names, " ")))
		return nil, true
	}
	if match[2] != "" {
		m.say(fmt.Sprintf("The command /%s stands alone on its line.", all[i].name))
		return nil, true
	}
	m.input.set("")
	return all[i].run(m), true
}

// completeCommand completes a draft that is the beginning of one command, and lists the commands if it is
// the beginning of several.
func (m *model) completeCommand() tea.Cmd {
	draft := m.input.value()
	if !commandLine.MatchString(draft) {
		return nil
	}
	var fits []string
	for _, c := range commands() {
		if name := "/" + c.name; strings.HasPrefix(name, draft) {
			fits = append(fits, name)
		}
	}
	if len(fits) > 1 {
		return m.toastFor(strings.Join(fits, " "), longToast)
	}
	if len(fits) == 1 {
		m.input.set(fits[0])
	}
	return nil
}

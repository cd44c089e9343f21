package ui

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"hotcell/models"
	"hotcell/ui/keys"
	"hotcell/ui/look"
	"hotcell/ui/menu"
	"hotcell/ui/roles"
)

// firstRole is the role to begin with: what was asked for, else the last one, else the one that suits the model.
func (m *model) firstRole() roles.Role {
	if m.cfg.Role != nil {
		return *m.cfg.Role
	}
	for _, id := range []string{m.prefs.Role, suits(m.modelID)} {
		if role, err := m.roles.Get(id); err == nil {
			return role
		}
	}
	return roles.Role{}
}

// suits is the role for a model when the user has chosen none.
func suits(modelID string) string {
	if modelID == models.BuiltIn {
		return roles.Default
	}
	return roles.Assistant
}

func (m *model) roleName() string { return cmp.Or(look.Label(m.role.Name), "assistant") }

// openRoles lists the roles.
func (m *model) openRoles() tea.Cmd {
	l := &menu.List{
		Theme: m.theme, Place: keys.InRoles, Title: "Roles", Empty: "The roles are being read.",
		Buttons: []keys.Action{keys.Choose, keys.EditItem, keys.New, keys.Duplicate, keys.Editor, keys.Import, keys.Export, keys.Delete},
		Always:  []keys.Action{keys.New, keys.Import},
		Do: func(a keys.Action, row *menu.Row) menu.Action {
			item := menu.Item{Kind: menu.RoleItem, Do: a}
			if row != nil {
				item.ID = row.ID
			}
			return item
		},
	}
	m.open(l)
	return m.listRoles()
}

// listRoles reads the roles into the list, and tells of files that are wrong.
func (m *model) listRoles() tea.Cmd {
	folder := m.roles
	return m.later(func() tea.Msg {
		all, problems := folder.List()
		return menuMsg(func(m *model) tea.Cmd {
			if l := m.openList(keys.InRoles); l != nil {
				m.fillRoles(l, all)
			}
			if len(problems) > 0 {
				return m.toastFor(problems[0].Error(), longToast)
			}
			return nil
		})
	})
}

func (m *model) fillRoles(l *menu.List, all []roles.Role) {
	var rows []menu.Row
	for _, r := range all {
		row := menu.Row{
			ID: r.ID, Title: r.Name, Sub: r.Description, InUse: r.ID == m.role.ID,
			Detail: func(w int) []string { return m.roleDetail(r, w) },
		}
		if row.InUse {
			row.State = "in use"
		} else if !r.BuiltIn {
			row.State = "yours"
		}
		if r.BuiltIn { // there is nothing to delete
			row.Keys = []keys.Action{keys.Choose, keys.EditItem, keys.New, keys.Duplicate, keys.Editor, keys.Import, keys.Export}
		}
		rows = append(rows, row)
	}
	l.SetRows(rows)
	l.Note = fmt.Sprintf("%d roles", len(all))
}

func (m *model) roleDetail(r roles.Role, w int) []string {
	t, s := m.theme, r.Sampling
	lines := look.Wrap(cmp.Or(r.System, "no system prompt"), w)
	if len(lines) > 5 {
		lines = append(lines[:4], t.Ellipsis)
	}
	lines = append(lines, "", fmt.Sprintf("model     %s", cmp.Or(look.Label(r.Model), "any")),
		fmt.Sprintf("sampling  temp %.2g  top-p %.2g  min-p %.2g  repeat %.2g", s.Temperature, s.TopP, s.MinP, s.RepeatPenalty))
	most := "until the turn ends"
	if r.MaxTokens > 0 {
		most = fmt.Sprintf("%d tokens", r.MaxTokens)
	}
	return append(lines, "answers   "+most)
}

// roleItem does what the menu of roles asks for.
func (m *model) roleItem(a menu.Item) tea.Cmd {
	folder := m.roles
	switch a.Do {
	case keys.Choose:
		m.closeAll()
		return m.useRole(a.ID)
	case keys.EditItem:
		return m.withRole(a.ID, func(m *model, r roles.Role) tea.Cmd { m.open(m.roleForm(r)); return nil })
	case keys.New:
		return m.changeRoles(func() (roles.Role, error) {
			return folder.Save(roles.Role{Name: "New role", System: "You are a helpful assistant.", Sampling: m.role.Sampling})
		}, true)
	case keys.Duplicate:
		return m.changeRoles(func() (roles.Role, error) { return folder.Duplicate(a.ID) }, true)
	case keys.Editor:
		return m.editRoleFile(a.ID)
	case keys.Export, keys.Import:
		if a.Text == "" {
			m.askRolePath(a)
			return nil
		}
		return m.moveRole(a)
	case keys.Delete:
		if a.Text == "" {
			a.Text = "yes"
			m.open(menu.NewQuestion(m.theme, "Delete the role", "Its file goes from the disk. Of a changed role of the program the original comes back.", a))
			return nil
		}
		return m.changeRoles(func() (roles.Role, error) { return roles.Role{}, folder.Delete(a.ID) }, false)
	}
	return nil
}

// askRolePath asks where a role goes or comes from.
func (m *model) askRolePath(a menu.Item) {
	title, about, text := "Export the role", "A file or a folder to write its TOML text to.", m.exportDir()
	if a.Do == keys.Import {
		title, about, text = "Import a role", "The TOML file of a role.", home()+string(filepath.Separator)
	}
	m.open(menu.NewPrompt(m.theme, title, about, text, false, func(text string) (menu.Action, error) {
		if a.Text = text; text == "" {
			return nil, errors.New("a path is needed")
		}
		return a, nil
	}))
}

// moveRole writes a role to a file, or takes one from there.
func (m *model) moveRole(a menu.Item) tea.Cmd {
	folder, path := m.roles, expand(a.Text)
	return m.later(func() tea.Msg {
		var done string
		var err error
		if a.Do == keys.Import {
			var r roles.Role
			r, err = folder.Import(path)
			done = "imported " + r.Name
		} else {
			_ = os.MkdirAll(filepath.Dir(path), 0o700) // Export tells what is wrong with it
			path, err = folder.Export(a.ID, path)
			done = "written to " + path
		}
		return menuMsg(func(m *model) tea.Cmd {
			if err != nil {
				return m.toastFor(err.Error(), longToast)
			}
			return tea.Batch(m.listRoles(), m.toastFor(done, longToast))
		})
	})
}

// changeRoles changes the folder; edit opens the role that comes of it.
func (m *model) changeRoles(f func() (roles.Role, error), edit bool) tea.Cmd {
	return m.later(func() tea.Msg {
		role, err := f()
		return menuMsg(func(m *model) tea.Cmd {
			if err != nil {
				return m.toastFor(err.Error(), longToast)
			}
			if edit {
				m.open(m.roleForm(role))
			}
			return m.listRoles()
		})
	})
}

// withRole reads a role and goes on with it.
func (m *model) withRole(id string, f func(m *model, r roles.Role) tea.Cmd) tea.Cmd {
	folder := m.roles
	return m.later(func() tea.Msg {
		role, err := folder.Get(id)
		return menuMsg(func(m *model) tea.Cmd {
			if err != nil {
				return m.toastFor(err.Error(), longToast)
			}
			return f(m, role)
		})
	})
}

// useRole answers with another role from now on; the conversation stays. A role that wants another model loads it.
func (m *model) useRole(id string) tea.Cmd {
	return m.withRole(id, func(m *model, r roles.Role) tea.Cmd {
		m.role = r
		cmds := []tea.Cmd{m.setSetting("role", r.ID), m.noteUse(), m.toastFor("role "+look.Label(r.Name), longToast)}
		if r.Greeting != "" && len(m.chat.messages) == 0 {
			m.say(r.Greeting)
		}
		if r.Model != "" && r.Model != m.modelID {
			cmds = append(cmds, m.loadModel(r.Model, nil))
		}
		return tea.Batch(cmds...)
	})
}

// takeRole goes on with the role of a chat, if it still exists.
func (m *model) takeRole(name string) tea.Cmd {
	if name == "" || name == m.role.Name || m.cfg.Role != nil {
		return nil
	}
	folder := m.roles
	return m.later(func() tea.Msg {
		all, _ := folder.List() // a role that cannot be read is not taken
		i := slices.IndexFunc(all, func(r roles.Role) bool { return r.Name == name })
		return menuMsg(func(m *model) tea.Cmd {
			if i >= 0 {
				m.role = all[i]
			}
			return nil
		})
	})
}

// findRole uses the role whose name or ID begins with what was typed.
func (m *model) findRole(name string) tea.Cmd {
	folder := m.roles
	name = strings.ToLower(name)
	return m.later(func() tea.Msg {
		all, _ := folder.List()
		for _, begins := range []bool{false, true} {
			for _, r := range all {
				for _, s := range []string{strings.ToLower(r.Name), r.ID} {
					if s == name || begins && strings.HasPrefix(s, name) {
						return menuMsg(func(m *model) tea.Cmd { return m.useRole(r.ID) })
					}
				}
			}
		}
		return menuMsg(func(m *model) tea.Cmd { return m.toastFor("there is no role "+name, longToast) })
	})
}

// editRoleFile opens the role's TOML text in the user's editor. What comes back is checked; what is wrong is told and stays in its file.
func (m *model) editRoleFile(id string) tea.Cmd {
	folder := m.roles
	editor := strings.Fields(cmp.Or(os.Getenv("VISUAL"), os.Getenv("EDITOR"), "vi"))
	return m.later(func() tea.Msg {
		text, err := folder.Source(id)
		var file *os.File
		if err == nil {
			file, err = os.CreateTemp("", "role-"+id+"-*.toml")
		}
		if err == nil {
			_, err = file.WriteString(text)
			file.Close()
		}
		return menuMsg(func(m *model) tea.Cmd {
			if err != nil {
				return m.toastFor(err.Error(), longToast)
			}
			c := exec.Command(editor[0], append(editor[1:], file.Name())...)
			c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr // an editor wants the terminal itself
			return tea.ExecProcess(c, func(err error) tea.Msg {
				return menuMsg(func(m *model) tea.Cmd { return m.roleEdited(id, file.Name(), err) })
			})
		})
	})
}

func (m *model) roleEdited(id, path string, err error) tea.Cmd {
	m.mouse = false // Bubble Tea switched it off for the editor
	if err != nil {
		m.report("The editor could not be run ($EDITOR names it): " + err.Error())
		return nil
	}
	folder := m.roles
	return m.later(func() tea.Msg {
		text, err := os.ReadFile(path)
		var role roles.Role
		if err == nil {
			role, err = folder.Replace(id, string(text))
		}
		if err == nil {
			os.Remove(path)
		}
		return menuMsg(func(m *model) tea.Cmd {
			if err != nil {
				m.report("The role was not changed, what was written is in " + path + ": " + err.Error())
				return m.toastFor("the role was not changed: "+err.Error(), longToast)
			}
			if role.ID == m.role.ID {
				m.role = role
			}
			return m.listRoles()
		})
	})
}

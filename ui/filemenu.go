package ui

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"hotcell/ui/keys"
	"hotcell/ui/look"
	"hotcell/ui/menu"
)

// The rows of a folder that are no file in it.
const (
	typePath = "path:" // asks for a path
	upward   = ".."
)

// mostFiles is how many entries of a folder are listed.
const mostFiles = 2000

// browse looks into a folder for models.
func (m *model) browse(dir string) tea.Cmd {
	return m.later(func() tea.Msg {
		rows, err := folderRows(dir)
		return menuMsg(func(m *model) tea.Cmd {
			if err != nil {
				return m.toastFor(err.Error(), longToast)
			}
			l := m.openList(keys.InFiles)
			if l == nil {
				l = &menu.List{
					Theme: m.theme, Place: keys.InFiles, Buttons: []keys.Action{keys.Choose},
					Do: func(a keys.Action, row *menu.Row) menu.Action {
						return menu.Item{Kind: menu.FileItem, ID: row.ID, Do: a}
					},
				}
				m.open(l)
			}
			l.Title = look.Label(dir)
			l.Clear()
			l.SetRows(rows)
			return nil
		})
	})
}

// folderRows are the folders and model files in dir.
func folderRows(dir string) ([]menu.Row, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		var path *os.PathError
		if errors.As(err, &path) {
			err = path.Err
		}
		return nil, errors.New(dir + " cannot be read: " + err.Error())
	}
	rows := []menu.Row{{ID: typePath + dir, Title: "type a path", Sub: "of a GGUF file or a folder"}}
	if parent := filepath.Dir(dir); parent != dir {
		rows = append(rows, menu.Row{ID: parent, Title: upward, Sub: parent, State: "folder"})
	}
	var found []menu.Row
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		info, err := os.Stat(path) // follows links
		if err != nil || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		switch {
		case info.IsDir():
			found = append(found, menu.Row{ID: path, Title: e.Name() + "/", State: "folder"})
		case strings.HasSuffix(strings.ToLower(e.Name()), ".gguf"):
			found = append(found, menu.Row{ID: path, Title: e.Name(), State: look.Size(info.Size())})
		}
		if len(found) == mostFiles {
			break
		}
	}
	slices.SortStableFunc(found, func(a, b menu.Row) int { // models first
		return cmp.Or(cmp.Compare(btoi(a.State == "folder"), btoi(b.State == "folder")), strings.Compare(a.ID, b.ID))
	})
	return append(rows, found...), nil
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// fileItem opens a folder, or looks at a file.
func (m *model) fileItem(a menu.Item) tea.Cmd {
	if dir, typed := strings.CutPrefix(a.ID, typePath); typed {
		m.open(menu.NewPrompt(m.theme, "Open a model", "A GGUF file, or a folder to look into.", dir+string(filepath.Separator), false,
			func(text string) (menu.Action, error) {
				return menu.Item{Kind: menu.FileItem, ID: expand(text), Do: keys.Choose}, nil
			}))
		return nil
	}
	return m.openPath(a.ID)
}

// expand makes a typed path absolute; ~ is the home folder.
func expand(path string) string {
	if rest, ok := strings.CutPrefix(path, "~"); ok && (rest == "" || rest[0] == '/') {
		path = home() + rest
	}
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// openPath shows a model file in the list of models, or looks into a folder.
func (m *model) openPath(path string) tea.Cmd {
	ctx, choice, look1 := m.ctx, m.choice(), m.cfg.Models.Look
	if look1 == nil {
		return m.toastFor("files cannot be opened here", longToast)
	}
	return m.later(func() tea.Msg {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			return menuMsg(func(m *model) tea.Cmd { return m.browse(path) })
		}
		e, err := look1(ctx, path, choice)
		return menuMsg(func(m *model) tea.Cmd {
			if err != nil {
				return m.toastFor(err.Error(), longToast)
			}
			m.catalog.files = append(slices.DeleteFunc(m.catalog.files, func(f Model) bool { return f.ID == e.ID }), e)
			m.screens = slices.DeleteFunc(m.screens, func(s menu.Screen) bool {
				l, ok := s.(*menu.List)
				return ok && l.Place == keys.InFiles
			})
			var cmd tea.Cmd
			if m.openList(keys.InModels) == nil {
				cmd = m.openModels()
			}
			m.catalog.pick = e.ID
			m.fillModels()
			return cmd
		})
	})
}

package ui

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"hotcell/infer"
	"hotcell/models"
	"hotcell/planner"
	"hotcell/ui/keys"
	"hotcell/ui/look"
	"hotcell/ui/menu"
)

// catalog is the models that are known.
type catalog struct {
	listed []Model // of the last listing
	files  []Model // own files that were looked at
	pick   string  // the model to select in the list when it is filled
}

// firstModel is the model to begin with.
func (m *model) firstModel() string { return cmp.Or(m.cfg.Model, m.prefs.Model, models.BuiltIn) }

// openModels lists the models. What was listed last is shown at once, and read anew beside it.
func (m *model) openModels() tea.Cmd {
	l := &menu.List{
		Theme: m.theme, Place: keys.InModels, Title: "Models", Empty: "The models are being listed.",
		Columns: []string{"name", "type", "file", "in RAM", "verdict", "state"},
		Buttons: m.modelButtons(), Always: []keys.Action{keys.Browse, keys.Context},
		Do: func(a keys.Action, row *menu.Row) menu.Action {
			item := menu.Item{Kind: menu.ModelItem, Do: a}
			if row != nil {
				item.ID = row.ID
			}
			return item
		},
	}
	m.open(l)
	m.fillModels()
	return m.listModels()
}

// modelButtons are what this program can do with models.
func (m *model) modelButtons() []keys.Action {
	buttons := []keys.Action{keys.Choose, keys.Bench}
	if m.cfg.Models.Look != nil {
		buttons = append(buttons, keys.Browse)
	}
	buttons = append(buttons, keys.Context)
	if m.cfg.Models.Keep != nil {
		buttons = append(buttons, keys.Import)
	}
	if m.cfg.Models.Pack != nil {
		buttons = append(buttons, keys.Pack)
	}
	if m.cfg.Models.Remove != nil {
		buttons = append(buttons, keys.Delete)
	}
	return buttons
}

// listModels reads what models there are, own files included that are in use.
func (m *model) listModels() tea.Cmd {
	if m.cfg.Models.List == nil {
		return nil
	}
	ctx, choice, functions := m.ctx, m.choice(), m.cfg.Models
	own := []string{m.modelID}
	for _, f := range m.catalog.files {
		own = append(own, f.ID)
	}
	return m.later(func() tea.Msg {
		list, err := functions.List(ctx, choice)
		var files []Model
		for _, id := range own {
			known := func(f Model) bool { return f.ID == id }
			if functions.Look == nil || slices.ContainsFunc(list, known) || slices.ContainsFunc(files, known) || !filepath.IsAbs(id) {
				continue
			}
			f, err := functions.Look(ctx, id, choice)
			if err != nil {
				f = Model{ID: id, Name: filepath.Base(id), Kind: OwnFile, Problem: err.Error()}
			}
			files = append(files, f)
		}
		return menuMsg(func(m *model) tea.Cmd {
			if err != nil {
				return m.toastFor(err.Error(), longToast)
			}
			m.catalog.listed, m.catalog.files = list, files
			m.fillModels()
			return nil
		})
	})
}

// fillModels puts what is known into the list, if it is open.
func (m *model) fillModels() {
	l := m.openList(keys.InModels)
	if l == nil || len(m.catalog.listed) == 0 {
		return
	}
	var rows []menu.Row
	for _, e := range slices.Concat(m.catalog.listed, m.catalog.files) {
		rows = append(rows, m.modelRow(e))
	}
	l.SetRows(rows)
	if m.catalog.pick != "" {
		l.Select(m.catalog.pick)
		m.catalog.pick = ""
	}
	l.Note = ""
	if len(m.catalog.listed) > 0 && m.catalog.listed[0].Memory.Available > 0 {
		l.Note = look.Size(m.catalog.listed[0].Memory.Available) + " of memory are free"
	}
}

// verdictWord says whether a model fits.
func verdictWord(t look.Theme, e Model) string {
	switch {
	case e.Problem != "":
		return "cannot run"
	case e.Memory.Verdict == planner.Unknown:
		return t.Dash
	}
	return string(e.Memory.Verdict)
}

func (m *model) modelRow(e Model) menu.Row {
	t := m.theme
	row := menu.Row{
		ID: e.ID, Title: cmp.Or(e.Name, e.ID), Bad: e.Problem != "", InUse: e.ID == m.modelID && m.engine != nil,
		Cells:  []string{cmp.Or(e.Quant, t.Dash), t.Bytes(e.Bytes), t.Bytes(e.Memory.Total), verdictWord(t, e)},
		State:  map[ModelKind]string{BuiltIn: "built in", Installed: "ready", OwnFile: "file"}[e.Kind],
		Detail: func(w int) []string { return m.modelDetail(e, w) },
	}
	row.Sub = fmt.Sprintf("%s %s %s in RAM, %s", t.Bytes(e.Bytes), t.Dot, t.Bytes(e.Memory.Total), verdictWord(t, e))
	switch {
	case row.InUse:
		row.State = "loaded"
	case e.ID == m.modelID && m.loading != nil:
		row.State = "loading"
	case e.Problem != "":
		row.State, row.Sub = "damaged", e.Problem
	case e.Packed:
		row.State = "pack"
	}
	if row.Bad {
		row.Keys = []keys.Action{}
	} else {
		row.Keys = []keys.Action{keys.Choose, keys.Bench}
		if e.Kind == OwnFile {
			row.Keys = append(row.Keys, keys.Import)
		}
		if !e.Packed {
			row.Keys = append(row.Keys, keys.Pack)
		}
	}
	if e.Kind == Installed {
		row.Keys = append(row.Keys, keys.Delete)
	}
	return row
}

// modelDetail is all that is known of a model: what it is, and what it takes of the memory, part by part.
func (m *model) modelDetail(e Model, w int) []string {
	t := m.theme
	var lines []string
	add := func(s string) { lines = append(lines, look.Wrap(s, w)...) }
	if e.Problem != "" {
		for _, line := range look.Wrap(e.Problem, w) {
			lines = append(lines, t.Bad.Render(line))
		}
	}
	facts := []string{}
	for _, s := range []string{look.Label(e.Arch), look.Label(e.Quant)} {
		if s != "" {
			facts = append(facts, s)
		}
	}
	if e.Params > 0 {
		facts = append(facts, parameters(e.Params))
	}
	if e.Context > 0 {
		facts = append(facts, "trained for "+look.Count(e.Context)+" tokens")
	}
	add(strings.Join(facts, " "+t.Dot+" "))
	if n := e.Memory; n.Total > 0 {
		bar := t.Bar(max(4, w-26), n.Total, max(n.Total, n.Available))
		lines = append(lines, "RAM "+bar+" "+t.Bytes(n.Total)+" of "+t.Bytes(n.Available))
		for _, part := range [][2]any{{"weights", n.Weights}, {"KV cache", n.KV}, {"work buffers", n.Work}} {
			lines = append(lines, "  "+look.Pad(part[0].(string), 14)+t.Bytes(part[1].(int64)))
		}
		if c := m.choice().Context; c > 0 {
			add(fmt.Sprintf("  for a context of %d tokens", c))
		}
	}
	if e.ID == m.modelID && m.hasLast {
		add("last answer " + strings.Join(m.last.parts(t), " "+t.Dot+" "))
	}
	for _, f := range e.Facts {
		add(f[0] + ": " + f[1])
	}
	return lines
}

// parameters tells how many there are.
func parameters(n uint64) string {
	if n < 1e9 {
		return fmt.Sprintf("%.3g million parameters", float64(n)/1e6)
	}
	return fmt.Sprintf("%.3g billion parameters", float64(n)/1e9)
}

// findModel is the entry with an ID.
func (m *model) findModel(id string) (Model, bool) {
	all := slices.Concat(m.catalog.listed, m.catalog.files)
	i := slices.IndexFunc(all, func(e Model) bool { return e.ID == id })
	if i < 0 {
		return Model{}, false
	}
	return all[i], true
}

// modelItem does what the menu of models asks for.
func (m *model) modelItem(a menu.Item) tea.Cmd {
	e, _ := m.findModel(a.ID)
	switch a.Do {
	case keys.Choose:
		if e.ID == m.modelID && m.engine != nil {
			m.closeAll()
			return nil
		}
		if e.Memory.Verdict == planner.Over && a.Text == "" {
			a.Text = "yes"
			m.open(menu.NewQuestion(m.theme, "Load "+e.Name, fmt.Sprintf(
				"It takes %s of memory, but only %s are free: it will be slow, or the system may end the program.",
				look.Size(e.Memory.Total), look.Size(e.Memory.Available)), a))
			return nil
		}
		m.closeAll()
		return m.loadModel(a.ID, nil)
	case keys.Bench:
		m.closeAll()
		if a.ID == m.modelID && m.engine != nil {
			return m.bench()
		}
		return m.loadModel(a.ID, (*model).bench)
	case keys.Browse:
		return m.browse(home())
	case keys.Context:
		m.open(menu.NewPrompt(m.theme, "Context", "How many tokens a conversation may have; 0: what the model was trained for, at most 8192. "+
			"A larger one takes more memory. The loaded model takes it over when it is loaded again.",
			fmt.Sprint(m.choice().Context), false, func(text string) (menu.Action, error) { return m.setAction("context", text) }))
	case keys.Import:
		return m.keepModel(e)
	case keys.Pack:
		return m.packModel(e)
	case keys.Delete:
		if a.Text == "" {
			a.Text = "yes"
			m.open(menu.NewQuestion(m.theme, "Delete "+e.Name,
				"The file goes from the disk. A model that was only linked stays where it is.", a))
			return nil
		}
		return m.removeModel(e)
	}
	return nil
}

// keepModel copies an own file into the library.
func (m *model) keepModel(e Model) tea.Cmd {
	f := m.cfg.Models.Keep
	return m.begin("copying "+look.Label(e.Name), false, func(ctx context.Context, progress func(done, total int64)) menuMsg {
		id, err := f(ctx, e.ID, progress)
		return func(m *model) tea.Cmd {
			if err != nil {
				return m.failed("The model could not be copied", err)
			}
			return tea.Batch(m.listModels(), m.toastFor(look.Label(id)+" is in the library", longToast))
		}
	})
}

// packModel makes the pack of a model.
func (m *model) packModel(e Model) tea.Cmd {
	f := m.cfg.Models.Pack
	return m.begin("packing "+look.Label(e.Name), false, func(ctx context.Context, progress func(done, total int64)) menuMsg {
		err := f(ctx, e.ID, progress)
		return func(m *model) tea.Cmd {
			if err != nil {
				return m.failed("The model could not be packed", err)
			}
			return tea.Batch(m.listModels(), m.toastFor(look.Label(e.Name)+" is packed", longToast))
		}
	})
}

func (m *model) removeModel(e Model) tea.Cmd {
	if e.ID == m.modelID {
		return m.toastFor("this model is loaded; load another one first", longToast)
	}
	f, ctx := m.cfg.Models.Remove, m.ctx
	return m.later(func() tea.Msg {
		err := f(ctx, e.ID)
		return menuMsg(func(m *model) tea.Cmd {
			if err != nil {
				return m.failed("The model could not be deleted", err)
			}
			return tea.Batch(m.listModels(), m.toastFor(look.Label(e.Name)+" was deleted", longToast))
		})
	})
}

// failed tells why a long operation did not work; one that the user cancelled tells only that.
func (m *model) failed(what string, err error) tea.Cmd {
	if errors.Is(err, context.Canceled) {
		return m.toastFor("cancelled", longToast)
	}
	m.report(what + ": " + err.Error())
	return m.toastFor(what, longToast)
}

// measurer is an engine that can be measured.
type measurer interface {
	Measure(ctx context.Context, t infer.Test, runs int, each func(done int, r infer.Run)) ([]infer.Run, error)
}

// benchRuns is how often each test of a measurement in the app is run.
const benchRuns = 3

// bench measures the loaded model: a prompt, and tokens one at a time.
func (m *model) bench() tea.Cmd {
	engine, ok := m.engine.(measurer)
	if why := m.cannotAnswer(); why != "" || !ok {
		return m.toastFor(cmp.Or(why, "this engine cannot be measured"), longToast)
	}
	room := max(8, m.contextMax)
	tests := []infer.Test{{Prompt: min(128, room/2)}, {Generate: min(32, room/4)}}
	name := m.modelName()
	return m.begin("measuring "+look.Label(name), true, func(ctx context.Context, progress func(done, total int64)) menuMsg {
		var rows [][2]string
		for i, test := range tests {
			runs, err := engine.Measure(ctx, test, benchRuns, func(done int, _ infer.Run) {
				progress(int64(i*benchRuns+done), int64(len(tests)*benchRuns))
			})
			if err != nil {
				return func(m *model) tea.Cmd { return m.failed("The model could not be measured", err) }
			}
			rows = append(rows, benchRow(test, runs))
		}
		return func(m *model) tea.Cmd {
			m.context = 0
			for _, row := range rows {
				m.say(fmt.Sprintf("%s, %s: %s", look.Label(name), row[0], row[1]))
			}
			return nil
		}
	})
}

// benchRow names a test and tells its median.
func benchRow(test infer.Test, runs []infer.Run) [2]string {
	sum := infer.Summarise(runs)
	what := fmt.Sprintf("a prompt of %d tokens", test.Prompt)
	if test.Generate > 0 {
		what = fmt.Sprintf("%d tokens written", test.Generate)
	}
	text := fmt.Sprintf("%.1f tokens per second", sum.Median)
	if sum.Share > 0 {
		text += fmt.Sprintf(", %.0f%% of what this machine can do", 100*sum.Share)
	}
	return [2]string{what, text}
}

// home is the folder in which looking for files begins.
func home() string {
	if dir, err := os.UserHomeDir(); err == nil && dir != "/" {
		return dir
	}
	if dir, err := os.Getwd(); err == nil {
		return dir
	}
	return "/"
}

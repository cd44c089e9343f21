package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"hotcell/infer"
	"hotcell/infer/workers"
	"hotcell/models"
	"hotcell/models/builtin"
	"hotcell/models/gguf"
	"hotcell/models/pack"
	"hotcell/planner"
	"hotcell/ui"
	"hotcell/ui/panels"
)

// chatModels is what the chat's menu of models works with.
type chatModels struct {
	base  infer.Config // as the command line says
	packs string       // folder of the packs that are made in the menu
}

func (c *chatModels) functions() ui.Models {
	return ui.Models{List: c.list, Look: c.look, Load: c.load, Keep: c.keep, Remove: c.remove, Pack: c.pack}
}

// config is how a model is loaded.
func (c *chatModels) config(choice ui.Choice) infer.Config {
	config := c.base
	config.Plan = nil // it is about one model and one choice, see given
	config.Context, config.Threads = choice.Context, choice.Threads
	config.Mode, config.Memory = infer.Mode(choice.Mode), int64(choice.Budget)<<20
	return config
}

// load loads a model. The choice has what the command line says already.
func (c *chatModels) load(ctx context.Context, id string, choice ui.Choice, progress func(done, total int64)) (ui.Engine, error) {
	f, err := models.Open(id)
	if err != nil {
		return nil, err
	}
	config := c.config(choice)
	config.Progress = progress
	if p, packed := pack.Of(f); packed {
		c.given(&config, p)
		if config.Plan, err = infer.PlanFor(f, config); err != nil {
			f.Close()
			return nil, err
		}
	}
	session, err := openSession(ctx, f, config, io.Discard)
	if err != nil {
		return nil, err
	}
	return planned{session, config.Plan}, nil
}

// given takes the plan that the command line names, for its model and as long as nothing else is chosen.
func (c *chatModels) given(config *infer.Config, p *pack.File) {
	base := &c.base
	if base.Plan == nil || base.Plan.Model != p.Hash() ||
		config.Context != base.Context || config.Threads != base.Threads || config.Mode != base.Mode || config.Memory>>20 != base.Memory>>20 {
		return
	}
	config.Plan, config.Memory = base.Plan, base.Memory // to the byte, where the choice has whole MiB
}

// planned is a session and the plan by which it runs; nil for a model that is in memory as a whole.
type planned struct {
	*infer.Session
	plan *planner.Plan
}

// Plan is what the dashboard compares the measurements with.
func (p planned) Plan() *planner.Plan { return p.plan }

// modelID is what the chat knows a model by: a name in the library, or a whole path.
func modelID(path string) string {
	if path == "" || path == models.BuiltIn {
		return models.BuiltIn
	}
	if library, err := models.OpenLibrary(""); err == nil && filepath.Base(path) == path {
		if full, err := library.Path(path); err == nil {
			return filepath.Base(filepath.Dir(full))
		}
	}
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// list is the built-in model, those of the library and the packs, each with the memory that it would take.
func (c *chatModels) list(ctx context.Context, choice ui.Choice) ([]ui.Model, error) {
	var list []ui.Model
	f, err := builtin.Open()
	if err != nil {
		return nil, err
	}
	own := c.describe(f, models.BuiltIn, ui.BuiltIn, choice)
	own.Name = builtin.Name
	list = append(list, own)
	library, err := models.OpenLibrary("")
	if err != nil {
		return list, err
	}
	entries, err := library.List()
	for _, e := range entries {
		if ctx.Err() != nil {
			return list, ctx.Err()
		}
		m := ui.Model{ID: e.Name, Name: e.Name, Kind: ui.Installed, Arch: e.Architecture, Quant: e.Type, Bytes: e.Bytes, Params: e.Parameters}
		if m.Problem = e.Problem; m.Problem == "" {
			if f, err := models.Open(e.Name); err != nil {
				m.Problem = err.Error()
			} else {
				m = c.describe(f, e.Name, ui.Installed, choice)
				m.Name = e.Name
			}
		}
		list = append(list, m)
	}
	return append(list, c.packed(ctx, choice)...), err
}

// packed are the packs that were made in the menu.
func (c *chatModels) packed(ctx context.Context, choice ui.Choice) (list []ui.Model) {
	paths, _ := filepath.Glob(filepath.Join(c.packs, "*.pack")) // the pattern is right
	for _, path := range paths {
		if ctx.Err() != nil {
			return list
		}
		m, err := c.look(ctx, path, choice)
		if err != nil {
			m = ui.Model{ID: path, Name: filepath.Base(path), Packed: true, Problem: err.Error()}
		}
		m.Kind = ui.Installed
		list = append(list, m)
	}
	return list
}

// look is a model file anywhere.
func (c *chatModels) look(_ context.Context, path string, choice ui.Choice) (ui.Model, error) {
	f, err := models.Open(path)
	if err != nil {
		return ui.Model{}, err
	}
	m := c.describe(f, path, ui.OwnFile, choice)
	m.Name = filepath.Base(path)
	return m, nil
}

// describe tells what a file is and closes it.
func (c *chatModels) describe(f *gguf.File, id string, kind ui.ModelKind, choice ui.Choice) ui.Model {
	defer f.Close()
	d := infer.Describe(f, choice.Context)
	_, packed := pack.Of(f)
	if packed {
		d.CannotRun = "" // Describe misses the neurons, which lie apart
	}
	if need, err := infer.MemoryNeed(f, c.config(choice)); err == nil { // knows packs and the budget too
		d.Memory = need
	}
	m := ui.Model{
		ID: id, Name: d.Name, Kind: kind, Arch: d.Architecture, Bytes: d.Bytes, Params: d.Parameters,
		Context: d.Shape.Context, Memory: d.Memory, Packed: packed, Problem: d.CannotRun,
	}
	if len(d.Types) > 0 {
		m.Quant = d.Types[0].Type
	}
	fact := func(name, text string) {
		if text != "" {
			m.Facts = append(m.Facts, [2]string{name, text})
		}
	}
	if d.Shape.Experts > 0 {
		fact("experts", fmt.Sprintf("%d, of which %d compute a token", d.Shape.Experts, d.Shape.ExpertsUsed))
	}
	if d.Shape.Layers > 0 {
		fact("shape", fmt.Sprintf("%d layers of width %d", d.Shape.Layers, d.Shape.Width))
	}
	var words []string
	if d.ReLU {
		words = append(words, "most neurons are zero for a token")
	}
	if d.Predictor {
		words = append(words, "the file predicts which")
	}
	fact("sparsity", strings.Join(words, "; "))
	fact("license", d.License)
	fact("chat template", d.Template.Form)
	return m
}

// keep copies a file into the library.
func (c *chatModels) keep(ctx context.Context, path string, progress func(done, total int64)) (string, error) {
	library, err := models.OpenLibrary("")
	if err != nil {
		return "", err
	}
	e, _, err := library.Import(ctx, path, models.ImportOptions{Progress: progress, Check: func(f *gguf.File) error {
		if d := infer.Describe(f, 0); d.CannotRun != "" {
			return errors.New(f.Name() + ": cannot run: " + d.CannotRun)
		}
		return nil
	}})
	return e.Name, err
}

func (c *chatModels) remove(_ context.Context, id string) error {
	if filepath.Dir(id) == c.packs {
		return os.Remove(id)
	}
	library, err := models.OpenLibrary("")
	if err != nil {
		return err
	}
	_, err = library.Remove(id)
	return err
}

// pack makes a model's pack in the folder of packs, with neurons in the order in which a sample text makes them active.
func (c *chatModels) pack(ctx context.Context, id string, progress func(done, total int64)) error {
	f, err := models.Open(id)
	if err != nil {
		return err
	}
	defer f.Close()
	name := id
	if filepath.IsAbs(id) {
		name = filepath.Base(id)
	}
	if err := os.MkdirAll(c.packs, 0o700); err != nil {
		return err
	}
	activity, err := (&packFlags{tokens: packTokens}).activity(ctx, &streams{out: io.Discard, err: io.Discard}, f)
	if err != nil {
		return err
	}
	return pack.Write(ctx, f, filepath.Join(c.packs, packName(name)), pack.Options{Activity: activity, Progress: progress})
}

// packTokens is over how many tokens activity is counted for a pack that is made in the menu.
const packTokens = 4096

// clusters are the machine's cores that are alike, by what the kernel says of them. Only one kind needs no names.
func clusters() []panels.Cluster {
	var list []panels.Cluster
	last := -1
	for _, c := range workers.Cores() { // the fastest first
		if len(list) == 0 || c.Capacity != last {
			list = append(list, panels.Cluster{})
			last = c.Capacity
		}
		k := &list[len(list)-1]
		k.CPUs = append(k.CPUs, c.CPU)
	}
	for i := range list {
		switch {
		case i == 0:
			list[i].Name = "P"
		case i == len(list)-1:
			list[i].Name = "E"
		default:
			list[i].Name = "M"
		}
	}
	return list
}

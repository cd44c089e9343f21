package infer

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"hotcell/infer/kernel"
	"hotcell/infer/workers"
	"hotcell/iosched"
	"hotcell/models/gguf"
	"hotcell/models/pack"
	"hotcell/neuroncache"
	"hotcell/planner"
)

// programBytes is what the process takes besides what the plan counts: the program's pages, Go's heap with room to collect, stacks. On top comes
// what it holds before the model is loaded, vocabulary and template, as measured.
const programBytes = 40 << 20

// defaultDepth is the reads under way where nothing was measured: more than a UFS queue's 32 does no harm, and NVMe gains.
const defaultDepth = 64

// clusterSlots is the units of a hot cluster: enough for one sequential read, and a small part of a layer.
func clusterSlots(groups map[int]*pack.Group) int {
	least := 64
	for _, g := range groups {
		least = min(least, max(1, g.Units/16))
	}
	return least
}

// packedLoader makes the loader for a model in a pack, whose feed-forward layers stay there.
func packedLoader(p *pack.File, f *gguf.File, h *hparams, c *Config) (*loader, error) {
	ld := &loader{f: f, h: h, predictor: c.mayPredict(), context: c.contextFor(h), kv: c.KV, packed: true}
	ld.neurons = byLayer(f, p.Groups())
	switch {
	case !h.activation.sparse():
		return nil, fmt.Errorf("%s: this model's activation makes no zeros, so it cannot be computed from a pack; use the GGUF file", f.Name())
	case len(ld.neurons) != len(p.Groups()) || len(ld.neurons) == 0:
		return nil, fmt.Errorf("%s: only feed-forward layers without experts in F32, F16, BF16, Q8_0 or Q4_0 can be computed from a pack; use the GGUF file", f.Name())
	}
	return ld, nil
}

// planModel describes a pack to the planner.
func planModel(p *pack.File, ld *loader, threads int) (*planner.Model, error) {
	w := ld.plan()
	if ld.err != nil {
		return nil, ld.err
	}
	h := ld.h
	m := &planner.Model{Hash: p.Hash(), Name: ld.f.Name(), Fixed: int64(ld.size), PerUnit: neuroncache.UnitTableBytes, PerSlot: neuroncache.SlotTableBytes}
	var layers []*neurons
	for _, l := range sortedLayers(ld.neurons) {
		g := ld.neurons[l]
		layer := planner.Layer{Neurons: g.Neurons, UnitNeurons: g.UnitNeurons, UnitBytes: g.UnitBytes}
		if g.Parts[1].Bytes > 0 {
			layer.GateBytes = g.Parts[0].Bytes
		}
		f := w.layers[l].ffn
		for _, x := range []*kernel.Matrix{&f.predict1, &f.predict2, &f.sketch} {
			layer.Predictor += int64(arenaSize(kernel.MatrixBytes(x.Format, x.Rows, x.Cols)))
		}
		m.Fixed -= layer.Predictor
		for _, a := range g.Activity {
			layer.Activity = append(layer.Activity, float32(a)/65535)
		}
		m.Layers = append(m.Layers, layer)
		layers = append(layers, newNeurons(g))
	}
	m.KV = kvBytes(h, ld.context, ld.kv)
	m.Work = workBytes(h, w, ld.context, threads, ld.predictor) + streamBytes(layers)
	_, pages := p.Data()
	m.Program = programBytes + pages/pack.PageBytes*4
	if held, ok := HeldMemory(); ok {
		m.Program += held
	}
	return m, nil
}

func sortedLayers(groups map[int]*pack.Group) []int {
	var list []int
	for l := range groups {
		list = append(list, l)
	}
	slices.Sort(list)
	return list
}

// openFlash makes cache and scheduler as the plan says. The layers' neurons are given their places in the cache.
func openFlash(p *pack.File, w *weights, plan *planner.Plan, c *Config, workers int) (*flash, error) {
	var layers []*neurons
	clusters := 0 // of the widest
	groups := map[int]*pack.Group{}
	config := neuroncache.Config{Policy: c.Policy}
	for l := range w.layers {
		f := w.layers[l].ffn
		if f == nil || f.neurons == nil {
			continue
		}
		n := f.neurons
		groups[l] = n.group
		n.number, n.cached, n.inParts = len(layers), len(config.Groups), plan.TwoPhase
		n.whole = plan.Layers[n.number].Mode == planner.Dense
		layers, clusters = append(layers, n), max(clusters, n.clusters())
		config.Groups = append(config.Groups, n.group.Units)
		bytes := n.group.UnitBytes
		if plan.TwoPhase {
			config.Groups = append(config.Groups, n.group.Units)
			bytes = max(n.group.Parts[0].Bytes, n.group.Parts[1].Bytes)
		}
		config.SlotBytes = max(config.SlotBytes, bytes)
	}
	config.ClusterSlots = clusterSlots(groups)
	if c.Without&WithoutCache != 0 {
		plan = withoutCache(plan, layers, config.SlotBytes)
	}
	config.HotBytes, config.Bytes = plan.Memory.Hot, plan.Memory.Hot+plan.Memory.Cold
	cache, err := neuroncache.New(config)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.Name(), err)
	}
	io := c.IO
	if io.Depth == 0 {
		io.Depth = plan.Depth
	}
	if c.Without&WithoutBundles != 0 {
		io.MaxMerge = -1
	}
	sched, err := iosched.Open(p.Path(), io)
	if err != nil {
		cache.Close()
		return nil, fmt.Errorf("%s: %w", p.Name(), err)
	}
	f := newFlash(p, sched, cache, workers, clusters)
	if f.staging, err = newArena(int(streamBytes(layers)), unix.MADV_NOHUGEPAGE); err != nil {
		f.close()
		return nil, err
	}
	f.plan, f.clusterSlots, f.depth, f.forgets = plan, config.ClusterSlots, io.Depth, c.Without&WithoutCache != 0
	if c.Without&WithoutBundles != 0 {
		f.pieces = make(pieces, cache.Slots())
	}
	f.stream = newStream(layers, f.staging.take)
	return f, nil
}

// close ends the reads and frees cache and buffers.
func (f *flash) close() {
	if f == nil {
		return
	}
	f.sched.Close()
	f.cache.Close()
	f.staging.free()
}

// warm fills the cache before the first token: the hot clusters, and the cold region with the most active of the other neurons. It reads each
// layer from the front, so all reads are sequential.
func (f *flash) warm(ctx context.Context, progress func(done, total int64)) error {
	if f.forgets {
		return nil
	}
	var total, done int64
	quota := make([][2]int, len(f.stream.layers)) // units of each part to fill the cold region with
	left := 0
	for i, n := range f.stream.layers {
		hot := f.hotUnits(n)
		quota[i] = [2]int{n.group.Units - hot[0], n.group.Units - hot[1]}
		for part := range n.parts() {
			left += quota[i][part]
		}
	}
	share := min(1, float64(f.plan.Memory.Cold/int64(f.slotBytes()))/float64(max(1, left)))
	for i, n := range f.stream.layers {
		for part := range quota[i] {
			quota[i][part] = int(share * float64(quota[i][part]))
		}
		total += int64(f.warmUnits(n, quota[i])) * int64(n.group.UnitBytes)
	}
	for i, n := range f.stream.layers {
		if err := f.warmLayer(ctx, n, quota[i], func(bytes int) {
			if done += int64(bytes); progress != nil {
				progress(done, total)
			}
		}); err != nil {
			return err
		}
	}
	debug.FreeOSMemory()
	return nil
}

// hotUnits is how many units of each part are hot, in whole clusters.
func (f *flash) hotUnits(n *neurons) [2]int {
	plan := f.plan.Layers[n.number]
	per := n.group.UnitNeurons
	return [2]int{min(n.group.Units, (plan.HotGates+per-1)/per), min(n.group.Units, (plan.HotRest+per-1)/per)}
}

// warmUnits is how many units of a layer are read when the cache is filled.
func (f *flash) warmUnits(n *neurons, quota [2]int) int {
	hot := f.hotUnits(n)
	return max(hot[0]+quota[0], hot[1]+quota[1])
}

func (f *flash) slotBytes() int { return len(f.cache.Slot(0)) }

// warmLayer reads a layer's first units, some at a time, and puts them where they belong.
func (f *flash) warmLayer(ctx context.Context, n *neurons, quota [2]int, read func(bytes int)) error {
	g, hot, st := n.group, f.hotUnits(n), &f.stream
	end := f.warmUnits(n, quota)
	step := max(1, len(st.stages[0].memory)/g.UnitBytes)
	batch := f.cache.Begin(1)
	defer f.cache.End(batch)
	s := &st.stages[0]
	for first := 0; first < end; first += step {
		if err := ctx.Err(); err != nil {
			return err
		}
		units := min(step, end-first)
		s.bytes = s.memory[:units*g.UnitBytes]
		s.request.Offset, s.request.Buf, s.request.Tag = g.Offset+int64(first)*int64(g.UnitBytes), s.bytes, 0
		s.busy = true
		f.startStage(s)
		for s.busy && !f.failed() {
			if r := st.group.Wait(time.Time{}); r != nil {
				f.arrived(r)
			}
		}
		if f.failed() {
			return f.recover()
		}
		for i := range units {
			f.admit(batch, n, first+i, hot, quota, s.bytes[i*g.UnitBytes:][:g.UnitBytes])
		}
		read(len(s.bytes))
	}
	return nil
}

// admit copies a unit that was read into the cache's slots that it has room in.
func (f *flash) admit(batch neuroncache.Batch, n *neurons, number int, hot, quota [2]int, bytes []byte) {
	parts := []pack.Part{{Offset: 0, Bytes: len(bytes)}}
	if n.inParts {
		parts = n.group.Parts[:]
	}
	one, found := [1]int32{int32(number)}, [1]neuroncache.Found{}
	for i, part := range parts {
		switch {
		case number < hot[i]:
			slots := f.clusterSlots
			cluster := [1]int32{int32(number / slots)}
			f.cache.LookupClusters(batch, n.cached+i, cluster[:], found[:])
			if found[0].State == neuroncache.Full {
				continue
			}
			found[0].Slot += int32(number % slots)
			if f.cache.State(found[0].Slot) != neuroncache.Loading {
				continue
			}
		case number < hot[i]+quota[i]:
			if f.cache.Lookup(batch, n.cached+i, one[:], found[:]); found[0].State != neuroncache.Claimed {
				continue
			}
		default:
			continue
		}
		copy(f.cache.Slot(found[0].Slot), bytes[part.Offset:][:part.Bytes])
		f.cache.Ready(found[0].Slot)
	}
}

// newPackedEngine is newModelEngine for a model in a pack.
func newPackedEngine(ctx context.Context, p *pack.File, f *gguf.File, h *hparams, c Config) (*engine, error) {
	ld, plan, err := planPacked(p, f, h, &c)
	if err != nil {
		return nil, err
	}
	ld = &loader{f: ld.f, h: ld.h, predictor: plan.Mode == planner.Predicted, without: unpredicted(plan, ld.neurons), context: ld.context, packed: true, neurons: ld.neurons}
	pool := workers.New(c.Threads, workers.Options{Pin: c.Pin})
	w, err := loadWeights(ctx, ld, pool, c.Progress)
	if err != nil {
		pool.Close()
		return nil, err
	}
	kv, err := newKVCache(h, ld.context, c.KV)
	if err != nil {
		w.mem.free()
		pool.Close()
		return nil, err
	}
	e := newEngine(h, w, kv, pool, ld.predictor)
	e.sparse.active, e.sparse.serial = c.Active, c.Without&WithoutPipeline != 0
	if e.sparse.flash, err = openFlash(p, w, plan, &c, pool.Size()); err == nil {
		err = e.sparse.flash.warm(ctx, c.Progress)
	}
	if err == nil && ld.predictor && !h.hasPredictor {
		err = e.makeSketches(ctx, f, c.Threshold)
	}
	if err != nil {
		e.close()
		return nil, err
	}
	e.setEarly(ld.predictor && (c.EarlyReads || plan.EarlyReads))
	e.sparse.flash.setBase()
	return e, nil
}

// planPacked decides how a model in a pack runs.
func planPacked(p *pack.File, f *gguf.File, h *hparams, c *Config) (*loader, *planner.Plan, error) {
	if c.Mode == ModeFile {
		if c.Mode = ModeExact; h.hasPredictor {
			c.Mode = ModePredicted
		}
	}
	ld, err := packedLoader(p, f, h, c)
	if err != nil {
		return nil, nil, err
	}
	plan, err := makePlan(p, ld, c)
	return ld, plan, err
}

// mayPredict tells whether layers of a model in a pack may need predictors.
func (c *Config) mayPredict() bool {
	return c.Mode == ModePredicted || c.Mode == ModeAuto && (c.Lossy || c.Plan != nil && c.Plan.Mode == planner.Predicted)
}

// unpredicted is the layers whose predictors the plan does not ask.
func unpredicted(plan *planner.Plan, groups map[int]*pack.Group) map[int]bool {
	without := map[int]bool{}
	for i, l := range sortedLayers(groups) {
		without[l] = plan.Layers[i].Mode != planner.Predicted
	}
	return without
}

// PlanFor is the plan that Open would make for a model in a pack, without loading it.
func PlanFor(f *gguf.File, c Config) (*planner.Plan, error) {
	p, ok := pack.Of(f)
	if !ok {
		return nil, fmt.Errorf("%s: plans are for packs; make one with hotcell pack", f.Name())
	}
	h, err := readHparams(f)
	if err != nil {
		return nil, err
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	_, plan, err := planPacked(p, f, h, &c)
	return plan, err
}

// makePlan is the plan that was given, checked, or one made for the budget.
func makePlan(p *pack.File, ld *loader, c *Config) (*planner.Plan, error) {
	m, err := planModel(p, ld, c.Threads)
	if err != nil {
		return nil, err
	}
	limits := planner.Limits{Budget: c.Memory, Mode: string(c.Mode), Lossy: c.Lossy, ClusterUnits: clusterSlots(ld.neurons)}
	if c.Mode == ModeAuto {
		limits.Mode = planner.Auto
	}
	if limits.Budget == 0 {
		limits.Budget = safeShare()
	}
	if c.Plan != nil {
		if err := c.Plan.Check(m, limits); err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name(), err)
		}
		return c.Plan, nil
	}
	d := c.Device
	d.Threads = c.Threads
	if d.Depth == 0 {
		d.Depth = defaultDepth
	}
	return planner.Solve(m, &d, limits)
}

// safeShare is the budget that is taken unasked: what leaves the rest of the machine, and its page cache, room to work.
func safeShare() int64 {
	available, ok := AvailableMemory()
	if !ok {
		return 2 << 30
	}
	return available / 4 * 3
}

package infer

import (
	"math"
	"slices"

	"hotcell/models/gguf"
)

// arch is what distinguishes one model family from another. There is one graph; it reads this table, the shape in the metadata, and which tensors the
// file has (biases, norms, merged matrices and experts are used where they are present). Adding a family is adding an entry and at most
// one small function.
type arch struct {
	norm       normKind
	rope       ropeStyle
	activation activation
	powerInfer activation // in PowerInfer files (magic PWRI), which hold ReLU-trained models also of families with another function; 0: no such files
	parallel   bool       // attention and FFN read the same residual, and both results are added to it
	postNorms  bool       // post_attention_norm and post_ffw_norm follow their blocks; elsewhere the former is a name for the FFN's norm
	tied       bool       // the output matrix is always the embedding
	adjust     func(*metaReader, *hparams)
}

// normKind is the family's normalisation.
type normKind uint8

const (
	rms   normKind = iota // x / sqrt(mean(x^2) + eps)
	layer                 // (x - mean) / sqrt(variance + eps), with a bias where the file has one
)

// ropeStyle says which values of a head form a pair that is rotated together.
type ropeStyle uint8

const (
	neighbours ropeStyle = iota // 2i and 2i+1
	halves                      // i and i + dims/2 ("NEOX")
	unrotated                   // none: positions are learned vectors
)

var archs = map[string]arch{
	"llama":        {activation: siluGate, powerInfer: reluGate, adjust: experts(softmaxAll, true)},
	"bamboo":       {activation: reluBoth, powerInfer: reluBoth, adjust: experts(softmaxAll, true)},
	"mistral3":     {activation: siluGate, adjust: both(experts(softmaxAll, true), queryTemperature)},
	"smallthinker": {rope: halves, activation: reluGate, adjust: smallThinker},
	"qwen2":        {rope: halves, activation: siluGate},
	"qwen2moe":     {rope: halves, activation: siluGate, adjust: experts(softmaxAll, false)},
	"qwen3":        {rope: halves, activation: siluGate},
	"qwen3moe":     {rope: halves, activation: siluGate, adjust: experts(softmaxAll, true)},
	"gemma":        {rope: halves, activation: geluGate, tied: true, adjust: gemma},
	"gemma2":       {rope: halves, activation: geluGate, tied: true, postNorms: true, adjust: gemma2},
	"gemma3":       {rope: halves, activation: geluGate, postNorms: true, adjust: gemma3},
	"phi2":         {norm: layer, rope: halves, activation: gelu, parallel: true},
	"phi3":         {rope: halves, activation: siluGate, adjust: windowEverywhere},
	"chatglm":      {activation: siluGate},
	"glm4":         {activation: siluGate, postNorms: true},
	"glm4moe":      {rope: halves, activation: siluGate, adjust: glm4MoE},
	"bitnet":       {rope: halves, activation: siluGate, tied: true},
	"bitnet-25":    {rope: halves, activation: reluSquaredGate, tied: true},
	"bitnet-b1.58": {rope: halves, activation: reluSquaredGate, tied: true},
	"gpt-oss":      {rope: halves, activation: clampedGate, adjust: both(experts(softmaxChosen, false), windowOnEvenLayers)},
	"stablelm":     {norm: layer, rope: halves, activation: siluGate, adjust: stableLM},
	"falcon":       {norm: layer, rope: halves, activation: gelu, parallel: true},
	"starcoder2":   {norm: layer, rope: halves, activation: gelu},
	"gpt2":         {norm: layer, rope: unrotated, activation: gelu},
	"gptneox":      {norm: layer, rope: halves, activation: gelu, adjust: gptNeoX},
	"command-r":    {norm: layer, activation: siluGate, parallel: true, tied: true, adjust: cohere},
	"cohere2":      {norm: layer, activation: siluGate, parallel: true, tied: true, adjust: both(cohere, cohere2)},
	"minicpm":      {activation: siluGate, adjust: both(experts(softmaxAll, true), miniCPM)},
	"internlm2":    {activation: siluGate},
	"olmo":         {norm: layer, activation: siluGate, adjust: olmo},
	"olmo2":        {rope: halves, activation: siluGate, postNorms: true},
	"smollm3":      {activation: siluGate, adjust: smolLM3},
	"granite":      {activation: siluGate, adjust: granite},
	"granitemoe":   {activation: siluGate, adjust: both(experts(softmaxAll, true), granite)},
	"ernie4_5":     {activation: siluGate},
	"ernie4_5-moe": {activation: siluGate, adjust: experts(softmaxAll, true)},
	"seed_oss":     {rope: halves, activation: siluGate},
}

// Architectures lists the families that this engine runs, by the names that files give them.
func Architectures() []string {
	var names []string
	for name := range archs {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func both(a, b func(*metaReader, *hparams)) func(*metaReader, *hparams) {
	return func(r *metaReader, h *hparams) { a(r, h); b(r, h) }
}

// experts sets how a family weighs its experts; the file's own keys go first.
func experts(gating gating, renormalise bool) func(*metaReader, *hparams) {
	return func(r *metaReader, h *hparams) {
		h.gating, h.renormalise = gating, renormalise
		switch kind := r.countOr("expert_gating_func", 0, 3); kind {
		case 1:
			h.gating = softmaxAll
		case 2:
			h.gating = sigmoid
		case 3:
			h.gating = softmaxChosen
		}
		h.renormalise = r.bool("expert_weights_norm", h.renormalise)
		if scale := r.float("expert_weights_scale", 0); scale != 0 {
			h.expertScale = scale
		}
	}
}

// smallThinker (arXiv 2507.20984) routes before attention, on the layer's input. Every fourth layer is global without rotation, if the file has a
// window at all. The converter writes the gating only where it is softmax, but a file without the key is computed with softmax by the
// engine that the family comes from.
func smallThinker(r *metaReader, h *hparams) {
	experts(softmaxAll, true)(r, h)
	h.routeEarly = true
	if window := r.countOr("attention.sliding_window", 0, 1<<30); window > 0 {
		r.windows(h, window, func(l int) bool { return l%4 != 0 })
		h.rotateWindowed()
	}
}

func glm4MoE(r *metaReader, h *hparams) {
	experts(sigmoid, true)(r, h)
	h.drop(r.countOr("nextn_predict_layers", 0, 1<<12)) // these layers guess further tokens; the chat does without
}

func gemma(_ *metaReader, h *hparams) { h.embeddingScale = float32(math.Sqrt(float64(h.dim))) }

// gemma2 and gemma3: the largest sizes scale queries by the embedding's share per head instead of the head's own length.
func gemma2(r *metaReader, h *hparams) {
	gemma(r, h)
	h.attentionCap = r.float("attn_logit_softcapping", 50)
	h.logitCap = r.float("final_logit_softcapping", 30)
	if h.layers == 46 {
		h.attentionScale = float32(1 / math.Sqrt(float64(h.dim/h.heads)))
	}
	r.windows(h, r.countOr("attention.sliding_window", 4096, 1<<30), everyButLastOf(2))
}

func gemma3(r *metaReader, h *hparams) {
	gemma(r, h)
	h.logitCap = r.float("final_logit_softcapping", 0)
	if h.layers == 62 {
		h.attentionScale = float32(1 / math.Sqrt(float64(h.dim/h.heads)))
	}
	window := r.countOr("attention.sliding_window", 0, 1<<30)
	if window == 0 {
		return
	}
	local := ropeParams{dims: h.ropes[0].dims, style: h.ropes[0].style, base: float64(r.float("rope.freq_base_swa", 10000)), scale: 1, attnFactor: 1}
	h.ropes = append(h.ropes, local)
	r.windows(h, window, everyButLastOf(6))
	for l := range h.perLayer {
		if h.perLayer[l].window > 0 {
			h.perLayer[l].rope = 1
		}
	}
}

func windowEverywhere(r *metaReader, h *hparams) {
	r.windows(h, r.countOr("attention.sliding_window", 0, 1<<30), func(int) bool { return true })
}

func windowOnEvenLayers(r *metaReader, h *hparams) {
	r.windows(h, r.countOr("attention.sliding_window", 0, 1<<30), everyButLastOf(2))
}

// everyButLastOf says that of each n layers all but the last have a window.
func everyButLastOf(n int) func(l int) bool { return func(l int) bool { return l%n != n-1 } }

// windows gives some layers a window: those that the file names in attention.sliding_window_pattern (a flag for each layer, or a number n for
// all but the last of each n), or else the family's own.
func (r *metaReader) windows(h *hparams, window int, family func(l int) bool) {
	if v, ok := r.f.Value(r.key("attention.sliding_window_pattern")); ok && r.err == nil {
		if flags, err := r.f.Ints(r.key("attention.sliding_window_pattern")); err == nil && len(flags) >= h.layers {
			family = func(l int) bool { return flags[l] != 0 }
		} else if v.Kind() != gguf.KindArray {
			family = everyButLastOf(r.count("attention.sliding_window_pattern", 1<<12))
		}
	}
	for l := range h.perLayer {
		if family(l) {
			h.perLayer[l].window = window
		}
	}
}

// rotateWindowed takes the rotation away from layers without a window.
func (h *hparams) rotateWindowed() {
	for l := range h.perLayer {
		if h.perLayer[l].window == 0 {
			h.perLayer[l].rope = noRope
		}
	}
}

// queryTemperature: queries grow with the logarithm of how many times their position exceeds the original context.
func queryTemperature(r *metaReader, h *hparams) {
	h.temperature = r.float("attention.temperature_scale", 0)
	h.temperatureSpan = r.countOr("rope.scaling.original_context_length", h.context, 1<<30)
}

// stableLM: the 12B form has no norm before the FFN, which then reads what attention reads.
func stableLM(r *metaReader, h *hparams) { h.parallel = !has(r.f, "blk.0.ffn_norm.weight") }

func gptNeoX(r *metaReader, h *hparams) { h.parallel = r.bool("use_parallel_residual", true) }

func cohere(r *metaReader, h *hparams) { h.logitScale = r.float("logit_scale", 1) }

// cohere2: every fourth layer sees everything and knows no positions.
func cohere2(r *metaReader, h *hparams) {
	r.windows(h, r.countOr("attention.sliding_window", 4096, 1<<30), everyButLastOf(4))
	h.rotateWindowed()
}

// smolLM3: every fourth layer knows no positions.
func smolLM3(_ *metaReader, h *hparams) {
	for l := 3; l < h.layers; l += 4 {
		h.perLayer[l].rope = noRope
	}
}

// miniCPM: the defaults are those of the files written before the keys existed.
func miniCPM(r *metaReader, h *hparams) {
	h.embeddingScale = r.float("embedding_scale", 12)
	h.residualScale = r.float("residual_scale", 1.4/math.Sqrt(float64(h.layers)))
	h.logitScale = r.inverse("logit_scale", float64(h.dim)/256)
}

func granite(r *metaReader, h *hparams) {
	h.embeddingScale = r.float("embedding_scale", 1)
	h.residualScale = r.float("residual_scale", 1)
	h.logitScale = r.inverse("logit_scale", 1)
	if scale := r.float("attention.scale", 0); scale != 0 {
		h.attentionScale = scale
	}
}

func olmo(r *metaReader, h *hparams) {
	h.bareNorms = true
	h.clampQKV = r.float("attention.clamp_kqv", 0)
}

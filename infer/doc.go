// Package infer is the engine: it loads a model file, computes tokens and holds conversations.
//
// A [Session] is one loaded model with the keys and values of one conversation. [Session.Generate] answers a conversation on a goroutine of
// its own and returns a [Generation], from which a screen drains text, notices and prefill progress at its own pace; the engine
// never waits for the screen. [Session.Stats] is a copy of counters that only grow, so that the difference of two is a window.
//
//	f, err := gguf.Open("model.gguf")
//	s, err := infer.Open(ctx, f, infer.Config{})
//	g := s.Generate(ctx, []infer.Message{{Role: "user", Content: "Hello"}}, infer.Options{})
//	text, reason, err := g.Wait(ctx)
//
// Inside, text becomes tokens (prompt.go), tokens walk through the one transformer graph (engine.go draws the way; attention.go, attend.go,
// ffn.go and route.go are its parts, own.go what a worker has for itself), and logits become text again (sampler.go, decode.go, think.go). The graph serves every model family: arch.go is
// the table of what distinguishes them, hparams.go reads a file's shape, weights.go says which tensors it needs, and load.go and load_read.go bring them
// into run-time layouts. Models whose activation makes zeros are computed by neuron (sparse.go draws the way; resident.go, cluster.go and neurons.go are its parts), from flash where
// memory does not hold them (flash.go brings them, news.go says who waits for what, early.go reads ahead if that is asked for, flash_stream.go serves prompts). reference.go is the same computation in plain float32, the oracle of all that is fast.
//
// Invariants: the logits' bits do not depend on the number of threads nor on how a prompt is cut into chunks; decoding a token allocates
// nothing; cancelling a context ends a generation within one layer and leaves the session usable; no model file can crash the engine.
package infer

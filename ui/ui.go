package ui

import (
	"context"

	"hotcell/infer"
)

// Engine is what the chat needs of a loaded model; *infer.Session satisfies it.
type Engine interface {
	// Generate starts the answer to msgs and returns at once. One answer is made at a time.
	Generate(ctx context.Context, msgs []infer.Message, opt infer.Options) *infer.Generation
	// Stats is what the engine has done so far. It may be called at any time from any goroutine.
	Stats() infer.Stats
	// Info describes the loaded model.
	Info() infer.ModelInfo
}

// Role is who answers: a system prompt and the way in which its answers are sampled.
type Role struct {
	Name      string // shown above each answer
	System    string // sent before the conversation; may be empty
	Sampling  infer.Sampling
	MaxTokens int // most tokens of one answer; 0: until the turn ends or the context is full
}

// Config is what [Run] needs to know.
type Config struct {
	Model string // name shown while the model is loading

	// Load loads the model. It runs on a goroutine of its own and calls progress as often as it
	// likes, in bytes; a total of 0 means that it is not known. Its error is shown in the chat, so
	// it should be one plain sentence. ctx is cancelled when the user quits.
	Load func(ctx context.Context, progress func(done, total int64)) (Engine, error)

	Role Role

	NoColor bool // draw without colours, as with NO_COLOR in the environment
	ASCII   bool // draw with ASCII characters only, for fonts without box and block characters
	Light   bool // choose colours for a light background

	Prompt string // sent as the first message when the model is loaded; may be empty
}

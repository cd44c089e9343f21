// Package ui is the chat in the terminal: a Bubble Tea v1 app that shows a conversation with a language
// model as it is written, and what the engine is doing.
//
// The problem is the terminal, more than the chat. A phone with its keyboard up has 46 columns and 19
// rows; adb delivers an arrow key in three pieces; some terminals never answer a question; programs
// disagree about how wide an emoji is; and a model that runs beside the screen needs every core.
//
// The idea is one model with plain parts. [model] is the only type that Bubble Tea knows. It receives
// every message, decides, and draws; the drawing at the top of app.go shows how. The parts (chatView,
// input, page, and the functions that draw a line) are structs and functions without messages, so each
// is tested by itself. [Layout] is a pure function from a size to rectangles, with its drawings as tests.
//
// What holds everywhere:
//   - Only Update changes anything, and it never waits: what takes time is a command, and the engine's
//     text is taken from its buffer at most every drawEvery. When nothing happens nothing is drawn.
//   - Every size is drawn, 1x1 included, in exactly its rows and columns.
//   - Text that is not ours passes through sanitize before it is drawn.
//   - Keys and commands stand in one table each, from which help and hints are printed.
//   - However the program ends, the terminal is left as it was found.
//
// A program imports hotcell/ui/termfirst, calls termfirst.Restore first thing in main, and then [Run]
// with a [Config] that says how to load an [Engine]. `go run ./ui/testdata/chat` shows the interface
// with an engine that plays a script.
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

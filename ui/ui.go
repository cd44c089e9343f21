// Package ui is the chat in the terminal: a Bubble Tea v1 app that shows a conversation with a language
// model as it is written, keeps it, and shows what the engine is doing.
//
// The problem is the terminal, more than the chat. A phone with its keyboard up has 46 columns and 19
// rows; adb delivers an arrow key in three pieces; some terminals never answer a question; programs
// disagree about how wide an emoji is; and a model that runs beside the screen needs every core.
//
// The idea is one model with plain parts. [model] is the only type that Bubble Tea knows. It receives
// every message, decides, and draws; the drawing at the top of app.go shows how. The parts (chatView, the
// dashboard, the screens of package menu, and the functions that draw a line) are structs and functions without
// messages, so each is tested by itself. [Layout] is a pure function from a size to rectangles, with its drawings as tests.
//
// Where things are: talk.go is what one does to a conversation (ask, edit, retry, go on), answer.go the answer in
// the making, archive.go the way to disk and back; screens.go the stack of what lies over the chat, with a file for
// each menu (modelmenu.go, rolemenu.go, chatmenu.go, setmenu.go); commands.go the commands behind the slash.
//
// What holds everywhere:
//   - Only Update changes anything, and it never waits: what takes time is a command, and the engine's
//     text is taken from its buffer at most every drawEvery. When nothing happens nothing is drawn.
//   - A question is on disk before its answer begins, and an answer at most saveEvery behind the screen.
//   - Every size is drawn, 1x1 included, in exactly its rows and columns.
//   - Text that is not ours passes through look.Sanitize before it is drawn.
//   - Keys and commands stand in one table each, from which help, hints, buttons and palette are printed.
//   - However the program ends, the terminal is left as it was found.
//
// A program imports hotcell/ui/termfirst, calls termfirst.Restore first thing in main, and then [Run]
// with a [Config] that says how to load an [Engine]. `go run ./ui/testdata/chat` shows the interface
// with an engine that plays a script.
package ui

import (
	"context"

	"hotcell/infer"
	"hotcell/planner"
	"hotcell/ui/panels"
	"hotcell/ui/roles"
)

// Engine is what the chat needs of a loaded model; *infer.Session satisfies it. One that also has Close, Measure or Heat, as
// infer.Session does, or Plan or Continue (see dash.go, answer.go) is asked for those too.
type Engine interface {
	// Generate starts the answer to msgs and returns at once. One answer is made at a time.
	Generate(ctx context.Context, msgs []infer.Message, opt infer.Options) *infer.Generation
	// Stats is what the engine has done so far. It may be called at any time from any goroutine.
	Stats() infer.Stats
	// Info describes the loaded model.
	Info() infer.ModelInfo
}

// Model is a model that could be loaded, as plain data. Texts may come from a file; they are cleaned when drawn.
type Model struct {
	ID      string // what Load takes
	Name    string
	Kind    ModelKind
	Arch    string
	Quant   string // the type that holds most weights
	Bytes   int64  // of the file
	Params  uint64
	Context int            // trained context in tokens
	Memory  planner.Memory // at the context that was asked for
	Packed  bool           // it is a pack: what memory has no room for streams from flash
	Facts   [][2]string    // more that the details show: a name and what it is
	Problem string         // why it cannot be loaded; empty if it can
}

// ModelKind says where a model is.
type ModelKind int

// The kinds of models.
const (
	BuiltIn   ModelKind = iota // in the program
	Installed                  // in the library
	OwnFile                    // anywhere else
)

// Choice is how a model is to be loaded. Zero values leave it to the engine.
type Choice struct {
	Context int // tokens
	Threads int
	Mode    string // of the feed-forward layers
	Budget  int    // most memory to hold, in MiB
}

// Models is how the app finds and changes models. Load must be there; what is nil is not offered. The functions run on
// goroutines of their own, one at a time but for List; their errors are shown and should be plain sentences; contexts end when
// the user quits or cancels. Progress may be called as often as one likes, in bytes; a total of 0 means not known.
type Models struct {
	List   func(ctx context.Context, c Choice) ([]Model, error)            // built in and installed
	Look   func(ctx context.Context, path string, c Choice) (Model, error) // at a file; the error says why it is none
	Load   func(ctx context.Context, id string, c Choice, progress func(done, total int64)) (Engine, error)
	Keep   func(ctx context.Context, id string, progress func(done, total int64)) (newID string, err error) // copies a file into the library
	Remove func(ctx context.Context, id string) error
	Pack   func(ctx context.Context, id string, progress func(done, total int64)) error
}

// Config is what [Run] needs to know.
type Config struct {
	Models Models
	Model  string // ID of the model to load; "": the one that was used last, else the built-in one
	Name   string // shown while it is loading
	Choice Choice // in place of the settings' where it is not zero

	DataDir  string // chats, roles and exports
	Settings string // the file of the settings; "": none

	Role     *roles.Role          // who answers in place of the role that was used last
	Sampling func(*infer.Options) // changes how every answer is sampled, as flags do; may be nil

	Clusters []panels.Cluster // the machine's cores, for the dashboard

	NoColor bool // draw without colours, as with NO_COLOR in the environment
	ASCII   bool // draw with ASCII characters only, for fonts without box and block characters
	Light   bool // choose colours for a light background

	Resume bool   // begin with the chat that was used last
	Prompt string // sent as the first message when the model is loaded; may be empty
}

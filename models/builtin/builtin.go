// Package builtin holds the chat model that is part of the program, so that
// Hotcell answers before anything was downloaded and its tests run on a model
// that was really trained.
//
// The model is Smalltalk 9M: 8.1 million parameters, 6 layers of width 256, a
// context of 256 tokens, trained from scratch for Hotcell. Its FFN multiplies
// two ReLUs (architecture bamboo), so that about one neuron in ten is active
// for a token, and the file carries PowerInfer's predictors (magic PWRI): the
// smallest model on which the sparse engine can do its work. It makes small
// talk, knows little and invents freely.
//
// The file is embedded as a string. It lies in the program's read-only pages,
// is read from flash only as far as it is used, and costs no Go heap.
//
// The weights are licensed CC BY-SA 4.0, not Apache-2.0 as the code is. NOTICE
// at the top of the repository names the texts that the model was trained on.
//
//	f, err := builtin.Open()
//	arch, err := f.String("general.architecture") // "bamboo"
package builtin

import (
	_ "embed"
	"fmt"
	"strings"

	"hotcell/models/gguf"
)

// Name is the model's name as people read it.
const Name = "Smalltalk 9M"

// Role is who the model plays unless the user says otherwise. The system
// prompt is one of those it was trained with. Without the repeat penalty so
// small a model soon says the same sentence twice.
var Role = struct {
	Name          string // shown above the answers
	System        string // the system prompt
	Temperature   float32
	TopP          float32
	RepeatPenalty float32
}{
	Name:          "companion",
	System:        "You are a friendly companion.",
	Temperature:   0.6,
	TopP:          0.9,
	RepeatPenalty: 1.1,
}

//go:embed smalltalk-9m-q4_0.powerinfer.gguf
var weights string

// Open returns the model. Each call returns a File of its own, all over the
// same memory; closing one leaves the others open.
func Open() (*gguf.File, error) {
	f, err := gguf.Parse(strings.NewReader(weights), int64(len(weights)), "built-in model")
	if err != nil {
		return nil, fmt.Errorf("this build of the program is damaged: %w", err)
	}
	return f, nil
}

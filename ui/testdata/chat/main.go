// Chat runs the interface with an engine that plays a script. The terminal tests start it; by hand,
// `go run ./ui/testdata/chat` shows the interface without a model. SCRIPT chooses what goes wrong.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"hotcell/infer"
	"hotcell/ui"
	"hotcell/ui/internal/script"
	"hotcell/ui/termfirst"
)

const answer = `Three usual causes, most likely first:

1. No timeout. http.Client{} waits for ever; set Timeout or use a context.
2. Body not drained. Close alone may keep the connection pinned:

	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()

3. Dial without a deadline in a custom Transport. 漢字も広い文字です。 A family 👩‍👩‍👧 and a flag 🇨🇳 and an escape \x1b[31mred.`

func main() {
	termfirst.Restore()
	mode := os.Getenv("SCRIPT")
	engine := &script.Engine{
		Model:   infer.ModelInfo{Name: "Qwen3-4B", Arch: "qwen3", Quant: "Q4_0", Mode: "dense", Params: 4e9, Bytes: 2.4e9, Context: 32768},
		Context: 4096,
		Answers: []script.Answer{
			{Text: strings.ReplaceAll(answer, `\x1b`, "\x1b"), Prompt: 412, Prefill: 1500 * time.Millisecond, Word: 60 * time.Millisecond},
			{Text: "The second answer is short.", Prompt: 90, Prefill: 200 * time.Millisecond, Word: 80 * time.Millisecond,
				Notices: []infer.Notice{{Kind: infer.TurnsDropped, Count: 3}}},
			{Text: "This one ", Prompt: 90, Reason: infer.Failed, Err: fmt.Errorf("the model file could not be read")},
		},
	}
	if mode == "panic in update" {
		engine.Answers[0].Prefill = 0
		engine.Answers[0].Panic = "scripted panic"
	}
	cfg := ui.Config{
		Model: "qwen3-4b-q4_0.gguf",
		Role:  ui.Role{Name: "Coder", System: "You are a senior engineer."},
		ASCII: mode == "ascii",
		Load: func(ctx context.Context, progress func(done, total int64)) (ui.Engine, error) {
			switch mode {
			case "panic in load":
				panic("scripted panic")
			case "load fails":
				return nil, fmt.Errorf("the file is not a GGUF model")
			case "slow load":
				for i := int64(0); i < 40; i++ {
					progress(i*60e6, 2.4e9)
					time.Sleep(100 * time.Millisecond)
				}
			}
			return engine, nil
		},
		Prompt: os.Getenv("PROMPT"),
	}
	if err := ui.Run(context.Background(), cfg); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

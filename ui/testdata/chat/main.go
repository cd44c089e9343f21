// Chat runs the interface with an engine that plays a script. The terminal tests start it; by hand,
// `go run ./ui/testdata/chat` shows the interface without a model. SCRIPT chooses what goes wrong.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"hotcell/infer"
	"hotcell/ui"
	"hotcell/ui/internal/script"
	"hotcell/ui/roles"
	"hotcell/ui/termfirst"
)

const answer = `Three usual causes, **most likely first**:

1. No timeout. ~http.Client{}~ waits for ever; set ~Timeout~ or use a context.
2. Body not drained. ~Close~ alone may keep the connection pinned:

~~~go
resp, err := client.Do(req)
if err != nil {
	return err // nothing to close
}
defer func() {
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
}()
~~~

3. Dial without a deadline in a custom Transport. 漢字も広い文字です。 A family 👩‍👩‍👧 and a flag 🇨🇳 and an escape \x1b[31mred.

| cause | shows as |
|---|---|
| no timeout | goroutines in net/http.(*persistConn).readLoop |
| body | connections that never come back |`

func main() {
	termfirst.Restore()
	mode := os.Getenv("SCRIPT")
	engine := &script.Engine{
		Model:   infer.ModelInfo{Name: "Qwen3-4B", Arch: "qwen3", Quant: "Q4_0", Mode: "dense", Params: 4e9, Bytes: 2.4e9, Context: 32768},
		Context: 4096,
		Sparse:  true,
		Answers: []script.Answer{
			{Text: strings.NewReplacer(`\x1b`, "\x1b", "~", "`").Replace(answer), Thought: "The server hangs. So the client waits somewhere. Where can it wait?", Prompt: 412, Prefill: 1500 * time.Millisecond, Word: 60 * time.Millisecond},
			{Text: "The second answer is short.", Prompt: 90, Prefill: 200 * time.Millisecond, Word: 80 * time.Millisecond,
				Notices: []infer.Notice{{Kind: infer.TurnsDropped, Count: 3}}},
			{Text: "This one ", Prompt: 90, Reason: infer.Failed, Err: fmt.Errorf("the model file could not be read")},
		},
	}
	if mode == "panic in update" {
		engine.Answers[0].Prefill = 0
		engine.Answers[0].Panic = "scripted panic"
	}
	if mode == "long" { // for measuring what the interface itself costs
		long := engine.Answers[0]
		long.Thought, long.Text, long.Prefill = "", strings.Repeat(long.Text+"\n\n", 200), 0
		engine.Answers = []script.Answer{long}
	}
	load := func(ctx context.Context, id string, _ ui.Choice, progress func(done, total int64)) (ui.Engine, error) {
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
	}
	dir := os.Getenv("DATA")
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "hotcell-script"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		defer os.RemoveAll(dir)
	}
	cfg := ui.Config{
		Name:     "qwen3-4b-q4_0.gguf",
		Role:     &roles.Role{Name: "Coder", System: "You are a senior engineer."},
		ASCII:    mode == "ascii",
		Models:   ui.Models{Load: load},
		DataDir:  dir,
		Settings: filepath.Join(dir, "config.toml"),
		Prompt:   os.Getenv("PROMPT"),
	}
	if err := ui.Run(context.Background(), cfg); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"hotcell/models/gguf"
)

// result is what a shell command left.
type result struct {
	out, err string
	status   int
}

// sh runs a line of shell without a terminal. "hotcell" is the program.
func sh(t *testing.T, line string) result {
	t.Helper()
	var out, errOut bytes.Buffer
	cmd := exec.Command("bash", "-c", line)
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(hotcell)+":"+os.Getenv("PATH"), "HOTCELL_DATA="+t.TempDir())
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{out.String(), errOut.String(), cmd.ProcessState.ExitCode()}
}

// plain checks that text is one sentence for a person: one line in our name,
// and no trace of Go's runtime.
func plain(t *testing.T, text string) {
	t.Helper()
	line, rest, _ := strings.Cut(text, "\n")
	if !strings.HasPrefix(line, "hotcell: ") || rest != "" || len(line) > 600 {
		t.Errorf("not one plain sentence: %q", text)
	}
	for _, trace := range []string{"panic", "goroutine", "runtime error", "0x"} {
		if strings.Contains(text, trace) {
			t.Errorf("the sentence says %q: %s", trace, text)
		}
	}
}

func TestRunAnswersOnStandardOutput(t *testing.T) {
	for _, line := range []string{
		`hotcell run --seed 1 -p "Hello there"`,
		`echo "Hello there" | hotcell run --seed 1 -p -`,
		`echo "Hello there" | hotcell run --seed 1`,
		`hotcell run --seed 1 -p "Hello there" </dev/null | cat`,
		`hotcell run --seed 1 --raw -n 8 -p "Once upon a time"`,
	} {
		r := sh(t, line)
		if r.status != 0 || strings.TrimSpace(r.out) == "" || !strings.HasSuffix(r.out, "\n") {
			t.Errorf("%s: status %d, output %q, errors %q", line, r.status, r.out, r.err)
		}
		if !strings.Contains(r.err, "tokens/s") {
			t.Errorf("%s: standard error does not tell the speed: %q", line, r.err)
		}
	}
}

func TestAReaderMayCloseThePipe(t *testing.T) {
	r := sh(t, `hotcell run --temp 5 --seed 1 -p "Tell me everything" | head -c 20`)
	if len(r.out) != 20 || r.status != 0 || strings.Contains(r.err, "hotcell:") {
		t.Errorf("status %d, output %q, errors %q", r.status, r.out, r.err)
	}
}

func TestTheSameSeedGivesTheSameText(t *testing.T) {
	const line = `hotcell run -t 1 -p "What is your favorite movie?" --temp 1 --seed `
	first, second, other := sh(t, line+"7"), sh(t, line+"7"), sh(t, line+"8")
	if first.out != second.out {
		t.Errorf("seed 7 gave %q, then %q", first.out, second.out)
	}
	if first.out == other.out {
		t.Errorf("seeds 7 and 8 both gave %q", first.out)
	}
}

func TestJSONLinesAddUpToTheText(t *testing.T) {
	text := sh(t, `hotcell run -t 1 --seed 3 -p "Hello there"`)
	lines := sh(t, `hotcell run -t 1 --seed 3 -p "Hello there" --json`)
	var joined strings.Builder
	var done bool
	for _, line := range strings.Split(strings.TrimSpace(lines.out), "\n") {
		var piece struct {
			Text   string
			Done   bool
			Reason string
			Stats  map[string]any
		}
		if err := json.Unmarshal([]byte(line), &piece); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if done {
			t.Errorf("a line follows the last one: %q", line)
		}
		joined.WriteString(piece.Text)
		if done = piece.Done; done && (piece.Reason == "" || piece.Stats == nil) {
			t.Errorf("the last line lacks the reason or the statistics: %q", line)
		}
	}
	if !done {
		t.Error("no line says that the answer is done")
	}
	if joined.String() != strings.TrimSuffix(text.out, "\n") {
		t.Errorf("the lines add up to %q, the text is %q", joined.String(), text.out)
	}
}

func TestTokenizeLogitsAndPerplexity(t *testing.T) {
	dir := t.TempDir()
	ids := sh(t, `hotcell tokenize "Hello there"`)
	if ids.status != 0 || len(strings.Fields(ids.out)) == 0 {
		t.Fatalf("tokenize: %+v", ids)
	}
	tokens := strings.Join(strings.Fields(ids.out), ",")
	for _, flags := range []string{"", "--reference", "--single"} {
		file := filepath.Join(dir, "logits"+flags)
		if r := sh(t, fmt.Sprintf("hotcell logits --tokens %s -o %s %s", tokens, file, flags)); r.status != 0 {
			t.Errorf("logits %s: %+v", flags, r)
		}
		const vocabulary, float = 4096, 4
		if info, err := os.Stat(file); err != nil || info.Size() != int64(len(strings.Fields(ids.out))*vocabulary*float) {
			t.Errorf("logits %s: %v, %v", flags, info, err)
		}
	}
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("I like movies and music. How are you today? ", 60)), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := sh(t, "hotcell perplexity --ctx 128 -f "+text); r.status != 0 || !strings.Contains(r.out, "perplexity ") {
		t.Errorf("perplexity: %+v", r)
	}
}

func TestAnImportedModelIsOpenedByItsName(t *testing.T) {
	r := sh(t, `set -e
		hotcell import ../../models/builtin/smalltalk-9m-q4_0.powerinfer.gguf --name friend >/dev/null
		hotcell models | grep friend
		hotcell inspect friend | grep bamboo
		hotcell run -m friend -p hello
		hotcell models rm friend >/dev/null
		! hotcell models | grep friend`)
	if r.status != 0 {
		t.Errorf("%+v", r)
	}
	if r = sh(t, "hotcell run -m friend -p hello"); r.status != 1 {
		t.Errorf("a model that is not in the library: %+v", r)
	}
	plain(t, r.err)
}

func TestWrongUsageEndsWithStatus2(t *testing.T) {
	for _, line := range []string{
		"hotcell --no-such-flag",
		"hotcell no-such-command",
		"hotcell run -p",
		"hotcell run -p hello -n many",
		"hotcell run -p hello -n -1",
		"hotcell run -p hello --temp -1",
		"hotcell run -p hello --top-p 2",
		"hotcell run -p ''",
		"hotcell run extra -p hello",
		"hotcell tokenize one two",
		"hotcell logits --tokens 1,x -o file",
		"hotcell logits --tokens 1",
		"hotcell perplexity",
		"hotcell convert",
		"hotcell import",
		"hotcell inspect one two",
		"hotcell bench -r none",
	} {
		t.Run(line, func(t *testing.T) {
			r := sh(t, line+" </dev/null")
			if r.status != 2 || r.out != "" {
				t.Errorf("status %d, output %q", r.status, r.out)
			}
			plain(t, r.err)
		})
	}
}

func TestTheChatWithoutATerminalSaysWhatToUse(t *testing.T) {
	r := sh(t, "hotcell </dev/null")
	if r.status != 1 || !strings.Contains(r.err, "hotcell run") || !strings.Contains(r.err, "adb shell") {
		t.Errorf("%+v", r)
	}
	plain(t, r.err)
}

// damaged makes files that are not models in every way that people meet, and
// names the paths.
func damaged(t *testing.T) map[string]string {
	t.Helper()
	good, err := os.ReadFile(filepath.Join("..", "..", "models", "builtin", "smalltalk-9m-q4_0.powerinfer.gguf"))
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(good)
	for i := range 4096 { // metadata and directory, after the magic and the version
		if i >= 8 && i%7 == 0 {
			flipped[i] ^= 0x5a
		}
	}
	noise := make([]byte, 1<<16)
	rand.New(rand.NewSource(1)).Read(noise)
	dir := t.TempDir()
	paths := map[string]string{
		"a missing file": filepath.Join(dir, "missing.gguf"),
		"a folder":       dir,
		"a device":       "/dev/null",
	}
	for name, content := range map[string][]byte{
		"an empty file":                   nil,
		"random bytes":                    noise,
		"a zip archive":                   append([]byte("PK\x03\x04\x14\x00\x00\x00\x08\x00"), noise[:500]...),
		"a web page":                      []byte("<!DOCTYPE html><html><title>Not found</title></html>"),
		"only the magic":                  good[:4],
		"cut off in the metadata":         good[:2000],
		"cut off in the tensors":          good[:len(good)/2],
		"cut off by one byte":             good[:len(good)-1],
		"with flipped bits in its header": flipped,
		"of an unknown architecture":      small(t, "general.architecture", "no-such-architecture"),
		"without an architecture":         small(t, "general.name", "nothing"),
		"with metadata only":              small(t, "general.architecture", "llama"),
	} {
		path := filepath.Join(dir, strings.ReplaceAll(name, " ", "-")+".gguf")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		paths[name] = path
	}
	return paths
}

// small is a file with one key and no tensors.
func small(t *testing.T, key, value string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gguf.NewWriter()
	w.Set(key, value)
	if _, err := w.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestADamagedModelIsOnePlainSentence(t *testing.T) {
	for name, path := range damaged(t) {
		for _, line := range []string{
			"hotcell run -p hello -m " + path,
			"hotcell tokenize hello -m " + path,
			"hotcell logits --tokens 1 -o /dev/null -m " + path,
			"hotcell import " + path,
			"hotcell bench -m " + path,
		} {
			t.Run(name+"/"+strings.Fields(line)[1], func(t *testing.T) {
				r := sh(t, line+" </dev/null")
				if r.status != 1 || r.out != "" {
					t.Errorf("status %d, output %q", r.status, r.out)
				}
				plain(t, r.err)
			})
		}
	}
}

func TestTheChatSurvivesADamagedModel(t *testing.T) {
	term := newTerminal(t, 80, 24)
	for name, path := range damaged(t) {
		term.command("clear")
		term.until("a clear screen", func(screen string) bool { return screen == prompt })
		// Told before the screen is taken, or, where only loading finds the
		// fault, in the chat, which can then be left as always.
		term.command("hotcell -m " + path)
		screen := term.until("a sentence about "+name, func(screen string) bool {
			return strings.Contains(screen, "hotcell: ") || strings.Contains(screen, "could not be loaded")
		})
		if !strings.Contains(screen, "hotcell: ") {
			quit(term)
			term.restored(0)
			continue
		}
		term.restored(1)
	}
}

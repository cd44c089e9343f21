package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hotcell/neuroncache"
	"hotcell/neuroncache/sim"
)

func TestATraceIsMadeDescribedAndReplayed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "experts.trace")
	out, errOut, status := command(t, "trace", "make", "qwen3-30b-a3b", "-o", file, "--tokens", "120", "--seed", "3")
	if status != 0 || errOut != "" || !strings.HasPrefix(out, file+": qwen3-30b-a3b, 120 tokens, ") {
		t.Fatalf("make: %d, %q, %q", status, out, errOut)
	}
	again := filepath.Join(t.TempDir(), "again.trace")
	command(t, "trace", "make", "qwen3-30b-a3b", "-o", again, "--tokens", "120", "--seed", "3")
	first, _ := os.ReadFile(file)
	if second, err := os.ReadFile(again); err != nil || string(first) != string(second) {
		t.Errorf("the same seed makes another file: %v", err)
	}

	out, errOut, status = command(t, "trace", "info", file)
	for _, want := range []string{"qwen3-30b-a3b\n", "model       48 layers, 6144 units of 2.5 MiB, 15.2 GiB in all\n", "tokens      120\n", "active      384 units for a token, 6.2 %\n", "skew ", "new ", "window "} {
		if status != 0 || !strings.Contains(out, want) {
			t.Errorf("info, %d, %q: no %q in\n%s", status, errOut, want, out)
		}
	}
	var facts traceFacts
	out, _, _ = command(t, "trace", "info", file, "--json")
	if err := json.Unmarshal([]byte(out), &facts); err != nil || facts.Tokens != 120 || facts.Active != 384 || facts.UnitBytes%4096 != 0 {
		t.Errorf("info --json: %v, %+v", err, facts)
	}

	out, errOut, status = command(t, "trace", "replay", file)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if status != 0 || len(lines) != 2+len(neuroncache.Policies())+1 || lines[0] != "qwen3-30b-a3b: hit rate of 90 tokens after 30" {
		t.Fatalf("replay: %d, %q\n%s", status, errOut, out)
	}
	for _, line := range lines[1:] {
		if len(line) > 46 {
			t.Errorf("%d columns: %q", len(line), line)
		}
	}
	if !strings.Contains(out, neuroncache.DefaultPolicy+" *") || !strings.HasPrefix(lines[len(lines)-1], sim.Belady) {
		t.Errorf("replay:\n%s", out)
	}
	var results []sim.Result
	out, _, status = command(t, "trace", "replay", file, "--json", "--sizes", "10,100", "--policy", "lru,belady", "--warm", "60")
	if err := json.Unmarshal([]byte(out), &results); err != nil || status != 0 || len(results) != 4 {
		t.Fatalf("replay --json: %d, %v, %s", status, err, out)
	}
	for i, r := range results {
		if r.Policy != []string{"lru", "lru", "belady", "belady"}[i] || r.Tokens != 60 || r.Warm != 60 || r.Hits+r.Misses != 60*384 {
			t.Errorf("%+v", r)
		}
	}
	if results[0].HitRate >= results[2].HitRate || results[1].HitRate != results[3].HitRate || results[1].Slots != 6144 {
		t.Errorf("%+v", results)
	}
}

func TestTraceCommandsRefuseWhatMakesNoSense(t *testing.T) {
	dir := t.TempDir()
	file, text := filepath.Join(dir, "a.trace"), filepath.Join(dir, "a.txt")
	if _, _, status := command(t, "trace", "make", "qwen3-30b-a3b", "-o", file, "--tokens", "20"); status != 0 {
		t.Fatal(status)
	}
	whole, _ := os.ReadFile(file)
	cut := filepath.Join(dir, "cut.trace")
	if err := os.WriteFile(cut, whole[:len(whole)-30], 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(text, []byte("a text that is longer than a header"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{"make", "gpt-5"}, 2, `there is no shape "gpt-5"`},
		{[]string{"make"}, 2, "takes one shape"},
		{[]string{"make", "bamboo-7b", "--tokens", "0"}, 2, "--tokens is 0"},
		{[]string{"make", "qwen3-30b-a3b", "-o", filepath.Join(dir, "no", "such")}, 1, "no such file"},
		{[]string{"replay", file, "--sizes", "0"}, 2, "--sizes has 0"},
		{[]string{"replay", file, "--sizes", "half"}, 2, `"half" in sizes`},
		{[]string{"replay", file, "--policy", "best"}, 2, `there is no policy "best"`},
		{[]string{"replay", file, "--policy", ","}, 2, "--policy names no policy"},
		{[]string{"replay", file, "--warm", "20"}, 2, "none are left"},
		{[]string{"replay", file, "--warm", "-2"}, 2, "--warm is -2"},
		{[]string{"replay", text}, 1, "not a sound trace"},
		{[]string{"replay", cut}, 1, "cut off"},
		{[]string{"info", cut}, 1, "cut off"},
		{[]string{"info", filepath.Join(dir, "none")}, 1, "no such file"},
		{[]string{"mke"}, 2, "there is no command"},
	} {
		out, errOut, status := command(t, append([]string{"trace"}, test.args...)...)
		if status != test.status || out != "" || !strings.Contains(errOut, test.want) || strings.Count(errOut, "\n") != 1 {
			t.Errorf("%v: %d, %q, %q; want %q", test.args, status, out, errOut, test.want)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.trace.*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

package cli

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestATraceIsRecordedAndReplayed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "own.trace")
	out, errOut, status := command(t, "trace", "record", "-o", file, "--tokens", "80", "-t", "2")
	if status != 0 || errOut != "" || !strings.HasPrefix(out, file+": ") || !strings.Contains(out, ", 80 tokens, ") {
		t.Fatalf("record: %d, %q, %q", status, out, errOut)
	}
	out, errOut, status = command(t, "trace", "info", file)
	for _, want := range []string{"6 layers, 7680 units of ", "tokens      80\n"} {
		if status != 0 || !strings.Contains(out, want) {
			t.Errorf("info: %d, %q, no %q in\n%s", status, errOut, want, out)
		}
	}
	out, errOut, status = command(t, "trace", "replay", file)
	if status != 0 || !strings.Contains(out, "hit rate of 60 tokens after 20") || !strings.Contains(out, "belady") {
		t.Errorf("replay: %d, %q, %q", status, out, errOut)
	}
}

func TestARecordingThatFailsLeavesNoFile(t *testing.T) {
	dir := t.TempDir()
	dense := absolute(t, filepath.Join("..", "..", "infer", "testdata", "golden", "llama", "model.gguf"))
	for _, c := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{}, 2, "name the trace to write with -o"},
		{[]string{"-o", filepath.Join(dir, "x.trace"), "--tokens", "0"}, 2, "--tokens is 0"},
		{[]string{"-o", filepath.Join(dir, "x.trace"), "--text", filepath.Join(dir, "none")}, 1, "reading the text"},
		{[]string{"-o", filepath.Join(dir, "none", "x.trace")}, 1, "no such file"},
		{[]string{"-o", filepath.Join(dir, "x.trace"), "-m", dense}, 1, "the mode exact needs"},
	} {
		_, errOut, status := command(t, append([]string{"trace", "record"}, c.args...)...)
		if status != c.status || !strings.Contains(errOut, c.want) {
			t.Errorf("%q: %d, %q, want %q", c.args, status, errOut, c.want)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
		t.Errorf("%v are left", left)
	}
}

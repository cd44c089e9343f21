package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAModelIsPackedVerifiedAndUnpacked(t *testing.T) {
	model := absolute(t, tinyModel)
	t.Chdir(t.TempDir())
	out, errOut, status := command(t, "pack", "-m", model, "-o", "m.pack", "--tokens", "64")
	if status != 0 || errOut != "" || !strings.HasPrefix(out, "m.pack: ") || !strings.HasSuffix(out, "always in memory, neurons by their activity over 64 tokens\n") {
		t.Fatalf("pack: %d, %q, %q", status, out, errOut)
	}
	out, errOut, status = command(t, "pack", "--verify", "m.pack")
	if status != 0 || errOut != "" || strings.Count(out, ": right\n") != 3 {
		t.Errorf("verify: %d, %q, %q", status, out, errOut)
	}
	out, errOut, status = command(t, "pack", "--unpack", "m.pack", "-o", "m.gguf")
	if status != 0 || errOut != "" || !strings.HasPrefix(out, "m.gguf: 5.7 MiB, SHA-256 ") {
		t.Errorf("unpack: %d, %q, %q", status, out, errOut)
	}
	want, err := os.ReadFile(model)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile("m.gguf"); err != nil || !bytes.Equal(got, want) {
		t.Errorf("the file that comes back differs: %v", err)
	}

	packed, err := os.ReadFile("m.pack")
	if err != nil {
		t.Fatal(err)
	}
	packed[len(packed)-9] ^= 1
	if err := os.WriteFile("bad.pack", packed, 0o600); err != nil {
		t.Fatal(err)
	}
	out, errOut, status = command(t, "pack", "--verify", "bad.pack")
	if status != 1 || !strings.Contains(out, "damaged     4096 bytes at offset") || !strings.Contains(out, "layer 5, unit ") || !strings.Contains(errOut, "bad.pack: 1 of ") {
		t.Errorf("a damaged pack: %d, %q, %q", status, out, errOut)
	}
	if _, errOut, status = command(t, "pack", "--unpack", "bad.pack", "-o", "bad.gguf"); status != 1 || !strings.Contains(errOut, "the checksum is wrong") {
		t.Errorf("unpacking a damaged pack: %d, %q", status, errOut)
	}
	if _, errOut, status = command(t, "pack", "-m", "m.pack"); status != 1 || !strings.Contains(errOut, "a pack already") {
		t.Errorf("packing a pack: %d, %q", status, errOut)
	}
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAPackHasTheModelsName(t *testing.T) {
	for model, want := range map[string]string{
		"llama.gguf":                  "llama.pack",
		"big-00001-of-00003.gguf":     "big.pack",
		"built-in model":              "built-in-model.pack",
		"bamboo-7b.powerinfer.gguf":   "bamboo-7b.powerinfer.pack",
		"00001-of-00003-is-fine.gguf": "00001-of-00003-is-fine.pack",
	} {
		if got := packName(model); got != want {
			t.Errorf("%s becomes %s, want %s", model, got, want)
		}
	}
	golden := absolute(t, "../../infer/testdata/golden/llama/model.gguf")
	t.Chdir(t.TempDir())
	out, errOut, status := command(t, "pack", "-m", golden)
	if status != 0 || errOut != "" || !strings.HasPrefix(out, "model.pack: ") || !strings.HasSuffix(out, "neurons in their original order\n") {
		t.Errorf("pack: %d, %q, %q", status, out, errOut)
	}
}

func TestMistakesOfPackAreTold(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, test := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{"pack", "--unpack", "m.pack"}, 2, "say where the model goes"},
		{[]string{"pack", "--unpack", "m.pack", "--verify", "m.pack"}, 2, "do not go together"},
		{[]string{"pack", "--tokens", "-1"}, 2, "--tokens is -1"},
		{[]string{"pack", "--text", "missing.txt"}, 1, "reading the text"},
		{[]string{"pack", "--verify", "missing.pack"}, 1, "missing.pack: no such file"},
		{[]string{"pack", "file"}, 2, "takes no arguments"},
	} {
		if _, errOut, status := command(t, test.args...); status != test.status || !strings.Contains(errOut, test.want) {
			t.Errorf("%v: %d, %q", test.args, status, errOut)
		}
	}
	if files, _ := os.ReadDir("."); len(files) > 0 {
		t.Errorf("left behind: %v", files)
	}
}

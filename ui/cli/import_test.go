package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hotcell/models"
)

func TestAModelIsImportedListedUsedAndRemoved(t *testing.T) {
	t.Setenv(models.DataEnv, t.TempDir())
	out, errOut, status := command(t, "models")
	if status != 0 || out != "" || !strings.Contains(errOut, "hotcell import") {
		t.Errorf("an empty library: %d, %q, %q", status, out, errOut)
	}
	out, errOut, status = command(t, "import", tinyModel)
	if status != 0 || errOut != "" || out != "imported "+tinyName+" (Q4_0, 5.7 MiB)\n" {
		t.Fatalf("import: %d, %q, %q", status, out, errOut)
	}
	out, _, status = command(t, "import", tinyModel)
	if status != 0 || !strings.HasPrefix(out, "the library has this model already: ") {
		t.Errorf("the second import: %d, %q", status, out)
	}
	_, errOut, status = command(t, "import", "../../infer/testdata/golden/llama/model.gguf", "--name", tinyName)
	if status != 1 || !strings.Contains(errOut, "another model") {
		t.Errorf("another model of the name: %d, %q", status, errOut)
	}
	out, _, status = command(t, "import", "--link", "--name", "linked", tinyModel)
	if status != 0 || out != "imported linked (Q4_0, 5.7 MiB)\n" {
		t.Errorf("a link: %d, %q", status, out)
	}

	out, _, _ = command(t, "models")
	if lines := strings.Split(out, "\n"); len(lines) != 3 || !strings.Contains(lines[0], "linked ") || !strings.HasSuffix(lines[0], "5.7 MiB  link") || !strings.Contains(lines[1], "bamboo") {
		t.Errorf("models:\n%s", out)
	}
	var list []models.Entry
	out, _, _ = command(t, "models", "--json")
	if err := json.Unmarshal([]byte(out), &list); err != nil || len(list) != 2 || list[1].Name != tinyName || len(list[1].Files[0].SHA256) != 64 {
		t.Errorf("models --json: %s, %v", out, err)
	}

	if out, _, status := command(t, "inspect", "smalltalk"); status != 0 || !strings.Contains(out, tinyName+".gguf") {
		t.Errorf("inspect by name: %d, %s", status, out)
	}
	if out, _, status := command(t, "tokenize", "-m", "linked", "Hello"); status != 0 || out == "" {
		t.Errorf("tokenize by name: %d, %q", status, out)
	}

	for _, name := range []string{"linked", tinyName} {
		if _, errOut, status := command(t, "models", "rm", name); status != 0 {
			t.Errorf("rm %s: %d, %q", name, status, errOut)
		}
	}
	if _, errOut, status := command(t, "models", "rm", "linked"); status != 1 || errOut != "hotcell: the library has no model \"linked\"\n" {
		t.Errorf("rm of what is gone: %d, %q", status, errOut)
	}
	if _, err := os.Stat(tinyModel); err != nil {
		t.Error(err)
	}
}

func TestTheDataFolderCanBeNamedByAFlag(t *testing.T) {
	t.Setenv(models.DataEnv, filepath.Join(t.TempDir(), "unused"))
	dir := t.TempDir()
	if _, errOut, status := command(t, "import", "--data-dir", dir, "--link", tinyModel); status != 0 {
		t.Fatal(errOut)
	}
	if _, err := os.Lstat(filepath.Join(dir, "models", tinyName, tinyName+".gguf")); err != nil {
		t.Error(err)
	}
}

func TestImportRefusesWhatCannotRun(t *testing.T) {
	data := t.TempDir()
	t.Setenv(models.DataEnv, data)
	for _, args := range [][]string{
		{"import", "nothing.gguf"},
		{"import", "import_test.go"},
		{"import", "--name", "../up", tinyModel},
		{"import", "../../infer/testdata/golden"},
	} {
		out, errOut, status := command(t, args...)
		if status != 1 || out != "" || strings.Count(errOut, "\n") != 1 {
			t.Errorf("%q: %d, %q, %q", args, status, out, errOut)
		}
	}
	if _, _, status := command(t, "import"); status != 2 {
		t.Errorf("without a file: %d", status)
	}
	if left, _ := os.ReadDir(data); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestListOnAPhoneTakesTwoLinesForAModel(t *testing.T) {
	var out strings.Builder
	s := &sheet{out: &out, width: 46}
	listModels(s, []models.Entry{{Name: "m", Architecture: "granitemoe", Type: "IQ2_XXS", Parameters: 30e9, Bytes: 9 << 30, Link: true, Problem: "the file m.gguf is gone"}}, false)
	if want := "m\n  granitemoe, IQ2_XXS, 30.0 B, 9.0 GiB, link\n  damaged   the file m.gguf is gone\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}

package roles

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hotcell/infer"
	model "hotcell/models/builtin"
)

func TestTheBuiltInRolesAreWhole(t *testing.T) {
	entries, err := builtin.ReadDir("builtin")
	if err != nil || len(entries) != len(order) {
		t.Fatalf("%d files for %d roles, %v", len(entries), len(order), err)
	}
	all, problems := Open(filepath.Join(t.TempDir(), "none")).List()
	if len(problems) != 0 || len(all) != len(order) {
		t.Fatalf("%d roles, %v", len(all), problems)
	}
	names := map[string]bool{}
	for i, r := range all {
		if r.ID != order[i] || !r.BuiltIn || r.Description == "" || r.System == "" || names[r.Name] {
			t.Errorf("%+v", r)
		}
		names[r.Name] = true
	}
}

func TestTheFirstRoleIsTheBuiltInModelsOwn(t *testing.T) {
	r := original(Default)
	if r.Name != model.Role.Name || r.System != model.Role.System || r.Sampling.Temperature != model.Role.Temperature ||
		r.Sampling.TopP != model.Role.TopP || r.Sampling.RepeatPenalty != model.Role.RepeatPenalty {
		t.Errorf("the role is %+v, the model's %+v", r, model.Role)
	}
}

func TestARoleIsSavedChangedAndDeleted(t *testing.T) {
	f := Open(filepath.Join(t.TempDir(), "roles"))
	r := Role{
		Name: "Café Pirate!", Description: "talks like one", System: "Say \"arr\".\nAlways.\n", Greeting: "Ahoy", Model: "Qwen3-4B", MaxTokens: 300,
		Sampling: infer.Sampling{RepeatPenalty: 1.1, RepeatLast: 32, PresencePenalty: -1, FrequencyPenalty: 0.5, TopK: 5, TopP: 0.5, MinP: 0.125, Temperature: 1.5, Seed: 42},
	}
	saved, err := f.Save(r)
	if r.ID = "café-pirate"; err != nil || saved != r {
		t.Fatalf("%+v, %v", saved, err)
	}
	if got, err := f.Get(r.ID); err != nil || got != r {
		t.Fatalf("%+v came back as %+v, %v", r, got, err)
	}
	again := r
	again.ID = ""
	if again, err = f.Save(again); err != nil || again.ID != "café-pirate-2" {
		t.Errorf("a second one of that name is %q, %v", again.ID, err)
	}

	// Fields that go, and what a person wrote in between.
	text, err := f.Source(r.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Replace(r.ID, "# mine\n"+text); err != nil {
		t.Fatal(err)
	}
	r.Greeting, r.Model, r.MaxTokens, r.Sampling.Temperature, r.System = "", "", 0, 0.5, "x"
	if _, err := f.Save(r); err != nil {
		t.Fatal(err)
	}
	if got, err := f.Get(r.ID); err != nil || got != r {
		t.Errorf("%+v came back as %+v, %v", r, got, err)
	}
	if text, _ := f.Source(r.ID); !strings.HasPrefix(text, "# mine\n") || !strings.Contains(text, "# shown above each answer") {
		t.Errorf("what a person wrote is gone:\n%s", text)
	}

	copied, err := f.Duplicate(r.ID)
	if err != nil || copied.Name != "Café Pirate! copy" || copied.System != r.System {
		t.Errorf("the copy is %+v, %v", copied, err)
	}
	all, problems := f.List()
	if len(problems) != 0 || len(all) != len(order)+3 || all[len(order)].ID != r.ID {
		t.Errorf("%d roles, %v", len(all), problems)
	}
	if err := f.Delete(r.ID); err != nil {
		t.Error(err)
	}
	if _, err := f.Get(r.ID); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after Delete: %v", err)
	}
	if err := f.Delete(r.ID); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a second Delete: %v", err)
	}
}

func TestABuiltInRoleCanBeChangedAndComesBack(t *testing.T) {
	f := Open(t.TempDir())
	r, err := f.Get("coder")
	if err != nil || !r.BuiltIn {
		t.Fatal(r, err)
	}
	was := r
	r.Sampling.Temperature = 0.1
	if r, err = f.Save(r); err != nil || r.BuiltIn || r.ID != "coder" {
		t.Fatal(r, err)
	}
	all, _ := f.List()
	if all[9] != r || len(all) != len(order) {
		t.Errorf("listed is %+v", all[9])
	}
	if err := f.Delete("coder"); err != nil {
		t.Fatal(err)
	}
	if r, _ := f.Get("coder"); r != was {
		t.Errorf("what came back is %+v", r)
	}
	if err := f.Delete("coder"); err == nil || err.Error() != "the role Coder comes with hotcell and cannot be deleted" {
		t.Error(err)
	}
}

func TestARoleThatCannotBeIsRefused(t *testing.T) {
	good := Role{Name: "x", Sampling: Unchosen}
	f := Open(t.TempDir())
	for _, test := range []struct {
		name, want string
		change     func(*Role)
	}{
		{"no name", "name: a role needs a name", func(r *Role) { r.Name = " " }},
		{"a long name", "name: this is longer than 40 characters", func(r *Role) { r.Name = strings.Repeat("ä", 41) }},
		{"a name with an escape", "name: this must be one line", func(r *Role) { r.Name = "a\x1b[2J" }},
		{"a long system prompt", "system: this is longer than 65536 characters", func(r *Role) { r.System = strings.Repeat("x", MaxSystem+1) }},
		{"too hot", "sampling.temperature: this must be a number from 0 to 5", func(r *Role) { r.Sampling.Temperature = 5.5 }},
		{"not a number", "", func(r *Role) { r.Sampling.Temperature = float32(math.NaN()) }},
		{"without end", "", func(r *Role) { r.Sampling.TopP = float32(math.Inf(1)) }},
		{"less than none", "max_tokens: this must be a whole number", func(r *Role) { r.MaxTokens = -1 }},
		{"an ID that leaves the folder", `"../x" is not a name for a role`, func(r *Role) { r.ID = "../x" }},
	} {
		r := good
		test.change(&r)
		if _, err := f.Save(r); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
	for _, id := range []string{"", "../coder", "a/b", "a\x00", ".", "..", ".hidden", strings.Repeat("x", 65), "a b", "\xff"} {
		if _, err := f.Get(id); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Get(%q): %v", id, err)
		}
		if err := f.Delete(id); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Delete(%q): %v", id, err)
		}
	}
}

func TestFilesThatAreNoRolesAreToldAndLeftOut(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("good.toml", "name = 'Good'")
	put("coder.toml", "name = 'Mine'\n[sampling]\ntemprature = 1")
	put("bad name.toml", "name = 'x'")
	put("evil\x1b[2J.toml", "name = 'x'")
	put("notes.txt", "no role")
	put(".tmp-1.toml", "no role")
	put("huge.toml", "system = '"+strings.Repeat("x", maxFile)+"'")
	if err := os.Mkdir(filepath.Join(dir, "folder.toml"), 0o700); err != nil {
		t.Fatal(err)
	}
	all, problems := Open(dir).List()
	if len(all) != len(order)+1 || !all[9].BuiltIn || all[len(order)].Name != "Good" || all[len(order)].Sampling != Unchosen {
		t.Errorf("%d roles: %+v", len(all), all)
	}
	var told []string
	for _, p := range problems {
		told = append(told, p.Error())
	}
	for _, want := range []string{
		"coder.toml, line 3, sampling.temprature: there is no such field",
		`"bad name.toml" is not a name for a role`,
		`"evil\x1b[2J.toml" is not a name for a role`,
		"huge.toml: the file is larger than 512 KiB",
		"folder.toml: this is not a file",
	} {
		if !strings.Contains(strings.Join(told, "\n"), want) {
			t.Errorf("not told: %s", want)
		}
	}
	if len(told) != 5 {
		t.Errorf("told was %q", told)
	}
	// What stands in the file of a person is not overwritten because it cannot be read.
	r := original("coder")
	if _, err := Open(dir).Save(r); err == nil || !strings.Contains(err.Error(), "line 3") {
		t.Errorf("a file that cannot be used was overwritten: %v", err)
	}
}

func TestRolesAreImportedAndExported(t *testing.T) {
	from, dir := Open(t.TempDir()), t.TempDir()
	path, err := from.Export("coder", dir)
	if err != nil || path != filepath.Join(dir, "coder.toml") {
		t.Fatal(path, err)
	}
	if _, err := from.Export("coder", path); err == nil || !strings.Contains(err.Error(), "there is such a file already") {
		t.Errorf("an existing file: %v", err)
	}
	to := Open(t.TempDir())
	r, err := to.Import(path)
	if err != nil || r.ID != "coder-2" || r.System != original("coder").System {
		t.Errorf("imported was %+v, %v", r, err)
	}
	bad := filepath.Join(dir, "Bad Role.toml")
	if err := os.WriteFile(bad, []byte("name = 'x'\nfoo = 1"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := to.Import(bad); err == nil || err.Error() != "Bad Role.toml, line 2, foo: there is no such field" {
		t.Error(err)
	}
	if _, err := to.Import(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if err := os.WriteFile(bad, []byte("name = 'x'"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r, err := to.Import(bad); err != nil || r.ID != "bad-role" {
		t.Errorf("imported was %+v, %v", r, err)
	}
	if _, err := to.Replace("bad-role", "name = 3"); err == nil {
		t.Error("an edit that is wrong was saved")
	}
	if r, err := to.Get("bad-role"); err != nil || r.Name != "x" {
		t.Error(r, err)
	}
}

func FuzzParse(f *testing.F) {
	for _, id := range order {
		f.Add(source(id))
	}
	f.Add("name = 'x'\nsampling = {seed = 1}")
	f.Add("[[name]]\nx = 1")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := Parse("f.toml", text)
		if err != nil {
			return
		}
		if again, err := Parse("f.toml", encode(r)); err != nil || again != r {
			t.Fatalf("%+v came back as %+v, %v", r, again, err)
		}
		changed := r
		changed.Name, changed.System, changed.Sampling.TopK = "other", "a\nb", 3
		if again, err := Parse("f.toml", patch(text, r, changed)); err != nil || again != changed {
			t.Fatalf("%+v, changed, came back as %+v, %v", changed, again, err)
		}
	})
}

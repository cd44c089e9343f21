package settings

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"hotcell/infer"
)

func TestThePathIsTheUsersElseBesideTheData(t *testing.T) {
	home := t.TempDir()
	for _, test := range []struct{ name, xdg, home, data, want string }{
		{"XDG_CONFIG_HOME first", "/x", home, "/d", "/x/hotcell/config.toml"},
		{"XDG_CONFIG_HOME must be absolute", "x", home, "/d", home + "/.config/hotcell/config.toml"},
		{"then the home", "", home, "", home + "/.config/hotcell/config.toml"},
		{"a home that is the root is none", "", "/", "/d", "/d/config.toml"},
		{"a home that is not there is none", "", home + "/no", "/d", "/d/config.toml"},
	} {
		t.Setenv("XDG_CONFIG_HOME", test.xdg)
		t.Setenv("HOME", test.home)
		t.Setenv("HOTCELL_DATA", test.data)
		if got, err := Path(); err != nil || got != test.want {
			t.Errorf("%s: %s, %v, want %s", test.name, got, err, test.want)
		}
	}
}

func TestWithoutAFileTheDefaultsHold(t *testing.T) {
	s, notes := Load(filepath.Join(t.TempDir(), "config.toml"))
	if !reflect.DeepEqual(s, Default()) || notes != nil {
		t.Errorf("%+v, %q", s, notes)
	}
}

// sample has another value than the default in every field.
func sample() Settings {
	temperature, topK, seed, zero := float32(0.3), 20, int64(7), 0
	share, less := float32(0.5), float32(-0.5)
	return Settings{
		Theme: "light", ASCII: true, Mouse: true, Panels: "strip", FoldThoughts: false, KeepAwake: false,
		Model: `a "b"`, Role: "coder", Context: 4096, Threads: 3, Mode: "dense", Budget: 5000,
		Sampling: Overrides{&temperature, &topK, &share, &share, &share, &less, &less, &seed, &zero},
	}
}

func TestEverySettingSurvivesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "config.toml")
	for _, want := range []Settings{sample(), Default(), sample()} {
		if _, err := Change(path, func(s *Settings) { *s = want }); err != nil {
			t.Fatal(err)
		}
		if got, notes := Load(path); !reflect.DeepEqual(got, want) || notes != nil {
			t.Errorf("%+v came back as %+v, %q", want, got, notes)
		}
	}
}

func TestTheFileExplainsEverySetting(t *testing.T) {
	text := encode(Default())
	for _, f := range Fields {
		if f.About == "" || !strings.Contains(text, f.About) {
			t.Errorf("%s is not explained", f.Key)
		}
	}
	for line := range strings.Lines(text) {
		if len([]rune(line)) > 120 {
			t.Errorf("the line is long: %s", line)
		}
	}
}

func TestAChangeLeavesTheRestOfTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.toml")
	const text = "# my notes\nfuture = 1 # of a newer version\ntheme = \"dark\" # easier on the eyes\nthreads = 'many'\n"
	write(t, path, text)
	s, err := Change(path, func(s *Settings) { s.Theme, s.Context = "light", 100 })
	if err != nil || s.Theme != "light" || s.Context != 100 {
		t.Fatal(s, err)
	}
	if got, want := read(t, path), strings.Replace(text, `"dark"`, `"light"`, 1)+"context = 100\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if _, err := Change(path, func(s *Settings) {}); err != nil {
		t.Fatal(err)
	}
	_, notes := Load(path)
	want := []string{
		"config.toml, line 2, future: there is no such field",
		"config.toml, line 4, threads: this must be a whole number from 0 to 256",
	}
	if !reflect.DeepEqual(notes, want) {
		t.Errorf("the notes are %q, want %q", notes, want)
	}
}

func TestAFileThatIsNoSettingsStopsNothingAndIsKept(t *testing.T) {
	for _, text := range []string{"theme = \n", "\x00\xff", "theme = {x = 1}", strings.Repeat("#", maxFile+1)} {
		dir := t.TempDir()
		path := filepath.Join(dir, "config.toml")
		write(t, path, text)
		s, notes := Load(path)
		if !reflect.DeepEqual(s, Default()) || len(notes) != 1 {
			t.Errorf("%.20q: %+v, %q", text, s, notes)
		}
		if _, err := Change(path, func(s *Settings) { s.Theme = "light" }); err != nil {
			t.Fatal(err)
		}
		if s, notes := Load(path); s.Theme != "light" || notes != nil {
			t.Errorf("%.20q: after the change %+v, %q", text, s, notes)
		}
		kept, _ := filepath.Glob(filepath.Join(dir, "config.toml.bad-*"))
		if text == "theme = {x = 1}" { // one bad line is simply replaced
			continue
		}
		if len(kept) != 1 || read(t, kept[0]) != text {
			t.Errorf("%.20q was not kept", text)
		}
	}
}

func TestSettingsThatCannotBeWrittenStillHold(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "file"), "")
	s, err := Change(filepath.Join(dir, "file", "config.toml"), func(s *Settings) { s.Theme = "light" })
	if err == nil || s.Theme != "light" {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestASettingIsTyped(t *testing.T) {
	for _, test := range []struct{ key, text, want string }{ // want "!" and the error
		{"theme", " light ", "light"},
		{"theme", "pink", `!theme cannot be "pink" (auto, dark, light)`},
		{"ascii", "on", "true"},
		{"ascii", "no", "false"},
		{"ascii", "", `!ascii cannot be "" (false, true)`},
		{"context", "4096", "4096"},
		{"context", "-1", `!context cannot be "-1" (0 to 1073741824)`},
		{"context", "1e3", `!context cannot be "1e3" (0 to 1073741824)`},
		{"threads", "99999999999999999999", `!threads cannot be "99999999999999999999" (0 to 256)`},
		{"model", "a\nb", `!model cannot be "a\nb"`},
		{"model", "my.gguf", "my.gguf"},
		{"temperature", "0.3", "0.3"},
		{"sampling.temperature", "9", `!sampling.temperature cannot be "9" (0 to 5)`},
		{"temperature", "NaN", `!sampling.temperature cannot be "NaN" (0 to 5)`},
		{"temperature", "", ""},
		{"top_k", "40", "40"},
		{"seed", "-1", "-1"},
		{"presence_penalty", "-2", "-2"},
		{"max_tokens", "100", "100"},
	} {
		f, ok := Find(test.key)
		if !ok {
			t.Fatalf("there is no field %s", test.key)
		}
		s := sample()
		before := s
		err := f.Set(&s, test.text)
		if message, fails := strings.CutPrefix(test.want, "!"); fails {
			if err == nil || err.Error() != message || !reflect.DeepEqual(s, before) {
				t.Errorf("%s %q: %v, want %s", test.key, test.text, err, message)
			}
			continue
		}
		if err != nil || f.Text(s) != test.want {
			t.Errorf("%s %q: %q, %v", test.key, test.text, f.Text(s), err)
		}
	}
	if _, ok := Find("nothing"); ok {
		t.Error("a field that does not exist was found")
	}
}

func TestOverridesStandInFrontOfTheRole(t *testing.T) {
	role := infer.Options{MaxTokens: 50, Sampling: infer.Sampling{Temperature: 0.7, TopK: 40, TopP: 0.9, Seed: -1}}
	if got := (Overrides{}).Apply(role); got != role {
		t.Errorf("nothing set changed the role to %+v", got)
	}
	half, none := float32(0.5), 0
	want := role
	want.MaxTokens, want.Sampling.TopP = 0, 0.5
	if got := (Overrides{TopP: &half, MaxTokens: &none}).Apply(role); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

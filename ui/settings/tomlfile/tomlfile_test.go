package tomlfile

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestWhatIsWrongIsToldWithLineAndField(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"nothing", "name = 'x'\n[deep]\nnumber = 1", ""},
		{"no TOML", "name = 'x'\nflag = maybe", `f.toml, line 2, flag: `},
		{"a text that is not closed", "name = \"x\n", `f.toml, line 1, name: `},
		{"a field that is not there", "name = 'x'\n\ncolour = 'red'", `f.toml, line 3, colour: there is no such field`},
		{"a field in the wrong table", "[deep]\nnumber = 1\nname = 'x'", `f.toml, line 3, deep.name: there is no such field`},
		{"a table that is not there", "[other]\nx = 1", `f.toml, line 2, other.x: there is no such field`},
		{"an empty table that is not there", "[other]", `f.toml, line 1, other: there is no such field`},
		{"an empty table that is there", "[deep]", ``},
		{"a quoted key that looks like a path", "'deep.number' = 1", `f.toml, "deep.number": there is no such field`},
		{"a number for a text", "# hm\nname = 3", `f.toml, line 2, name: this must be a text in quotes, not a number`},
		{"a list for a text", "name = ['x']", `f.toml, line 1, name: this must be a text in quotes, not a list`},
		{"a table for a text", "[name]\nx = 1", `f.toml, line 2, name.x: there is no such field`},
		{"a text that is too long", "name = '123456789'", `f.toml, line 1, name: this is longer than 8 characters`},
		{"a text with an escape", `name = "\u001b[2J"`, `f.toml, line 1, name: this must be one line without control characters`},
		{"a number out of range", "[deep]\n number = 12 # too much", `f.toml, line 2, deep.number: this must be a whole number from 0 to 9`},
		{"a number that is not whole", "deep.number = 1.5", `f.toml, line 1, deep.number: this must be a whole number from 0 to 9`},
		{"a share above 1", "share = 1.5", `f.toml, line 1, share: this must be a number from 0 to 1`},
		{"not a number", "share = nan", `f.toml, line 1, share: this must be a number from 0 to 1`},
		{"a word that is not one of them", "word = 'c'", `f.toml, line 1, word: this must be one of ["a" "b"]`},
		{"a text for a switch", "flag = 'true'", `f.toml, line 1, flag: this must be true or false, not a text`},
		{"after a text over several lines", "long = \"\"\"\nname = 3\n\"\"\"\nflag = 1", `f.toml, line 4, flag: this must be true or false, not a number`},
		{"two things", "flag = 1\nword = 1", "f.toml, line 1, flag: this must be true or false, not a number\nf.toml, line 2, word: this must be one of [\"a\" \"b\"]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			doc, err := Parse("f.toml", test.text)
			if err != nil {
				got = append(got, err.Error())
			} else {
				ask(doc)
				for _, p := range doc.Problems() {
					got = append(got, p.Error())
				}
			}
			if all := strings.Join(got, "\n"); all != test.want && !(strings.HasSuffix(test.want, ": ") && strings.HasPrefix(all, test.want)) {
				t.Errorf("got  %s\nwant %s", all, test.want)
			}
		})
	}
}

type asked struct {
	name, long, word string
	flag             bool
	number           int
	share            float32
}

func ask(doc *Doc) (a asked) {
	doc.String("name", &a.name, 8, false)
	doc.String("long", &a.long, 1000, true)
	doc.Choice("word", &a.word, "a", "b")
	doc.Bool("flag", &a.flag)
	doc.Int("deep.number", &a.number, 0, 9)
	doc.Float("share", &a.share, 0, 1)
	return a
}

func TestSetChangesOneLine(t *testing.T) {
	const text = `# mine
name = "x" # a # b
unknown = [1,
  2]

long = """
name = "trap"
"""   # gone with the text

[deep]
number = 1

[other]
number = 5
`
	for _, test := range []struct {
		name, key string
		value     any
		old, new  string
	}{
		{"a value before a comment", "name", "y\"z", `"x" # a # b`, `"y\"z" # a # b`},
		{"a text over several lines", "long", "a\nb", "\"\"\"\nname = \"trap\"\n\"\"\"   # gone with the text", "\"\"\"\na\nb\"\"\""},
		{"a value in a table", "deep.number", 2, "[deep]\nnumber = 1", "[deep]\nnumber = 2"},
		{"a new key in a table", "deep.share", float32(0.25), "[deep]\nnumber = 1\n", "[deep]\nnumber = 1\nshare = 0.25\n"},
		{"a new key before the tables", "flag", true, "text\n\n[deep]", "text\nflag = true\n\n[deep]"},
		{"a new table", "fresh.number", int64(7), "number = 5\n", "number = 5\n\n[fresh]\nnumber = 7\n"},
		{"a key that goes", "name", nil, "name = \"x\" # a # b\n", ""},
		{"a key that goes and was not there", "nothing", nil, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			doc, err := Parse("f", text)
			if err != nil {
				t.Fatal(err)
			}
			if err := doc.Set(test.key, test.value); err != nil {
				t.Fatal(err)
			}
			if want := strings.Replace(text, test.old, test.new, 1); doc.Text() != want {
				t.Errorf("got\n%s\nwant\n%s", doc.Text(), want)
			}
		})
	}
}

func TestSetRefusesWhatItCannotPlace(t *testing.T) {
	for _, test := range []struct{ name, text, key string }{
		{"an inline table", "deep = {number = 1}", "deep.number"},
		{"a table that is a value", "deep = 1", "deep.number"},
		{"a list over several lines", "name = [\n1]", "name"},
		{"a list of tables", "[[deep]]\nnumber = 1", "deep.number"},
	} {
		doc, err := Parse("f", test.text)
		if err != nil {
			t.Fatal(err)
		}
		if err := doc.Set(test.key, 2); err == nil {
			t.Errorf("%s became %q", test.name, doc.Text())
		}
		if doc.Text() != test.text {
			t.Errorf("%s: the text changed to %q", test.name, doc.Text())
		}
	}
}

func TestOnlyFilesOfAReasonableSizeAreRead(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe.toml")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	large := filepath.Join(dir, "large.toml")
	if err := os.WriteFile(large, []byte("x = '"+strings.Repeat("x", 5000)+"'"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		pipe:                     "pipe.toml: this is not a file",
		dir:                      filepath.Base(dir) + ": this is not a file",
		large:                    "large.toml: the file is larger than 4 KiB",
		filepath.Join(dir, "no"): "no such file",
	} {
		if _, err := Read(path, 4<<10); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
}

func TestWriteReplacesAFileInOneStep(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "new", "a.toml"), filepath.Join(dir, "link.toml")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ path, text string }{{path, "a = 1"}, {path, "a = 2"}, {link, "a = 3"}} {
		if err := Write(step.path, step.text); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); string(got) != step.text {
			t.Errorf("got %q, %v", got, err)
		}
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, "a = 4"); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the file got the mode %v, %v", info.Mode(), err)
	}
	entries, _ := os.ReadDir(filepath.Dir(path))
	if len(entries) != 1 {
		t.Errorf("files are left over: %v", entries)
	}
}

func TestIntricateFilesAreRefusedAtOnce(t *testing.T) {
	path := strings.Repeat("a.", 250000) + "a = 1"
	for name, text := range map[string]string{
		"a deep list":                 "x = " + strings.Repeat("[", 250000) + strings.Repeat("]", 250000),
		"a long path":                 path,
		"a table with a long path":    "[" + strings.Repeat("a.", 250000) + "a]",
		"a deep table":                "x = " + strings.Repeat("{a=", 120000) + "1" + strings.Repeat("}", 120000),
		"a path after texts":          `x = "\"" # '` + "\ny = '''a''b'''\nz = \"\"\"\\\\\"\"\"\n" + path,
		"a path after quoted quotes":  `x = """""a"""""` + "\n" + path,
		"a path after an empty text":  "x = ''\n" + path,
		"tables in each other's list": strings.Repeat("[[a.b.c]]\n", 50000),
	} {
		if _, err := Parse("f", text); err == nil || err.Error() != "f: this is too intricate to be read" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, text := range map[string]string{
		"a text":          "long = '" + strings.Repeat("a.", 250000) + "'",
		"a text of lines": "long = \"\"\"\\\"\"\"\n" + strings.Repeat("[\n", 250000) + "\"\"\"",
		"comments":        strings.Repeat("# a.b.[c]\n", 50000),
	} {
		if _, err := Parse("f", text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is written is read again as it was, whatever the text holds, and a file never makes the parser panic.
func FuzzTextsSurvive(f *testing.F) {
	for _, s := range []string{"", "a", "a\nb", `"""`, `\`, "\x1b[2J", "\r\n", "''' # x", "\u0085\u2028", "\xff", "x = 1\n[y]", " \t", "\ufeff"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, text, file string) {
		doc, err := Parse("f", "before = 1\n[t]\nx = "+Literal(text)+" # c\n[after]\nx = 2\n")
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		var got string
		doc.String("t.x", &got, 1<<30, true)
		if got != strings.ToValidUTF8(text, "\uFFFD") {
			t.Fatalf("%q came back as %q", text, got)
		}
		if err := doc.Set("t.x", file); err != nil {
			t.Fatalf("%q, then %q: %v", text, file, err)
		}

		doc, err = Parse("f", file)
		if err != nil {
			return
		}
		ask(doc)
		others := len(doc.values)
		if doc.values["name"] != nil {
			others--
		}
		if doc.Set("name", text) == nil && len(doc.values) != others+1 {
			t.Fatalf("setting the name in %q made %q", file, doc.Text())
		}
	})
}

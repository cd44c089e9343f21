package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// These tests hold the walls of the house: who may import whom, what lies
// where, and that each package tells what it is.

// mayImport says which packages of this module a package may import. The entry
// with the longest matching name decides; "x/..." is x and all below it.
// A package without an entry fails the test: decide where it belongs.
var mayImport = []struct {
	from string
	to   []string
}{
	{".", []string{"..."}}, // main wires everything
	{"ui/...", []string{"ui/...", "infer", "planner", "models"}},
	{"ui/cli/...", []string{"..."}}, // the command line face of the engine
	{"ui/termfirst", nil},           // runs before any other package
	{"infer/...", []string{"infer/...", "neuroncache/...", "iosched/...", "planner/...", "models/..."}},
	{"infer/kernel/...", []string{"infer/kernel/...", "models/gguf"}},
	{"infer/workers", nil},
	{"neuroncache/...", []string{"neuroncache/..."}}, // knows memory, not files
	{"iosched/...", []string{"iosched/..."}},         // knows files, not neurons
	{"planner/...", []string{"planner/..."}},         // plain data in, plain data out
	{"models/...", []string{"models/..."}},
	{"docs/...", nil}, // tools that make pictures and tables
}

// onlyStandard lists packages that may import nothing but the named packages
// of the standard library.
var onlyStandard = map[string][]string{
	"ui/termfirst": {"os"}, // its init must run before that of every other import
}

// topLevel is what may stand in the repository's first folder.
var topLevel = []string{
	".ci", ".gitattributes", ".gitignore", "ARCHITECTURE.md", "CONTRIBUTING.md", "LICENSE", "NOTICE", "README.md",
	"docs", "go.mod", "go.sum", "infer", "iosched", "main.go", "main_test.go", "models", "neuroncache", "planner", "ui",
}

const module = "hotcell"

func TestImportsPointOneWay(t *testing.T) {
	for dir, files := range packages(t) {
		allowed, ok := rule(dir)
		if !ok {
			t.Errorf("package %s has no entry in mayImport", dir)
			continue
		}
		for name, file := range files {
			for _, spec := range file.Imports {
				imported, _ := strconv.Unquote(spec.Path.Value)
				target, ours := strings.CutPrefix(imported, module+"/")
				switch {
				case !ours:
					if std, limited := onlyStandard[dir]; limited && !slices.Contains(std, imported) {
						t.Errorf("%s imports %s; package %s may import only %v", name, imported, dir, std)
					}
				case !slices.ContainsFunc(allowed, func(pattern string) bool { return matches(pattern, target) }):
					t.Errorf("%s imports %s; package %s may import only %v", name, imported, dir, allowed)
				}
			}
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for dir, files := range packages(t) {
		docs, want := 0, ""
		for _, file := range files {
			switch want = "Package " + file.Name.Name + " "; {
			case dir == ".":
				want = "Command " + module + " "
			case file.Name.Name == "main":
				want = "Command " + path.Base(dir) + " "
			}
			if strings.HasPrefix(file.Doc.Text(), want) {
				docs++
			}
		}
		if docs != 1 {
			t.Errorf("%s: %d files have a package comment starting %q, want one", dir, docs, want)
		}
	}
}

func TestAssemblyLivesInTheKernelPackage(t *testing.T) {
	for _, file := range tracked(t) {
		if path.Ext(file) == ".s" && path.Dir(file) != "infer/kernel" {
			t.Errorf("%s: assembly belongs in infer/kernel, beside its Go reference", file)
		}
	}
}

func TestTheTopLevelHoldsOnlyWhatItShould(t *testing.T) {
	for _, file := range tracked(t) {
		if first, _, _ := strings.Cut(file, "/"); !slices.Contains(topLevel, first) {
			t.Errorf("%s does not belong in the top level", first)
		}
	}
}

func TestNoFileNamesAPathOfTheMachineItWasWrittenOn(t *testing.T) {
	private := regexp.MustCompile(`(^|[^\w.~$}/-])/(work|root|home/\w+)\b`)
	for _, name := range tracked(t) {
		data, err := os.ReadFile(name)
		if err != nil || bytes.IndexByte(data, 0) >= 0 { // gone since the last commit, or not text
			continue
		}
		for i, line := range bytes.Split(data, []byte("\n")) {
			if private.Match(line) {
				t.Errorf("%s:%d holds an absolute path: %.200q", name, i+1, line)
			}
		}
	}
}

func TestMatches(t *testing.T) {
	for _, test := range []struct {
		pattern, dir string
		want         bool
	}{
		{"...", "ui", true},
		{"infer", "infer", true},
		{"infer", "infer/kernel", false},
		{"infer/...", "infer", true},
		{"infer/...", "infer/kernel", true},
		{"infer/...", "inferno", false},
		{".", "ui", false},
	} {
		if matches(test.pattern, test.dir) != test.want {
			t.Errorf("matches(%q, %q) is %v", test.pattern, test.dir, !test.want)
		}
	}
}

func rule(dir string) (allowed []string, ok bool) {
	best := ""
	for _, r := range mayImport {
		if matches(r.from, dir) && len(r.from) > len(best) {
			best, allowed, ok = r.from, r.to, true
		}
	}
	return allowed, ok
}

func matches(pattern, dir string) bool {
	if pattern == "..." {
		return true
	}
	if below, ok := strings.CutSuffix(pattern, "/..."); ok {
		return dir == below || strings.HasPrefix(dir, below+"/")
	}
	return dir == pattern
}

// packages parses imports and package comments of the whole module, of every
// operating system and architecture, without tests: folder -> file -> syntax.
func packages(t *testing.T) map[string]map[string]*ast.File {
	t.Helper()
	found := map[string]map[string]*ast.File{}
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if base := path.Base(name); name != "." && (base == "testdata" || base[0] == '.' || base[0] == '_') {
				return fs.SkipDir
			}
			return nil
		}
		if path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		dir := path.Dir(name)
		if found[dir] == nil {
			found[dir] = map[string]*ast.File{}
		}
		found[dir][name] = file
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// tracked lists the files that git knows. Source archives have no git.
func tracked(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command("git", "ls-files", "-z").Output()
	if err != nil {
		t.Skipf("git ls-files: %v", err)
	}
	return strings.Split(strings.TrimRight(string(out), "\x00"), "\x00")
}

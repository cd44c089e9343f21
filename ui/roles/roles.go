// Package roles keeps who answers: a role is a system prompt, the way in which tokens are sampled and, if
// wanted, the model that is to answer.
//
// The problem: people want to write roles in their own editor, copy them between devices and share them, so a
// role must be a file that explains itself; and what comes from others must be checked before it is used.
//
// The idea: one TOML file per role in one folder. The file's name is the role's ID. Some roles come with the
// program (embedded from builtin/); a file of the same name in the folder stands in front of one of those,
// and deleting it brings the original back. A file is either right or refused whole, with file, line and field
// of what is wrong; a key that no role has is wrong. All changes replace a file in one step.
//
// The first built-in roles speak to the small model that comes with the program: their system prompts are
// those that it was trained with. The others want a model that follows instructions.
//
//	folder := roles.Open(filepath.Join(dataDir, "roles"))
//	all, problems := folder.List()
//	role, err := folder.Get("companion")
//	copied, err := folder.Duplicate("coder")
//	copied.System = "Answer in verse."
//	copied, err = folder.Save(copied)
//
// A Folder holds nothing but its path; its methods may be called from any goroutine.
package roles

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"

	"hotcell/infer"
	"hotcell/ui/settings/tomlfile"
)

// Role is who answers.
type Role struct {
	ID          string // the file's name without .toml; "" before the first Save
	Name        string // shown above each answer
	Description string // one line for the list of roles
	System      string // sent before the conversation; may be empty
	Greeting    string // shown in an empty chat, never sent to the model; may be empty
	Model       string // name or file of the model that this role wants; "": any
	MaxTokens   int    // most tokens of one answer; 0: until the turn ends or the context is full
	Sampling    infer.Sampling
	BuiltIn     bool // comes with the program and was not changed
}

// Limits of what a role may hold. Lengths are in characters.
const (
	MaxName        = 40
	MaxDescription = 200
	MaxSystem      = 64 << 10
	MaxGreeting    = 4 << 10
	maxModel       = 1 << 10
	maxFile        = 512 << 10 // bytes
	maxFiles       = 1000      // that are listed
	maxID          = 64        // bytes
)

// Default is the ID of the role that suits the model that comes with the program, and Assistant that of the
// one for any other model.
const (
	Default   = "companion"
	Assistant = "assistant"
)

// order is that in which the built-in roles are listed.
var order = []string{
	Default, "movies", "music", "sports", "facts", "barista", "concierge", "brief",
	Assistant, "coder", "translator", "tutor", "writer", "editor", "summarizer", "ideas", "debater",
}

//go:embed builtin/*.toml
var builtin embed.FS

// Folder is a folder of roles and those that come with the program.
type Folder struct{ dir string }

// Open returns the roles in dir, which need not exist.
func Open(dir string) *Folder { return &Folder{dir} }

// Dir is the folder's path.
func (f *Folder) Dir() string { return f.dir }

// List returns all roles: the built-in ones in their order, then the user's by name. Files that cannot be
// used are left out and told in problems, each a plain sentence; in place of a changed built-in role that
// cannot be used the original is listed.
func (f *Folder) List() (all []Role, problems []error) {
	ids, problems := f.files()
	own := map[string]Role{}
	for _, id := range ids {
		role, err := f.read(id)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		own[id] = role
	}
	for _, id := range order {
		role, changed := own[id]
		if !changed {
			role = original(id)
		}
		all = append(all, role)
		delete(own, id)
	}
	rest := make([]Role, 0, len(own))
	for _, role := range own {
		rest = append(rest, role)
	}
	slices.SortFunc(rest, func(a, b Role) int {
		if c := strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return append(all, rest...), problems
}

// files lists the IDs of the folder's files, and complains about names that cannot be IDs.
func (f *Folder) files() (ids []string, problems []error) {
	entries, err := os.ReadDir(f.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, []error{fmt.Errorf("the folder of the roles cannot be read: %w", err)}
	}
	for _, e := range entries {
		id, ok := strings.CutSuffix(e.Name(), ".toml")
		switch {
		case !ok || strings.HasPrefix(id, "."):
		case !validID(id):
			problems = append(problems, fmt.Errorf("%q is not a name for a role: use letters, digits, - and _", e.Name()))
		case len(ids) == maxFiles:
			return ids, append(problems, fmt.Errorf("there are more than %d roles; the others are not listed", maxFiles))
		default:
			ids = append(ids, id)
		}
	}
	return ids, problems
}

// Get returns one role: the user's, else the built-in one.
func (f *Folder) Get(id string) (Role, error) {
	if !validID(id) {
		return Role{}, missing(id)
	}
	role, err := f.read(id)
	if errors.Is(err, fs.ErrNotExist) {
		if slices.Contains(order, id) {
			return original(id), nil
		}
		return Role{}, missing(id)
	}
	return role, err
}

func missing(id string) error { return fmt.Errorf("there is no role %q: %w", id, fs.ErrNotExist) }

func (f *Folder) path(id string) string { return filepath.Join(f.dir, id+".toml") }

func (f *Folder) read(id string) (Role, error) {
	doc, err := tomlfile.Read(f.path(id), maxFile)
	if err != nil {
		return Role{}, err
	}
	role, err := decode(doc)
	role.ID = id
	return role, err
}

// original returns a role that comes with the program.
func original(id string) Role {
	role, err := Parse(id+".toml", source(id))
	if err != nil {
		panic(err) // a test reads them all
	}
	role.ID, role.BuiltIn = id, true
	return role
}

func source(id string) string {
	data, err := builtin.ReadFile(path.Join("builtin", id+".toml"))
	if err != nil {
		panic(err) // a test reads them all
	}
	return string(data)
}

// Save checks a role and writes its file. A role without an ID gets one from its name. What a person wrote
// into the file beside the fields, comments for example, stays.
func (f *Folder) Save(role Role) (Role, error) {
	role.Sampling.Seed = max(role.Sampling.Seed, -1)
	if err := role.check(); err != nil {
		return role, err
	}
	if role.ID == "" {
		role.ID = f.freeID(role.Name)
	}
	if !validID(role.ID) {
		return role, fmt.Errorf("%q is not a name for a role: use letters, digits, - and _", role.ID)
	}
	text, err := f.Source(role.ID)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		text = encode(role)
	case err != nil:
		return role, err
	default:
		before, err := Parse(role.ID+".toml", text)
		if err != nil {
			return role, fmt.Errorf("correct or delete the role's file first: %w", err)
		}
		text = patch(text, before, role)
	}
	role.BuiltIn = false
	return role, f.write(role.ID, text)
}

func (f *Folder) write(id, text string) error {
	if err := tomlfile.Write(f.path(id), text); err != nil {
		return fmt.Errorf("cannot save the role: %w", plain(err))
	}
	return nil
}

// Duplicate saves a copy of a role under a new name.
func (f *Folder) Duplicate(id string) (Role, error) {
	role, err := f.Get(id)
	if err != nil {
		return role, err
	}
	runes := []rune(role.Name)
	role.Name = string(runes[:min(len(runes), MaxName-len(" copy"))]) + " copy"
	role.ID = ""
	return f.Save(role)
}

// Delete removes a role's file. Of a changed built-in role the original comes back; an original stays.
func (f *Folder) Delete(id string) error {
	if !validID(id) {
		return missing(id)
	}
	err := os.Remove(f.path(id))
	switch {
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("cannot delete the role: %w", plain(err))
	case slices.Contains(order, id):
		return fmt.Errorf("the role %s comes with hotcell and cannot be deleted", original(id).Name)
	}
	return missing(id)
}

// Source returns the text of a role's file, for an editor. It may be a file that cannot be used.
func (f *Folder) Source(id string) (string, error) {
	if !validID(id) {
		return "", missing(id)
	}
	text, err := tomlfile.ReadText(f.path(id), maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		if slices.Contains(order, id) {
			return source(id), nil
		}
		return "", missing(id)
	}
	return text, err
}

// Replace checks a text from an editor and, if it is right, makes it the role's file.
func (f *Folder) Replace(id, text string) (Role, error) {
	if !validID(id) {
		return Role{}, missing(id)
	}
	role, err := Parse(id+".toml", text)
	if err != nil {
		return role, err
	}
	role.ID = id
	return role, f.write(id, text)
}

// Import checks the file at path and copies it into the folder, under a new ID if its own is taken.
func (f *Folder) Import(path string) (Role, error) {
	doc, err := tomlfile.Read(path, maxFile)
	if err != nil {
		return Role{}, fmt.Errorf("cannot import the role: %w", plain(err))
	}
	role, err := decode(doc)
	if err != nil {
		return role, err
	}
	role.ID = f.freeID(strings.TrimSuffix(filepath.Base(path), ".toml"))
	return role, f.write(role.ID, doc.Text())
}

// Export copies a role's file to path, which must not exist. If path is a folder, the file gets the role's name
// there. It returns the file's path.
func (f *Folder) Export(id, path string) (string, error) {
	text, err := f.Source(id)
	if err != nil {
		return "", err
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, id+".toml")
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return "", fmt.Errorf("cannot export the role: %w", plain(err))
	}
	_, err = file.WriteString(text)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		_ = os.Remove(path)
		return "", fmt.Errorf("cannot export the role: %w", plain(err))
	}
	return path, nil
}

// freeID makes an ID that no role has from a name.
func (f *Folder) freeID(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case b.Len() > maxID-utf8.UTFMax-len("-9999"):
		case validRune(r):
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	base := strings.Trim(b.String(), "-_")
	if base == "" {
		base = "role"
	}
	for n, id := 2, base; ; n++ {
		if _, err := os.Lstat(f.path(id)); errors.Is(err, fs.ErrNotExist) && !slices.Contains(order, id) || n > 9999 {
			return id
		}
		id = fmt.Sprintf("%s-%d", base, n)
	}
}

func validRune(r rune) bool {
	return r == '-' || r == '_' || (unicode.IsLetter(r) || unicode.IsDigit(r)) && r != unicode.ReplacementChar
}

func validID(id string) bool {
	return id != "" && len(id) <= maxID && utf8.ValidString(id) && !strings.ContainsFunc(id, func(r rune) bool { return !validRune(r) })
}

// plain says the common reasons for which a file cannot be written in words.
func plain(err error) error {
	for _, known := range []struct {
		code  error
		words string
	}{
		{syscall.ENOSPC, "the disk is full"},
		{fs.ErrExist, "there is such a file already"},
		{fs.ErrPermission, "this place may not be written"},
		{fs.ErrNotExist, "there is no such file or folder"},
	} {
		if errors.Is(err, known.code) {
			return fmt.Errorf("%s (%w)", known.words, err)
		}
	}
	return err
}

// check tells what is wrong with a role that was made or changed on screen.
func (r Role) check() error {
	_, err := Parse("", encode(r))
	var wrong tomlfile.Problem
	if errors.As(err, &wrong) {
		return fmt.Errorf("%s: %s", wrong.Key, wrong.What)
	}
	return err
}

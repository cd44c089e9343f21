// Package settings keeps what the user chose for good: the look of the screen, the model and role of last
// time, how the engine is to run.
//
// The problem: the file is edited by people and by the program, sometimes by two programs at once, and
// whatever stands in it the program must start.
//
// The idea: one table, [Fields], says of every setting its key in the file, what it means and what it may be.
// Reading, writing, the settings screen and the /set command all work from it. A wrong value in the file
// leaves the default and becomes a sentence for the screen; so does a key that does not exist, which stays in
// the file. A change touches only the lines of what changed: comments, order and unknown keys survive. A file that
// is no TOML at all is renamed at the first change, never overwritten.
//
//	path, err := settings.Path()
//	s, notes := settings.Load(path)
//	s, err = settings.Change(path, func(s *settings.Settings) { s.Theme = "light" })
package settings

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"hotcell/infer"
	"hotcell/models"
	"hotcell/ui/settings/tomlfile"
)

// Settings are all settings. Get them from Default or Load: the zero value is not the default.
type Settings struct {
	Theme        string // auto, dark or light
	ASCII        bool   // draw with ASCII characters only
	Mouse        bool   // also in the chat, where on a phone a tap should open the keyboard
	Panels       string // how much of the dashboard is beside the chat: auto, full, strip or hidden
	FoldThoughts bool   // show reasoning as one line once the answer has begun
	KeepAwake    bool   // keep the device awake while an answer is written

	Model string // the last one: a name in the library or a file; "": the built-in one
	Role  string // ID of the last one; "": the one that suits the model

	Context int    // tokens; 0: what the model was trained for, at most 8192
	Threads int    // 0: one for each fast core
	Mode    string // of the feed-forward layers: auto, dense or predicted
	Budget  int    // most memory that the program may hold, in MiB; 0: what the device has to spare

	Sampling Overrides
}

// Overrides are the sampling settings that stand in front of every role's; nil leaves the role's own.
type Overrides struct {
	Temperature      *float32
	TopK             *int
	TopP             *float32
	MinP             *float32
	RepeatPenalty    *float32
	PresencePenalty  *float32
	FrequencyPenalty *float32
	Seed             *int64
	MaxTokens        *int
}

// Apply puts the overrides in front of a role's own values.
func (o Overrides) Apply(opt infer.Options) infer.Options {
	s := &opt.Sampling
	over(&s.Temperature, o.Temperature)
	over(&s.TopK, o.TopK)
	over(&s.TopP, o.TopP)
	over(&s.MinP, o.MinP)
	over(&s.RepeatPenalty, o.RepeatPenalty)
	over(&s.PresencePenalty, o.PresencePenalty)
	over(&s.FrequencyPenalty, o.FrequencyPenalty)
	over(&s.Seed, o.Seed)
	over(&opt.MaxTokens, o.MaxTokens)
	return opt
}

func over[T any](value, by *T) {
	if by != nil {
		*value = *by
	}
}

// Default returns the settings of a fresh installation.
func Default() Settings {
	return Settings{Theme: "auto", Panels: "auto", FoldThoughts: true, KeepAwake: true, Mode: "auto"}
}

// maxFile is the most bytes that the file may have.
const maxFile = 256 << 10

// Path is the file of the settings: hotcell/config.toml in XDG_CONFIG_HOME or in ~/.config. Where there is no
// home to write to, as in adb shell, it is config.toml in the folder of Hotcell's data.
func Path() (string, error) {
	if dir := os.Getenv("XDG_CONFIG_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "hotcell", "config.toml"), nil
	}
	if home := os.Getenv("HOME"); filepath.IsAbs(home) && filepath.Clean(home) != "/" && unix.Access(home, unix.W_OK) == nil {
		return filepath.Join(home, ".config", "hotcell", "config.toml"), nil
	}
	dir, err := models.DataDir()
	return filepath.Join(dir, "config.toml"), err
}

// Load reads the settings. Notes are sentences on what in the file cannot be used; a missing file is fine.
func Load(path string) (s Settings, notes []string) {
	s = Default()
	doc, err := tomlfile.Read(path, maxFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s, nil
	case err != nil:
		return s, []string{fmt.Sprintf("The settings cannot be read, so the defaults are used: %v", err)}
	}
	for _, p := range decode(doc, &s) {
		notes = append(notes, p.Error())
	}
	return s, notes
}

func decode(doc *tomlfile.Doc, s *Settings) []tomlfile.Problem {
	for _, f := range Fields {
		f.read(doc, s)
	}
	return doc.Problems()
}

// Change applies f to the settings as they are in the file now and writes what f changed. It returns the
// settings that hold from now on, also when they could not be written.
func Change(path string, f func(*Settings)) (Settings, error) {
	before, _ := Load(path)
	after := before
	f(&after)
	text, err := changed(path, before, after)
	if err == nil && text != "" {
		err = tomlfile.Write(path, text)
	}
	if err != nil {
		err = fmt.Errorf("cannot save the settings: %w", err)
	}
	return after, err
}

// changed is the new text of the file, or "" if nothing changes.
func changed(path string, before, after Settings) (string, error) {
	text, err := tomlfile.ReadText(path, maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return encode(after), nil
	}
	var doc *tomlfile.Doc
	if err == nil {
		doc, err = tomlfile.Parse(path, text)
	}
	touched := false
	for _, f := range Fields {
		old, now := f.literal(&before), f.literal(&after)
		if err == nil && old != now {
			touched = true
			err = doc.Set(f.Key, now)
		}
	}
	if err != nil { // no TOML, or written in a form in which the line to change cannot be told
		aside := path + ".bad-" + time.Now().Format("20060102-150405.000")
		return encode(after), os.Rename(path, aside)
	}
	if !touched {
		return "", nil
	}
	return doc.Text(), nil
}

// encode is a whole new file, with every setting and what it means.
func encode(s Settings) string {
	var b strings.Builder
	b.WriteString("# Hotcell's settings. A line that is missing or begins with # leaves the default.\n")
	table := false
	for _, f := range Fields {
		key, sampling := strings.CutPrefix(f.Key, "sampling.")
		if sampling && !table {
			b.WriteString("\n# What is set here stands in front of every role's own sampling.\n[sampling]\n")
			table = true
		}
		if !sampling {
			b.WriteString("\n")
		}
		b.WriteString("# " + f.About + f.allowed() + "\n")
		if value := f.literal(&s); value != nil {
			b.WriteString(key + " = " + tomlfile.Literal(value) + "\n")
		} else {
			b.WriteString("#" + key + " =\n")
		}
	}
	return b.String()
}

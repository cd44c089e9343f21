package settings

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"hotcell/ui/settings/tomlfile"
)

// Field describes one setting.
type Field struct {
	Key     string   // in the file and for /set, such as "theme" or "sampling.top_p"
	About   string   // one line
	Choices []string // the words it may be, if it is one of some words; true and false for a switch
	Least   float64  // the range of a number; both 0: it is not one
	Most    float64

	value func(*Settings) any // where it is: a pointer to string, bool, int, or to a pointer that may be nil
}

var switched = []string{"false", "true"}

// maxChars is the longest text of a setting.
const maxChars = 4096

// Fields are all settings, in the order of the file and of the settings screen.
var Fields = []Field{
	{Key: "theme", About: "colours for a dark or a light background", Choices: []string{"auto", "dark", "light"}, value: func(s *Settings) any { return &s.Theme }},
	{Key: "ascii", About: "draw with ASCII characters only, for fonts without box characters", Choices: switched, value: func(s *Settings) any { return &s.ASCII }},
	{Key: "mouse", About: "mouse also in the chat; on a phone a tap then no longer opens the keyboard", Choices: switched, value: func(s *Settings) any { return &s.Mouse }},
	{Key: "panels", About: "how much of the dashboard is shown beside the chat", Choices: []string{"auto", "full", "strip", "hidden"}, value: func(s *Settings) any { return &s.Panels }},
	{Key: "fold_thoughts", About: "show reasoning as one line once the answer has begun", Choices: switched, value: func(s *Settings) any { return &s.FoldThoughts }},
	{Key: "keep_awake", About: "keep the device awake while an answer is written", Choices: switched, value: func(s *Settings) any { return &s.KeepAwake }},
	{Key: "model", About: "model at start: a name in the library or a file; empty: the built-in one", value: func(s *Settings) any { return &s.Model }},
	{Key: "role", About: "role at start; empty: the one that suits the model", value: func(s *Settings) any { return &s.Role }},
	{Key: "context", About: "tokens that a conversation may have; 0: what the model was trained for, at most 8192", Most: 1 << 30, value: func(s *Settings) any { return &s.Context }},
	{Key: "threads", About: "worker threads; 0: one for each fast core", Most: 256, value: func(s *Settings) any { return &s.Threads }},
	{Key: "mode", About: "how feed-forward layers are computed; predicted is faster and slightly lossy", Choices: []string{"auto", "dense", "predicted"}, value: func(s *Settings) any { return &s.Mode }},
	{Key: "budget", About: "most memory to hold, in MiB; 0: what the device has to spare", Most: 1 << 24, value: func(s *Settings) any { return &s.Budget }},
	{Key: "sampling.temperature", About: "0: always the likeliest token", Most: 5, value: func(s *Settings) any { return &s.Sampling.Temperature }},
	{Key: "sampling.top_k", About: "choose among the k likeliest tokens; 0: all", Most: 1 << 20, value: func(s *Settings) any { return &s.Sampling.TopK }},
	{Key: "sampling.top_p", About: "choose among the likeliest tokens that together reach this probability", Most: 1, value: func(s *Settings) any { return &s.Sampling.TopP }},
	{Key: "sampling.min_p", About: "choose among tokens at least this fraction as likely as the likeliest", Most: 1, value: func(s *Settings) any { return &s.Sampling.MinP }},
	{Key: "sampling.repeat_penalty", About: "divides the logits of recent tokens; 1: off", Most: 2, value: func(s *Settings) any { return &s.Sampling.RepeatPenalty }},
	{Key: "sampling.presence_penalty", About: "subtracted from the logits of recent tokens", Least: -2, Most: 2, value: func(s *Settings) any { return &s.Sampling.PresencePenalty }},
	{Key: "sampling.frequency_penalty", About: "the same, per occurrence", Least: -2, Most: 2, value: func(s *Settings) any { return &s.Sampling.FrequencyPenalty }},
	{Key: "sampling.seed", About: "of the random choices; -1: a new one for each answer", Least: -1, Most: math.MaxInt32, value: func(s *Settings) any { return &s.Sampling.Seed }},
	{Key: "sampling.max_tokens", About: "most tokens of one answer; 0: until it ends", Most: 1 << 20, value: func(s *Settings) any { return &s.Sampling.MaxTokens }},
}

// Find returns the field with the key, if there is one. The sampling fields are also found by their last part.
func Find(key string) (Field, bool) {
	for _, f := range Fields {
		if f.Key == key || strings.TrimPrefix(f.Key, "sampling.") == key {
			return f, true
		}
	}
	return Field{}, false
}

// Optional tells whether the setting may be unset.
func (f Field) Optional() bool { return strings.HasPrefix(f.Key, "sampling.") }

// Text is the setting as one types it; "" if it is unset.
func (f Field) Text(s Settings) string {
	switch v := f.literal(&s).(type) {
	case nil:
		return ""
	case string:
		return v
	case float32:
		return strconv.FormatFloat(float64(v), 'f', -1, 32)
	default:
		return fmt.Sprint(v)
	}
}

// Set gives the setting the value that text says. "" unsets a setting that may be unset. The error is for the
// user, and s is then unchanged.
func (f Field) Set(s *Settings, text string) error {
	text = strings.TrimSpace(text)
	ok := true
	switch p := f.value(s).(type) {
	case *string:
		if ok = line(text) && (f.Choices == nil || slices.Contains(f.Choices, text)); ok {
			*p = text
		}
	case *bool:
		on := slices.Contains([]string{"true", "on", "yes"}, text)
		if ok = on || slices.Contains([]string{"false", "off", "no"}, text); ok {
			*p = on
		}
	case *int:
		var n float64
		if n, ok = f.parse(text, 0); ok {
			*p = int(n)
		}
	case **float32:
		ok = setOptional(f, p, text, 32)
	case **int:
		ok = setOptional(f, p, text, 0)
	case **int64:
		ok = setOptional(f, p, text, 0)
	}
	if !ok {
		return fmt.Errorf("%s cannot be %q%s", f.Key, text, f.allowed())
	}
	return nil
}

func setOptional[T int | int64 | float32](f Field, p **T, text string, bits int) bool {
	if text == "" {
		*p = nil
		return true
	}
	n, ok := f.parse(text, bits)
	if ok {
		v := T(n)
		*p = &v
	}
	return ok
}

// parse reads a number in the field's range: of so many bits, or a whole one for 0. The ranges of whole numbers
// are small enough for a float64.
func (f Field) parse(text string, bits int) (float64, bool) {
	var n float64
	var err error
	if bits > 0 {
		n, err = strconv.ParseFloat(text, bits)
	} else {
		var whole int64
		whole, err = strconv.ParseInt(text, 10, 64)
		n = float64(whole)
	}
	return n, err == nil && n >= f.Least && n <= f.Most
}

// line tells whether text can be the value of a setting: one line of text.
func line(text string) bool {
	return utf8.ValidString(text) && utf8.RuneCountInString(text) <= maxChars && !strings.ContainsFunc(text, unicode.IsControl)
}

// allowed says what the setting may be, for the end of a sentence.
func (f Field) allowed() string {
	switch {
	case f.Choices != nil:
		return " (" + strings.Join(f.Choices, ", ") + ")"
	case f.Least < f.Most:
		return fmt.Sprintf(" (%s to %s)", number(f.Least), number(f.Most))
	}
	return ""
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// read takes the setting from a file.
func (f Field) read(doc *tomlfile.Doc, s *Settings) {
	switch p := f.value(s).(type) {
	case *string:
		if f.Choices != nil {
			doc.Choice(f.Key, p, f.Choices...)
		} else {
			doc.String(f.Key, p, maxChars, false)
		}
	case *bool:
		doc.Bool(f.Key, p)
	case *int:
		doc.Int(f.Key, p, int(f.Least), int(f.Most))
	case **float32:
		optional(p, func(v *float32) bool { return doc.Float(f.Key, v, f.Least, f.Most) })
	case **int:
		optional(p, func(v *int) bool { return doc.Int(f.Key, v, int(f.Least), int(f.Most)) })
	case **int64:
		optional(p, func(v *int64) bool { return doc.Int64(f.Key, v, int64(f.Least), int64(f.Most)) })
	}
}

// optional reads a value that stays nil if the file has none or a wrong one.
func optional[T any](p **T, read func(*T) bool) {
	if v := new(T); read(v) {
		*p = v
	}
}

// literal is the setting's value for a file; nil if it is unset.
func (f Field) literal(s *Settings) any {
	switch p := f.value(s).(type) {
	case *string:
		return *p
	case *bool:
		return *p
	case *int:
		return *p
	case **float32:
		return deref(*p)
	case **int:
		return deref(*p)
	case **int64:
		return deref(*p)
	}
	return nil
}

func deref[T any](p *T) any {
	if p == nil {
		return nil
	}
	return *p
}

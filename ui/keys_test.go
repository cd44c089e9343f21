package ui

import (
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/charmbracelet/bubbles/key"
)

func TestEveryKeyCanBeTypedOnAPhone(t *testing.T) {
	refused := regexp.MustCompile(`^f[0-9]+$|alt\+|shift\+|ctrl\+(up|down|left|right|home|end|enter|[imdz])$`)
	seen := map[string]bool{}
	for _, b := range keyTable {
		for _, k := range b.keys {
			if refused.MatchString(k) {
				t.Errorf("%q cannot be typed with Termux's extra keys or means something else", k)
			}
			if seen[k] {
				t.Errorf("%q is bound twice", k)
			}
			seen[k] = true
		}
	}
}

func TestTheTextFieldBindsNothingOutsideTheKeyTable(t *testing.T) {
	fields := reflect.ValueOf(textKeys())
	for i := range fields.NumField() {
		name := fields.Type().Field(i).Name
		for _, k := range fields.Field(i).Interface().(key.Binding).Keys() {
			if actionOf(k) == noAction {
				t.Errorf("%s: %q is not in the key table", name, k)
			}
			if name == "Paste" {
				t.Errorf("paste is bound to %q; it would start clipboard programs", k)
			}
		}
	}
}

func TestHelpNamesEveryKeyAndCommand(t *testing.T) {
	th := newTheme(true, false)
	for _, w := range []int{120, 80, 46, 20} {
		text := strings.Join(helpPage(th).lines(w), "\n")
		for _, b := range keyTable {
			if b.long != "" && !strings.Contains(text, keyLabel(th, b)) {
				t.Errorf("width %d: help does not name %s", w, keyLabel(th, b))
			}
		}
		for _, c := range commands() {
			if !strings.Contains(text, "/"+c.name) {
				t.Errorf("width %d: help does not name /%s", w, c.name)
			}
		}
	}
}

func TestASCIIDrawsNothingElse(t *testing.T) {
	th := newTheme(true, true)
	text := strings.Join(helpPage(th).lines(60), "\n") + drawHint(th, hintsIdle, 200) + th.bar(9, 3, 9)
	for _, r := range text {
		if r > '~' {
			t.Errorf("%q is not ASCII", r)
		}
	}
}

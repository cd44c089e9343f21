package keys

import (
	"regexp"
	"strings"
	"testing"

	"hotcell/ui/look"
)

func TestEveryKeyCanBeTypedOnAPhone(t *testing.T) {
	refused := regexp.MustCompile(`^f[0-9]+$|alt\+|shift\+|ctrl\+(up|down|left|right|home|end|enter|[imdz])$`)
	for _, b := range Table {
		for _, k := range b.Keys {
			if refused.MatchString(k) {
				t.Errorf("%q cannot be typed with Termux's extra keys or means something else", k)
			}
		}
	}
}

func TestAKeyMeansOneThingInAPlace(t *testing.T) {
	for place := Place(1); place <= Elsewhere; place <<= 1 {
		seen := map[string]Action{}
		for _, b := range Table {
			if b.Place&place == 0 {
				continue
			}
			for _, k := range b.Keys {
				if a, ok := seen[k]; ok {
					t.Errorf("place %b: %q means %d and %d", place, k, a, b.Action)
				}
				seen[k] = b.Action
			}
		}
	}
}

func TestHelpNamesEveryKey(t *testing.T) {
	th := look.New(true, false)
	for _, w := range []int{120, 80, 46, 20} {
		text := strings.Join(HelpLines(th, w), "\n")
		for _, b := range Table {
			if b.Long == "" {
				continue
			}
			if home(b) == 0 {
				t.Errorf("%s (%s) has no place on the help page", b.Label, b.Long)
			}
			if !strings.Contains(text, Text(th, b.Label)) {
				t.Errorf("width %d: help does not name %s", w, Text(th, b.Label))
			}
		}
	}
}

func TestASCIIDrawsNothingElse(t *testing.T) {
	th := look.New(true, true)
	text := strings.Join(HelpLines(th, 60), "\n")
	for _, b := range Table {
		text += Hint(th, b.Place, b.Action)
	}
	for _, r := range text {
		if r > '~' {
			t.Errorf("%q is not ASCII", r)
		}
	}
}

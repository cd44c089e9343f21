package ui

import (
	"math/rand"
	"slices"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"hotcell/infer"
	"hotcell/ui/look"
	"hotcell/ui/roles"
)

const someProse = "Three usual causes, most likely first:\n\n1. No timeout. http.Client{} waits for ever; set Timeout.\n" +
	"- 漢字も広い文字です。 and a family 👩‍👩‍👧 here\n\n\tif err != nil {\n\t\treturn err\n\t}\n\x1b[31mred\n" +
	"averyveryveryverylongwordthatfitsnowhere end\n"

func TestTextThatStreamsIsWrappedAsIfItHadComeAtOnce(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	for range 300 {
		width := 1 + r.Intn(60)
		var whole, streamed wrapped
		want := slices.Clone(whole.get(someProse, width))
		text := ""
		for rest := []rune(someProse); len(rest) > 0; {
			n := 1 + r.Intn(min(12, len(rest)))
			text, rest = text+string(rest[:n]), rest[n:]
			streamed.get(text, width)
		}
		if got := streamed.get(text, width); !slices.Equal(got, want) {
			t.Fatalf("width %d: streamed\n%q\nat once\n%q", width, got, want)
		}
	}
}

func TestWrappedLinesFitAndKeepEveryWord(t *testing.T) {
	for width := 2; width <= 80; width++ {
		var w wrapped
		lines := w.get(someProse, width)
		for _, line := range lines {
			if ansi.StringWidth(line) > width {
				t.Errorf("width %d: %q has %d cells", width, line, ansi.StringWidth(line))
			}
		}
		squeeze := func(s string) string { return strings.Join(strings.Fields(s), "") }
		if got, want := squeeze(strings.Join(lines, "")), squeeze(look.Sanitize(someProse)); got != want {
			t.Fatalf("width %d: text was lost:\n%s\n%s", width, got, want)
		}
	}
}

func TestANewWidthWrapsAnew(t *testing.T) {
	var w, fresh wrapped
	w.get(someProse, 30)
	if got, want := w.get(someProse, 17), fresh.get(someProse, 17); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestListItemsHang(t *testing.T) {
	got := look.WrapLine("  12. one two three four", 14)
	if want := []string{"  12. one two", "      three", "      four"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestConversation(t *testing.T) {
	user := func(s string) *message { return &message{kind: fromUser, text: s} }
	model := func(s string) *message { return &message{kind: fromModel, text: s} }
	app := func(s string) *message { return &message{kind: fromApp, text: s} }
	role := roles.Role{System: "be brief"}
	for _, c := range []struct {
		name     string
		role     roles.Role
		messages []*message
		want     []infer.Message
	}{
		{"begins with the role's system prompt", role, []*message{user("a")},
			[]infer.Message{{Role: "system", Content: "be brief"}, {Role: "user", Content: "a"}}},
		{"has no system message without a prompt", roles.Role{}, []*message{user("a")},
			[]infer.Message{{Role: "user", Content: "a"}}},
		{"leaves out what the app said", roles.Role{}, []*message{user("a"), model("b"), app("no such command"), user("c")},
			[]infer.Message{{Role: "user", Content: "a"}, {Role: "assistant", Content: "b"}, {Role: "user", Content: "c"}}},
		{"keeps an answer as it was generated", roles.Role{}, []*message{user("a"), model(" b\n\x1b")},
			[]infer.Message{{Role: "user", Content: "a"}, {Role: "assistant", Content: " b\n\x1b"}}},
		{"joins what an empty answer leaves side by side", roles.Role{}, []*message{user("a"), model(" \n"), user("b")},
			[]infer.Message{{Role: "user", Content: "a\n\nb"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := conversation(c.role, c.messages); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

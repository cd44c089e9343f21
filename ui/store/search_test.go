package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// marked is a snippet with its matches in brackets.
func marked(spans []Span) string {
	var b strings.Builder
	for _, s := range spans {
		if s.Match {
			b.WriteString("[" + s.Text + "]")
		} else {
			b.WriteString(s.Text)
		}
	}
	return b.String()
}

// library is a store whose chats say the given texts, one each.
func library(t testing.TB, all ...string) *Store {
	s := newTestStore(t)
	for i, text := range all {
		c := must[Chat](t)(s.NewChat(t.Context(), "", ""))
		must[Message](t)(s.Ask(t.Context(), c.ID, 0, text))
		ok(t, s.Rename(t.Context(), c.ID, fmt.Sprintf("chat %d", i)))
	}
	return s
}

func TestSearchFindsEveryWordAnywhere(t *testing.T) {
	long := strings.Repeat("before ", 50) + "the needle lies here " + strings.Repeat("after ", 50)
	s := library(t,
		"Why does my Go HTTP client leak goroutines?",
		"Leaks in C++ and \"quoted text\" 100% \\ back_slash",
		"漢字とかな 上海的天气怎么样",
		"STRASSE Ünïcode ΣΊΣΥΦΟΣ",
		long,
		"first line\nsecond line\x1b[2J",
		"a\x00b 👩‍💻 ok",
	)
	for _, test := range []struct{ query, want string }{ // want: the snippets, the newest first
		{"leak", `[Leak]s in C++ and "quoted text" 100% \ back_slash | …does my Go HTTP client [leak] goroutines?`},
		{"LEAK go", "Why does my [Go] HTTP client [leak] [go]routines?"},
		{"routine", "…Go HTTP client leak go[routine]s?"},
		{"c++", `Leaks in [C++] and "quoted text" 100% \ back_slash`},
		{"100%", `…C++ and "quoted text" [100%] \ back_slash`},
		{`\`, `…and "quoted text" 100% [\] back_slash`},
		{"k_s", `…text" 100% \ bac[k_s]lash`},
		{`"quoted text"`, `Leaks in C++ and "[quoted text]" 100% \ back_slash`},
		{`"text quoted"`, ""},
		{"text quoted", `Leaks in C++ and "[quoted] [text]" 100% \ back_slash`},
		{"上海", "漢字とかな [上海]的天气怎么样"},
		{"天气怎么样", "漢字とかな 上海的[天气怎么样]"},
		{"字", "漢[字]とかな 上海的天气怎么样"},
		{"straße", ""},
		{"ünïcode σίσυφος", "STRASSE [Ünïcode] [ΣΊΣΥΦΟΣ]"},
		{"needle", "…before before the [needle] lies here after after after after after after after after after after after after after a…"},
		{`"line second"`, "first [line second] line [2J"},
		{"line first", "[first] [line] second [line] [2J"},
		{"nothing", ""},
		{"chat 3", "[chat] [3]"},
		{"👩", "a\uFFFDb [👩]\u200d💻 ok"},
		{"", ""},
		{"   ", ""},
		{`"`, ""},
		{`"""`, ""},
	} {
		hits, err := s.Search(t.Context(), test.query, 10)
		var got []string
		for _, h := range hits {
			got = append(got, marked(h.Snippet))
		}
		if all := strings.Join(got, " | "); err != nil || all != test.want {
			t.Errorf("%q: %v\ngot  %q\nwant %q", test.query, err, all, test.want)
		}
	}
}

func TestAHitLeadsToItsMessage(t *testing.T) {
	s := newTestStore(t)
	ctx := t.Context()
	c := must[Chat](t)(s.NewChat(ctx, "", ""))
	q, _ := say(t, s, c.ID, 0, "the question", "an apple")
	must[Message](t)(s.Answer(ctx, c.ID, q, "", ""))
	hits := must[[]Hit](t)(s.Search(ctx, "apple", 10))
	if len(hits) != 1 || hits[0].Speaker != Assistant || hits[0].Chat != c.ID || hits[0].Title != "the question" {
		t.Fatalf("found are %+v", hits)
	}
	if p := must[[]Message](t)(s.Choose(ctx, hits[0].Message)); texts(p) != "the question | an apple" {
		t.Errorf("the path is %s", texts(p))
	}
	if hits := must[[]Hit](t)(s.Search(ctx, "question", 1)); len(hits) != 1 || hits[0].Message != 0 {
		t.Errorf("the title is not first: %+v", hits)
	}
}

// The index may only make the search faster: every search finds what looking at every message finds.
func TestTheIndexHidesNothing(t *testing.T) {
	letters := []rune("aAbBß ÄäσςΣ漢字\"'%_\\*^-+(){}:.,KK\u212a\u0130ı")
	var all []string
	for i := range 300 {
		var b strings.Builder
		for k := range 12 {
			b.WriteRune(letters[(i*i*7+k*k*13+i*k)%len(letters)])
		}
		all = append(all, b.String())
	}
	s := newTestStore(t)
	c := must[Chat](t)(s.NewChat(t.Context(), "", ""))
	ok(t, s.change(t.Context(), "fill", func(db *conn) error {
		for _, text := range all {
			if _, err := db.run(`INSERT INTO messages (chat, speaker, text, state, created) VALUES (?, 'user', ?, 'complete', 1)`, c.ID, text); err != nil {
				return err
			}
			if err := index(db, db.LastInsertRowID(), text); err != nil {
				return err
			}
		}
		return nil
	}))
	for i := range 200 {
		runes := []rune(all[(i*31)%len(all)])
		from := i % 8
		query := `"` + strings.ReplaceAll(string(runes[from:from+2+i%4]), `"`, ``) + `"`
		var want []int64
		if words := terms(query); len(words) > 0 {
			for id, text := range all {
				if containsAll(fold(text), words) {
					want = append(want, int64(id+1))
				}
			}
		}
		var got []int64
		for _, h := range must[[]Hit](t)(s.Search(t.Context(), query, 1000)) {
			got = append(got, h.Message)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%q finds %v, want %v", query, got, want)
		}
	}
}

func FuzzSearch(f *testing.F) {
	for _, seed := range []string{
		"leak", `"`, `""`, `"a b" c`, "a OR b", "NOT x", "text:leak", "leak*", "^leak", "NEAR(a b)", "a AND", "(", "{x}", "-x", "'; DROP TABLE messages; --",
		"%", "_", "\\", "\x00", "\xff\xfe", "漢字", "👩‍💻", strings.Repeat("a", 1000), strings.Repeat("ab ", 200), "\u0130", "ſ", " \u2028 ",
	} {
		f.Add(seed, "some leak in the text, \"quoted\" "+seed)
	}
	s := newTestStore(f)
	c := must[Chat](f)(s.NewChat(f.Context(), "", ""))
	f.Fuzz(func(t *testing.T, query, text string) {
		if len(text) > 2000 {
			return
		}
		m := must[Message](t)(s.Ask(t.Context(), c.ID, 0, text))
		hits := must[[]Hit](t)(s.Search(t.Context(), query, 1000))
		words := terms(query)
		found := false
		for _, h := range hits {
			found = found || h.Message == m.ID
			var b strings.Builder
			for i, span := range h.Snippet {
				if span.Text == "" || i > 0 && span.Match == h.Snippet[i-1].Match {
					t.Fatalf("the snippet is cut into %+v", h.Snippet)
				}
				b.WriteString(span.Text)
			}
			if line := b.String(); !utf8.ValidString(line) || strings.ContainsAny(line, "\n\x1b") || utf8.RuneCountInString(line) > snippetRunes+2 {
				t.Fatalf("the snippet is %q", line)
			}
		}
		if want := len(words) > 0 && containsAll(fold(clean(text)), words); found != want && len(hits) < 1000 {
			t.Fatalf("%q in %q: found %v, want %v (words %q)", query, text, found, want, words)
		}
		ok(t, s.db.Exec(`DELETE FROM search; DELETE FROM messages`))
	})
}

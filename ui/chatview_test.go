package ui

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"hotcell/ui/look"
)

// newChat is a view of w by h with n messages of three numbered lines each.
func newChat(w, h, n int) *chatView {
	c := &chatView{theme: look.New(true, false)}
	c.sheet = sheetOf(c.theme)
	c.setSize(Rects{Chat: Rect{W: w, H: h}})
	for i := range n {
		c.add(&message{kind: fromApp, text: fmt.Sprintf("m%d line one\nm%d line two\nm%d line three", i, i, i)})
	}
	return c
}

func firstAndLast(c *chatView) (string, string) {
	rows := c.draw()
	return strings.TrimSpace(plain(rows[0])), strings.TrimSpace(plain(rows[len(rows)-1]))
}

func TestTheViewFollowsTheNewestMessage(t *testing.T) {
	c := newChat(40, 4, 5)
	if first, last := firstAndLast(c); first != "m3 line three" || last != "m4 line three" {
		t.Errorf("shows %q to %q", first, last)
	}
	c.messages[4].text += "\nm4 line four"
	if _, last := firstAndLast(c); last != "m4 line four" {
		t.Errorf("after more text the last row is %q", last)
	}
}

func TestAScrolledViewStaysWhileTextComes(t *testing.T) {
	c := newChat(40, 4, 5)
	c.scrollBy(-5)
	first, last := firstAndLast(c)
	if first != "m2 line one" || last != "m3 line one" {
		t.Fatalf("shows %q to %q", first, last)
	}
	c.messages[4].text += "\nmore\nand more"
	if f, l := firstAndLast(c); f != first || l != last {
		t.Errorf("moved to %q to %q", f, l)
	}
	c.scrollBy(100)
	if _, l := firstAndLast(c); l != "and more" || c.scrolled {
		t.Errorf("scrolled to the end shows %q, scrolled %v", l, c.scrolled)
	}
}

func TestScrollingEndsAtTheFirstRow(t *testing.T) {
	c := newChat(40, 4, 5)
	c.scrollBy(-1000)
	if first, last := firstAndLast(c); first != "m0 line one" || last != "m1 line one" {
		t.Errorf("shows %q to %q", first, last)
	}
	c.scrollBy(1)
	if first, _ := firstAndLast(c); first != "m0 line two" {
		t.Errorf("one row down shows %q first", first)
	}
}

func TestAChatThatFitsDoesNotScroll(t *testing.T) {
	c := newChat(40, 20, 2)
	c.scrollBy(-3)
	if first, _ := firstAndLast(c); first != "m0 line one" || c.scrolled {
		t.Errorf("shows %q first, scrolled %v", first, c.scrolled)
	}
}

func TestResizeKeepsTheMessageThatWasAtTheBottom(t *testing.T) {
	c := newChat(60, 6, 30)
	c.scrollBy(-40)
	at := c.bottom.message
	for _, w := range []int{7, 120, 3, 60} {
		c.setSize(Rects{Chat: Rect{W: w, H: 6}})
		if !c.scrolled || c.bottom.message != at {
			t.Errorf("width %d: bottom message %d, want %d (scrolled %v)", w, c.bottom.message, at, c.scrolled)
		}
	}
}

func TestEveryViewHasExactlyItsRows(t *testing.T) {
	for n := range 4 {
		for h := range 12 {
			for w := range 30 {
				c := newChat(w, h, n)
				for _, by := range []int{0, -3, 2, -100, 1, 100} {
					c.scrollBy(by)
					if rows := c.draw(); len(rows) != h {
						t.Fatalf("%dx%d with %d messages: %d rows", w, h, n, len(rows))
					}
				}
			}
		}
	}
}

func TestOnlyVisibleMessagesAreWrapped(t *testing.T) {
	c := newChat(40, 6, 1000)
	c.draw()
	wrappedOnes := 0
	for _, m := range c.messages {
		if m.plain.width > 0 {
			wrappedOnes++
		}
	}
	if wrappedOnes > 5 {
		t.Errorf("%d messages were wrapped to show 6 rows", wrappedOnes)
	}
}

func TestAnswersCarryTheirSpeed(t *testing.T) {
	m := &message{kind: fromModel, name: "Coder", model: "Qwen", text: "x", ended: true,
		speed: speed{rate: look.Known(6.8, true), tokens: 212, ttft: 1600 * time.Millisecond, ttftSet: true}}
	for w, want := range map[int]string{
		120: "Coder  Qwen" + strings.Repeat(" ", 70) + "6.8 tok/s · 212 tok · TTFT 1.6 s",
		80:  "Coder  6.8 tok/s · 212 tok · TTFT 1.6 s",
		30:  "Coder  6.8 tok/s · 212 tok",
		12:  "Coder  ",
	} {
		c := &chatView{theme: look.New(true, false)}
		c.sheet = sheetOf(c.theme)
		c.add(m)
		c.setSize(Rects{Chat: Rect{W: w, H: 3}, Wide: w >= 110})
		if got := plain(c.draw()[0]); strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(want), " ") {
			t.Errorf("width %d: %q, want %q", w, got, want)
		}
	}
}

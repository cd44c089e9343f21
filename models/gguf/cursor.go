package gguf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// windowBytes is what one read of the header fetches. It bounds the pieces in
// which arrays and strings grow, so a lying count costs at most one window.
const windowBytes = 64 << 10

// A cursor walks through the header. It remembers the first error and after it
// returns only zeros, so the parser reads like the format and checks err where
// a loop or a decision depends on a value.
type cursor struct {
	src    io.ReaderAt
	size   int64  // of the file
	end    int64  // no field reaches past this: size or maxHeader
	base   int64  // file offset of window[0]
	window []byte // bytes read; cap is windowBytes
	r      int    // next unread byte of the window
	place  place
	start  int64 // file offset where place begins
	err    error
}

func newCursor(src io.ReaderAt, size int64) *cursor {
	return &cursor{
		src: src, size: size, end: min(size, maxHeader),
		window: make([]byte, 0, min(windowBytes, size)),
	}
}

// A place names the field being read, for errors; it is formatted only if one
// occurs. It reads `key 3`, `value of "x"` or `element 7 of "x"`.
type place struct {
	what  string
	index int    // -1 for none
	of    string // "" for none
}

func (p place) String() string {
	s := p.what
	if p.index >= 0 {
		s += " " + strconv.Itoa(p.index)
	}
	if p.of != "" {
		s += " of " + quote(p.of)
	}
	return s
}

// quote makes text from a file safe and short enough to print.
func quote(s string) string {
	const most = 100
	if len(s) > most {
		return strconv.Quote(s[:most]) + "..."
	}
	return strconv.Quote(s)
}

// at says which field begins here.
func (c *cursor) at(what string, index int, of string) {
	c.place = place{what, index, of}
	c.start = c.pos()
}

// pos returns the file offset of the next byte.
func (c *cursor) pos() int64 { return c.base + int64(c.r) }

// left returns how many bytes the header may still take.
func (c *cursor) left() uint64 { return uint64(c.end - c.pos()) }

// fail records an error at the current place, unless there is one already.
func (c *cursor) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf("%v at offset %d: %w", c.place, c.start, fmt.Errorf(format, args...))
	}
}

// next returns the next n <= windowBytes bytes, valid until the following
// call, or nil after an error.
func (c *cursor) next(n int) []byte {
	if len(c.window)-c.r < n {
		c.fill(n)
	}
	if c.err != nil {
		return nil
	}
	b := c.window[c.r : c.r+n]
	c.r += n
	return b
}

// fill moves the window so that at least n bytes are unread.
func (c *cursor) fill(n int) {
	if c.err != nil {
		return
	}
	if uint64(n) > c.left() {
		c.failShort()
		return
	}
	kept := copy(c.window[:cap(c.window)], c.window[c.r:])
	c.base += int64(c.r)
	c.r = 0
	want := int(min(int64(cap(c.window)), c.end-c.base))
	got, err := c.src.ReadAt(c.window[kept:want], c.base+int64(kept))
	c.window = c.window[:kept+got]
	if len(c.window) < n {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		c.fail("reading the file: %w", err)
	}
}

func (c *cursor) failShort() {
	if c.end < c.size {
		c.fail("the header is larger than %d MiB", maxHeader>>20)
		return
	}
	c.fail("the file ends after %d bytes; it is incomplete", c.size)
}

// fits checks that n things of at least size bytes can follow. The form names
// them, such as "a string of %d bytes".
func (c *cursor) fits(form string, n uint64, size int) bool {
	if c.err == nil && n > c.left()/uint64(size) {
		if c.end < c.size {
			c.failShort()
		} else {
			c.fail(form+" cannot follow, only %d bytes are left", n, c.left())
		}
	}
	return c.err == nil
}

func (c *cursor) u8() uint8 {
	if b := c.next(1); b != nil {
		return b[0]
	}
	return 0
}

func (c *cursor) u16() uint16 {
	if b := c.next(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (c *cursor) u32() uint32 {
	if b := c.next(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (c *cursor) u64() uint64 {
	if b := c.next(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// string reads a length and that many bytes.
func (c *cursor) string(most uint64) string {
	n := c.u64()
	if c.err == nil && n > most {
		c.fail("length %d is more than the %d allowed", n, most)
	}
	if n <= windowBytes && c.fits(stringForm, n, 1) {
		return string(c.next(int(n)))
	}
	var b strings.Builder
	c.text(&b, n)
	return b.String()
}

const stringForm = "a string of %d bytes"

// text appends the next n bytes to b, window by window.
func (c *cursor) text(b *strings.Builder, n uint64) {
	c.fits(stringForm, n, 1)
	for n > 0 && c.err == nil {
		piece := c.next(int(min(n, windowBytes)))
		b.Write(piece)
		n -= uint64(len(piece))
	}
}

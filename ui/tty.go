package ui

import (
	"errors"
	"os"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// joinWait is how long an unfinished key may wait for its rest. A lone Esc arrives this much later.
const joinWait = 120 * time.Millisecond

// ttyIn is the keyboard. Bubble Tea v1 takes the end of every read for the end of a key, so when the
// bytes of one key arrive apart, as they do over adb, an arrow becomes Esc, '[', 'A' and a character of
// several bytes vanishes. Read therefore waits a moment for the rest of what is unfinished.
//
// It embeds the file, so that Bubble Tea still finds a terminal to put into raw mode.
type ttyIn struct {
	*os.File
	wait time.Duration // how long, [joinWait] in the program
	held []byte        // the unfinished end of a read that filled its buffer
}

// Read returns bytes that end at the end of a key, as far as this can be known.
func (t *ttyIn) Read(p []byte) (int, error) {
	n := copy(p, t.held)
	t.held = t.held[n:]
	for {
		tail := 0
		if n > 0 {
			if tail = unfinished(p[:n]); tail == 0 || !readable(int(t.Fd()), t.wait) {
				return n, nil
			}
			if n == len(p) {
				if tail == n {
					return n, nil // no key is as long as the buffer
				}
				t.held = append(slices.Clone(p[n-tail:n]), t.held...)
				return n - tail, nil
			}
		}
		m, err := t.File.Read(p[n:])
		n += m
		if err != nil {
			if n > 0 {
				return n, nil // the error comes again with the next read
			}
			return 0, err
		}
	}
}

// unfinished returns how many bytes at the end of b are the beginning of an escape sequence or of a
// character whose rest has not arrived.
func unfinished(b []byte) int {
	const longest = 32 // bytes of an escape sequence
	for i := len(b) - 1; i >= 0 && i >= len(b)-longest; i-- {
		if b[i] != 0x1b {
			continue
		}
		if !sequenceDone(b[i:]) {
			return len(b) - i
		}
		break
	}
	for i := len(b) - 1; i >= 0 && i >= len(b)-utf8.UTFMax; i-- {
		if utf8.RuneStart(b[i]) {
			if b[i] >= utf8.RuneSelf && !utf8.FullRune(b[i:]) {
				return len(b) - i
			}
			break
		}
	}
	return 0
}

// sequenceDone reports whether s, which begins with Esc, holds a whole escape sequence.
func sequenceDone(s []byte) bool {
	if len(s) < 2 {
		return false
	}
	switch s[1] {
	case '[':
		for _, c := range s[2:] {
			if c >= 0x40 && c <= 0x7e {
				// The X10 mouse report has three more bytes behind its M.
				return c != 'M' || s[2] != 'M' || len(s) >= 6
			}
		}
		return false
	case 'O':
		return len(s) >= 3
	}
	return s[1] < utf8.RuneSelf || utf8.FullRune(s[1:])
}

// readable waits at most d for something to read from the descriptor.
func readable(fd int, d time.Duration) bool {
	end := time.Now().Add(d)
	for {
		left := time.Until(end)
		if left < 0 {
			left = 0
		}
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int((left+time.Millisecond-1)/time.Millisecond))
		if !errors.Is(err, unix.EINTR) {
			return err == nil && n > 0
		}
	}
}

// ttyOut is the screen. The renderer writes each frame with one Write, and so must anyone else who
// writes to the terminal while it runs; the lock keeps the two from tearing each other.
type ttyOut struct {
	*os.File
	mu sync.Mutex
}

// Write writes p whole.
func (t *ttyOut) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.File.Write(p)
}

// WriteString writes s whole; without it io.WriteString would find the file's own and pass the lock by.
func (t *ttyOut) WriteString(s string) (int, error) { return t.Write([]byte(s)) }

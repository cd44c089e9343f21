package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// writer tells other stores of the same file that this one is alive. Byte n of a small file beside the
// database, n from 1, is locked by the store that has the number n; the answers that it writes carry n. When
// a process dies the kernel drops its lock, so an answer in state Writing whose number is not locked is one
// that nobody continues. Byte 0 is locked while a store opens, so that two cannot repair at once.
//
// The locks are those of an open file (OFD), not of a process: two stores in one process exclude each other
// too. A file system without them leaves every store the number 1: still right for one process at a time.
type writer struct {
	file   *os.File
	number int
}

// maxWriters is how many stores may have the same file open.
const maxWriters = 64

func openWriter(path string) (*writer, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	return &writer{file: f, number: 1}, nil
}

func (w *writer) close() error {
	if w == nil {
		return nil
	}
	return w.file.Close() // drops the locks
}

// opening runs f while no other store of the file opens.
func (w *writer) opening(ctx context.Context, f func() error) error {
	for deadline := time.Now().Add(2 * busyTimeout); ; {
		free, err := w.lock(0)
		if err != nil || free {
			break
		}
		if time.Now().After(deadline) {
			return errors.New("another hotcell has been opening the chats for too long")
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	defer func() { _ = w.set(unix.F_UNLCK, 0) }()
	return f()
}

// take finds a free number.
func (w *writer) take() error {
	for n := 1; n <= maxWriters; n++ {
		free, err := w.lock(n)
		if err != nil {
			return nil // no such locks here
		}
		if free {
			w.number = n
			return nil
		}
	}
	return fmt.Errorf("%d others are using the chats", maxWriters)
}

// alive tells whether another store has the number n.
func (w *writer) alive(n int) bool {
	if n < 1 || n > maxWriters || n == w.number {
		return false
	}
	l := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart, Start: int64(n), Len: 1}
	return unix.FcntlFlock(w.file.Fd(), unix.F_OFD_GETLK, &l) == nil && l.Type != unix.F_UNLCK
}

// lock tries to lock byte n and tells whether nobody else has it.
func (w *writer) lock(n int) (bool, error) {
	err := w.set(unix.F_WRLCK, n)
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		return false, nil
	}
	return err == nil, err
}

func (w *writer) set(kind int16, n int) error {
	l := unix.Flock_t{Type: kind, Whence: io.SeekStart, Start: int64(n), Len: 1}
	return unix.FcntlFlock(w.file.Fd(), unix.F_OFD_SETLK, &l)
}

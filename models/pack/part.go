package pack

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"hotcell/models/disk"
)

// A part is a pack that is being written. It has its final size and layout from the
// start; only its header has another magic and no sum of the table yet.
//
// Its checksum table is the journal: a page counts as written if its bytes have the
// sum that stands in the table, where 0 means that there is none. So nothing has
// to reach the disk in any order. Whatever a kill or a power cut loses, page or
// sum, the page is written again. The header says which model, order and layout
// the part is of (by the model's hash and the directory); another one begins anew.
//
// A lock on the file keeps a second writer out while the first one lives.
type part struct {
	file    *os.File
	path    string
	header  *header
	sums    sums
	resumed bool
}

// openPart opens the part file for w's pack, or creates it.
func (w *writer) openPart(path string) (_ *part, err error) {
	p := &part{path: path, header: &w.header, sums: w.sums}
	if err := p.lock(); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	if p.resumed = p.isOf(w); p.resumed {
		_, err = p.file.ReadAt(p.sums, w.header.tableStart)
	} else if err = p.file.Truncate(0); err == nil {
		err = p.file.Truncate(w.header.fileBytes)
	}
	for _, s := range []struct {
		b  []byte
		at int64
	}{{w.header.encode(magicPart), 0}, {w.meta, w.header.metaStart}, {w.dirs, w.header.dirStart}} {
		if err == nil {
			_, err = p.file.WriteAt(s.b, s.at)
		}
	}
	if err != nil {
		return nil, p.failed(err)
	}
	return p, nil
}

// lock opens the file and locks it.
func (p *part) lock() error {
	for {
		file, err := os.OpenFile(p.path, os.O_RDWR|os.O_CREATE, 0o644)
		if err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(p.path), disk.Cause(err))
		}
		if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); errors.Is(err, unix.EWOULDBLOCK) {
			file.Close()
			return fmt.Errorf("%s: another process is writing this file", filepath.Base(p.path))
		} // a file system without locks is written without
		mine, err := file.Stat()
		now, errNow := os.Stat(p.path)
		if err == nil && errNow == nil && os.SameFile(mine, now) {
			if !mine.Mode().IsRegular() {
				file.Close()
				return fmt.Errorf("%s: not a regular file", filepath.Base(p.path))
			}
			p.file = file
			return nil
		}
		file.Close() // another process has just finished and renamed it
		if errNow != nil && !errors.Is(errNow, fs.ErrNotExist) {
			return fmt.Errorf("%s: %w", filepath.Base(p.path), disk.Cause(errNow))
		}
	}
}

// isOf tells whether the file is a part of the pack that w writes.
func (p *part) isOf(w *writer) bool {
	b := make([]byte, PageBytes+len(w.meta)+len(w.dirs))
	info, err := p.file.Stat()
	if err != nil || info.Size() != w.header.fileBytes {
		return false
	}
	if _, err := p.file.ReadAt(b, 0); err != nil {
		return false
	}
	// Magic and sums differ if it was killed just before the end.
	want := w.header.encode(magicPart)
	return (bytes.HasPrefix(b, want[:8]) || bytes.HasPrefix(b, []byte(Magic))) &&
		bytes.Equal(b[8:56], want[8:56]) && bytes.Equal(b[60:PageBytes-4], want[60:PageBytes-4]) &&
		bytes.Equal(b[PageBytes:], append(w.meta[:len(w.meta):len(w.meta)], w.dirs...))
}

// has tells whether an interrupted run has written the data pages from page on. It
// reads them into b, whatever the answer.
func (p *part) has(page int64, b []byte) bool {
	if !p.resumed {
		return false
	}
	n := int64(len(b)) / PageBytes
	for i := range n {
		if le.Uint32(p.sums[4*(page+i):]) == 0 {
			return false
		}
	}
	if _, err := p.file.ReadAt(b, p.header.dataAt+page*PageBytes); err != nil {
		return false
	}
	for i := range n {
		if !p.sums.matches(page+i, b[i*PageBytes:][:PageBytes]) {
			return false
		}
	}
	return true
}

// put writes the data pages from page on, with their sums.
func (p *part) put(page int64, b []byte) error {
	n := int64(len(b)) / PageBytes
	for i := range n {
		p.sums.set(page+i, b[i*PageBytes:][:PageBytes])
	}
	if _, err := p.file.WriteAt(b, p.header.dataAt+page*PageBytes); err != nil {
		return p.failed(err)
	}
	if _, err := p.file.WriteAt(p.sums[4*page:4*(page+n)], p.header.tableStart+4*page); err != nil {
		return p.failed(err)
	}
	return nil
}

// finish gives the complete file its header and its name.
func (p *part) finish(header []byte, out string) error {
	err := p.file.Sync()
	if err == nil {
		_, err = p.file.WriteAt(header, 0)
	}
	if err == nil {
		err = p.file.Sync()
	}
	if err == nil {
		err = os.Rename(p.path, out)
	}
	if err == nil {
		err = syncFolder(filepath.Dir(out))
	}
	if err != nil {
		return p.failed(err)
	}
	return nil
}

// close releases the file and its lock.
func (p *part) close() { p.file.Close() }

// failed says what stopped the writing.
func (p *part) failed(err error) error {
	name := filepath.Base(p.path)
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%s: the disk is full; with more room the same command goes on from here", name)
	}
	return fmt.Errorf("%s: writing: %w", name, disk.Cause(err))
}

// syncFolder makes the names in a folder outlive a power cut, where the file system can.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil && !errors.Is(err, unix.EINVAL) {
		return err
	}
	return nil
}

package pack

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"sync"

	"hotcell/models/disk"
)

// CRC-32C finds every burst of up to 32 flipped bits and is one instruction on
// the processors that Hotcell runs on: checking a page costs about as much as
// copying it.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

var errDamaged = errors.New("the checksum is wrong; the file is damaged")

// sums are the checksums of data pages as the table stores them.
type sums []byte

func (s sums) matches(page int64, b []byte) bool { return le.Uint32(s[4*page:]) == checksum(b) }

func (s sums) set(page int64, b []byte) { le.PutUint32(s[4*page:], checksum(b)) }

// Verify checks whole data pages that were read from the file, beginning at the
// page of that number (counted from the start of the file: offset / PageBytes).
// It may be called from many goroutines and allocates nothing but its error.
func (f *File) Verify(firstPage int64, b []byte) error {
	first := firstPage - f.header.dataAt/PageBytes
	n := int64(len(b)) / PageBytes
	if len(b)%PageBytes != 0 || first < 0 || first > f.header.pages-n {
		return fmt.Errorf("%s: %d bytes at page %d are not whole pages of data", f.name, len(b), firstPage)
	}
	for i := range n {
		if !f.sums.matches(first+i, b[i*PageBytes:][:PageBytes]) {
			return fmt.Errorf("%s: page %d at offset %d: %w", f.name, firstPage+i, (firstPage+i)*PageBytes, errDamaged)
		}
	}
	return nil
}

// verified reads the file and checks every page that it touches.
type verified struct{ f *File }

var pageBuffers = sync.Pool{New: func() any { return new([PageBytes]byte) }}

// ReadAt implements io.ReaderAt for the data. Pages that b has room for are read
// in place, those at its ends through a buffer.
func (v verified) ReadAt(b []byte, off int64) (n int, err error) {
	for len(b) > 0 {
		page, skip := off/PageBytes, off%PageBytes
		var got int
		if whole := len(b) &^ (PageBytes - 1); skip == 0 && whole > 0 {
			got, err = whole, v.f.readPages(b[:whole], page)
		} else {
			buf := pageBuffers.Get().(*[PageBytes]byte)
			if err = v.f.readPages(buf[:], page); err == nil {
				got = copy(b, buf[skip:])
			}
			pageBuffers.Put(buf)
		}
		if err != nil {
			return n, err
		}
		b, off, n = b[got:], off+int64(got), n+got
	}
	return n, nil
}

// readPages fills b, whole pages, from that page of the file on, and checks them.
func (f *File) readPages(b []byte, page int64) error {
	n, err := f.src.ReadAt(b, page*PageBytes)
	if n < len(b) {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("%s: reading %d bytes at offset %d gave %d: %w", f.name, len(b), page*PageBytes, n, disk.Cause(err))
	}
	return f.Verify(page, b)
}

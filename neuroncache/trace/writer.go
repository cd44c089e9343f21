package trace

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"unicode/utf8"
)

// Writer appends tokens to a trace. It allocates nothing per token once its buffer has grown to a token's size. Errors are kept: after the first
// one nothing more is written, and every call returns it.
type Writer struct {
	out    *bufio.Writer
	groups []int
	groupN int    // groups of this token so far
	last   int    // the last of them, -1 before the first
	buf    []byte // this token's groups, after room for the frame's header and the number of groups
	tokens uint64
	err    error
}

// room is kept free before a token's groups for what is known when it ends.
const room = frameHeader + longestUvarint

// NewWriter writes the header of a trace.
func NewWriter(out io.Writer, h Header) (*Writer, error) {
	if err := h.check(); err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	head := h.encode()
	if len(head) > maxHeader {
		return nil, errors.New("trace: the groups do not fit into a header")
	}
	fixed := make([]byte, 0, fixedHeader)
	fixed = append(fixed, magic...)
	fixed = binary.LittleEndian.AppendUint32(fixed, version)
	fixed = binary.LittleEndian.AppendUint32(fixed, uint32(len(head)))
	fixed = binary.LittleEndian.AppendUint32(fixed, crc32.Checksum(head, castagnoli))
	w := &Writer{out: bufio.NewWriterSize(out, 1<<16), groups: h.Groups, last: -1, buf: make([]byte, room, 1<<16)}
	w.write(fixed)
	w.write(head)
	return w, w.err
}

func (w *Writer) write(b []byte) {
	if w.err == nil {
		if _, err := w.out.Write(b); err != nil {
			w.err = fmt.Errorf("trace: writing: %w", err)
		}
	}
}

// Add says which units of a group the current token used, in rising order; none is as good as no call. Groups are added in rising order.
func (w *Writer) Add(group int, units []int32) error {
	if w.err != nil || len(units) == 0 {
		return w.err
	}
	if group <= w.last || group >= len(w.groups) {
		w.err = fmt.Errorf("trace: group %d after group %d of %d", group, w.last, len(w.groups))
		return w.err
	}
	w.buf = binary.AppendUvarint(w.buf, uint64(group-w.last-1))
	w.buf = binary.AppendUvarint(w.buf, uint64(len(units)))
	last := int32(-1)
	for _, u := range units {
		if u <= last || int(u) >= w.groups[group] {
			w.err = fmt.Errorf("trace: group %d: unit %d after unit %d of %d", group, u, last, w.groups[group])
			return w.err
		}
		if gap := u - last - 1; gap < 0x80 {
			w.buf = append(w.buf, byte(gap))
		} else {
			w.buf = binary.AppendUvarint(w.buf, uint64(gap))
		}
		last = u
	}
	w.last = group
	w.groupN++
	return nil
}

// EndToken ends the current token, also one that used nothing.
func (w *Writer) EndToken() error {
	if w.err != nil {
		return w.err
	}
	var count [longestUvarint]byte
	n := binary.PutUvarint(count[:], uint64(w.groupN))
	frame := w.buf[longestUvarint-n:]
	copy(frame[frameHeader:], count[:n])
	payload := frame[frameHeader:]
	binary.LittleEndian.PutUint32(frame, uint32(len(payload)))
	binary.LittleEndian.PutUint32(frame[4:], crc32.Checksum(payload, castagnoli))
	w.write(frame)
	w.buf, w.groupN, w.last = w.buf[:room], 0, -1
	w.tokens++
	return w.err
}

// Tokens is how many have ended.
func (w *Writer) Tokens() int { return int(w.tokens) }

// Close writes the end of the trace, and drops a token that has not ended. The file below stays the caller's to sync and close.
func (w *Writer) Close() error {
	if w.err != nil {
		return w.err
	}
	var end [frameHeader + endBytes]byte
	binary.LittleEndian.PutUint64(end[frameHeader:], w.tokens)
	binary.LittleEndian.PutUint32(end[4:], crc32.Checksum(end[frameHeader:], castagnoli))
	w.write(end[:])
	if w.err == nil {
		if err := w.out.Flush(); err != nil {
			w.err = fmt.Errorf("trace: writing: %w", err)
		}
	}
	if w.err != nil {
		return w.err
	}
	w.err = errors.New("trace: the writer is closed")
	return nil
}

func (h *Header) check() error {
	switch {
	case len(h.Name) > maxName || !utf8.ValidString(h.Name):
		return fmt.Errorf("a name of %d bytes, want at most %d of UTF-8", len(h.Name), maxName)
	case h.UnitBytes < 0 || h.UnitBytes > maxUnitBytes:
		return fmt.Errorf("units of %d bytes", h.UnitBytes)
	case len(h.Groups) < 1 || len(h.Groups) > maxGroups:
		return fmt.Errorf("%d groups, want 1 to %d", len(h.Groups), maxGroups)
	case h.PerLayer < 1 || len(h.Groups)%h.PerLayer != 0:
		return fmt.Errorf("%d groups in layers of %d", len(h.Groups), h.PerLayer)
	}
	total := 0
	for g, units := range h.Groups {
		if units < 1 || units > maxGroupUnits {
			return fmt.Errorf("group %d has %d units, want 1 to %d", g, units, maxGroupUnits)
		}
		if total += units; total > maxUnits {
			return fmt.Errorf("more than %d units", maxUnits)
		}
	}
	return nil
}

// encode is the header after its checksum.
func (h *Header) encode() []byte {
	b := binary.AppendUvarint(nil, uint64(len(h.Name)))
	b = append(b, h.Name...)
	b = binary.AppendUvarint(b, uint64(h.UnitBytes))
	b = binary.AppendUvarint(b, uint64(h.PerLayer))
	var runs []uint64 // groups, units, groups, units, ...
	for _, units := range h.Groups {
		if n := len(runs); n == 0 || runs[n-1] != uint64(units) {
			runs = append(runs, 0, uint64(units))
		}
		runs[len(runs)-2]++
	}
	b = binary.AppendUvarint(b, uint64(len(runs)/2))
	for _, v := range runs {
		b = binary.AppendUvarint(b, v)
	}
	return b
}

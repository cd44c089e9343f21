package trace

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"unicode/utf8"
)

// ErrFormat is wrapped by errors about what a trace holds, as opposed to errors of reading it.
var ErrFormat = errors.New("not a sound trace")

func formatError(format string, args ...any) error {
	return fmt.Errorf("trace: %w: %w", ErrFormat, fmt.Errorf(format, args...))
}

// Reader reads a trace token by token.
type Reader struct {
	Header Header

	in      *bufio.Reader
	head    [frameHeader]byte
	limit   int // the longest payload that the header allows
	payload []byte
	active  []Active
	units   []int32
	tokens  uint64
	err     error
}

// NewReader reads and checks the header.
func NewReader(in io.Reader) (*Reader, error) {
	r := &Reader{in: bufio.NewReaderSize(in, 1<<16)}
	var fixed [fixedHeader]byte
	if _, err := io.ReadFull(r.in, fixed[:]); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, formatError("the header is cut off")
		}
		return nil, fmt.Errorf("trace: reading the header: %w", err)
	}
	if string(fixed[:8]) != magic {
		return nil, formatError("it does not begin with %q", magic)
	}
	if v := binary.LittleEndian.Uint32(fixed[8:]); v != version {
		return nil, formatError("version %d, this program reads %d", v, version)
	}
	n := binary.LittleEndian.Uint32(fixed[12:])
	if n > maxHeader {
		return nil, formatError("a header of %d bytes", n)
	}
	if err := r.fill(int(n), binary.LittleEndian.Uint32(fixed[16:])); err != nil {
		return nil, fmt.Errorf("the header: %w", err)
	}
	if err := r.Header.decode(r.payload); err != nil {
		return nil, err
	}
	groups, units := len(r.Header.Groups), r.Header.Units()
	r.limit = longestUvarint * (1 + 2*groups + units)
	return r, nil
}

// fill reads n bytes into payload and checks their sum. The buffer grows with what has arrived, not with what was announced.
func (r *Reader) fill(n int, sum uint32) error {
	r.payload = r.payload[:0]
	for at := 0; at < n; at = len(r.payload) {
		r.payload = slices.Grow(r.payload, min(n-at, max(at, 1<<16)))
		r.payload = r.payload[:min(n, cap(r.payload))]
		if got, err := io.ReadFull(r.in, r.payload[at:]); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return formatError("cut off after %d of %d bytes", at+got, n)
		} else if err != nil {
			return fmt.Errorf("trace: reading: %w", err)
		}
	}
	if got := crc32.Checksum(r.payload, castagnoli); got != sum {
		return formatError("checksum %08x, want %08x", got, sum)
	}
	return nil
}

// Next returns what the next token used, groups in rising order, none of them empty. It is valid until the next call. After the last
// token it returns io.EOF; any other error ends the trace too.
func (r *Reader) Next() ([]Active, error) {
	if r.err != nil {
		return nil, r.err
	}
	active, err := r.next()
	if err != nil {
		if err != io.EOF {
			err = fmt.Errorf("token %d: %w", r.tokens, err)
		}
		r.err = err
		return nil, err
	}
	r.tokens++
	return active, nil
}

func (r *Reader) next() ([]Active, error) {
	head := r.head[:]
	if _, err := io.ReadFull(r.in, head); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, formatError("cut off: the end of the trace is missing")
		}
		return nil, fmt.Errorf("trace: reading: %w", err)
	}
	n, sum := binary.LittleEndian.Uint32(head), binary.LittleEndian.Uint32(head[4:])
	if n == 0 {
		return nil, r.end(sum)
	}
	if int64(n) > int64(r.limit) {
		return nil, formatError("%d bytes, more than the model's units can take", n)
	}
	if err := r.fill(int(n), sum); err != nil {
		return nil, err
	}
	return r.decode(r.payload)
}

// end checks what stands after the last token.
func (r *Reader) end(sum uint32) error {
	if err := r.fill(endBytes, sum); err != nil {
		return err
	}
	if n := binary.LittleEndian.Uint64(r.payload); n != r.tokens {
		return formatError("%d tokens, the end says %d", r.tokens, n)
	}
	if _, err := r.in.ReadByte(); !errors.Is(err, io.EOF) {
		return formatError("there is something after its end")
	}
	return io.EOF
}

// decode reads a token's payload. Each number takes a byte at least, so what it appends is bounded by the payload.
func (r *Reader) decode(b []byte) ([]Active, error) {
	r.active, r.units = r.active[:0], r.units[:0]
	groups, err := number(&b, len(r.Header.Groups))
	if err != nil {
		return nil, err
	}
	group := -1
	for range groups {
		gap, err := number(&b, len(r.Header.Groups)-group-2)
		if err != nil {
			return nil, err
		}
		group += gap + 1
		size := r.Header.Groups[group]
		n, err := number(&b, size)
		if err != nil || n == 0 {
			return nil, formatError("group %d: a wrong number of units", group)
		}
		unit, from := -1, len(r.units)
		for range n {
			var gap int
			if len(b) > 0 && b[0] < 0x80 && int(b[0]) < size-unit-1 {
				gap, b = int(b[0]), b[1:]
			} else if gap, err = number(&b, size-unit-2); err != nil {
				return nil, fmt.Errorf("group %d: %w", group, err)
			}
			unit += gap + 1
			r.units = append(r.units, int32(unit))
		}
		r.active = append(r.active, Active{group, r.units[from:]})
	}
	if len(b) != 0 {
		return nil, formatError("%d bytes are left over", len(b))
	}
	// The slice of units may have moved while it grew.
	from := 0
	for i := range r.active {
		to := from + len(r.active[i].Units)
		r.active[i].Units = r.units[from:to:to]
		from = to
	}
	return r.active, nil
}

// number takes a uvarint from 0 to most off the front of b.
func number(b *[]byte, most int) (int, error) {
	v, n := binary.Uvarint(*b)
	switch {
	case n <= 0:
		return 0, formatError("a number is cut off")
	case n > 1 && (*b)[n-1] == 0:
		return 0, formatError("a number has needless bytes")
	case most < 0 || v > uint64(most):
		return 0, formatError("a number is out of range: %d, want at most %d", v, most)
	}
	*b = (*b)[n:]
	return int(v), nil
}

func (h *Header) decode(b []byte) error {
	n, err := number(&b, min(maxName, len(b)))
	if err != nil {
		return err
	}
	if n > len(b) || !utf8.Valid(b[:n]) {
		return formatError("its name is broken")
	}
	h.Name, b = string(b[:n]), b[n:]
	if h.UnitBytes, err = number(&b, maxUnitBytes); err != nil {
		return err
	}
	if h.PerLayer, err = number(&b, maxGroups); err != nil {
		return err
	}
	runs, err := number(&b, maxGroups)
	if err != nil {
		return err
	}
	// Groups cost memory that the file does not hold, so the limits count before they are made.
	total := 0
	for range runs {
		groups, err := number(&b, maxGroups-len(h.Groups))
		if err != nil {
			return err
		}
		units, err := number(&b, maxGroupUnits)
		if err != nil {
			return err
		}
		if total += groups * units; total > maxUnits {
			return formatError("more than %d units", maxUnits)
		}
		for range groups {
			h.Groups = append(h.Groups, units)
		}
	}
	if len(b) != 0 {
		return formatError("the header has %d bytes too many", len(b))
	}
	if err := h.check(); err != nil {
		return formatError("%w", err)
	}
	return nil
}

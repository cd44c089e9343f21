package pack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sort"

	"hotcell/models/disk"
	"hotcell/models/gguf"
)

// Damage is a run of pages that are not what was written.
type Damage struct {
	Offset, Bytes int64
	Where         string // what lies there, such as `layer 3, unit 5 of 900` or `tensor "output.weight"`
}

// Check reads the whole pack: every page against its checksum and then, if all are
// right, every value against the model's hash. It returns what is damaged, in file
// order; the error is nil if the file could be read, damaged or not. progress, if
// not nil, gets bytes done and their total.
func (f *File) Check(ctx context.Context, progress func(done, total int64)) ([]Damage, error) {
	total := f.header.pages * PageBytes
	for _, t := range f.dir.tensors {
		total += t.Size
	}
	report := func(done int64) {
		if progress != nil {
			progress(done, total)
		}
	}
	bad, err := f.badPages(ctx, report)
	if err != nil || len(bad) > 0 {
		return f.damages(bad), err
	}
	start := f.header.pages * PageBytes
	return nil, f.restore(ctx, io.Discard, func(done, _ int64) { report(start + done) })
}

// badPages lists the data pages, from 0, whose checksum is wrong.
func (f *File) badPages(ctx context.Context, report func(done int64)) ([]int64, error) {
	var bad []int64
	b := make([]byte, min(windowBytes, f.header.pages*PageBytes))
	for page := int64(0); page < f.header.pages; page += windowBytes / PageBytes {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n := min(windowBytes/PageBytes, f.header.pages-page)
		at := f.header.dataAt + page*PageBytes
		if got, err := f.src.ReadAt(b[:n*PageBytes], at); int64(got) < n*PageBytes {
			if err == nil || errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, fmt.Errorf("%s: reading at offset %d: %w", f.name, at, disk.Cause(err))
		}
		for i := range n {
			if !f.sums.matches(page+i, b[i*PageBytes:][:PageBytes]) {
				bad = append(bad, page+i)
			}
		}
		report((page + n) * PageBytes)
	}
	return bad, nil
}

// damages joins neighbouring pages of one thing and says what they are.
func (f *File) damages(pages []int64) []Damage {
	var list []Damage
	var end int64 // of the thing that the last damage is in
	for _, p := range pages {
		at := f.header.dataAt + p*PageBytes
		if n := len(list); n > 0 && at < end && list[n-1].Offset+list[n-1].Bytes == at {
			list[n-1].Bytes += PageBytes
			continue
		}
		var where string
		where, end = f.at(at)
		list = append(list, Damage{at, PageBytes, where})
	}
	return list
}

// at says what lies at an offset of the data, and where that ends.
func (f *File) at(offset int64) (what string, end int64) {
	resident, groups := f.dir.resident, f.dir.groups
	endOf := func(t gguf.Tensor) int64 { return t.Offset + pageUp(t.Size) }
	if i := sort.Search(len(resident), func(i int) bool { return offset < endOf(resident[i]) }); i < len(resident) {
		return "tensor " + quote(resident[i].Name), endOf(resident[i])
	}
	i := sort.Search(len(groups), func(i int) bool { return offset < groups[i].Offset }) - 1
	g := &groups[i]
	unit := (offset - g.Offset) / int64(g.UnitBytes)
	return fmt.Sprintf("%v, unit %d of %d", g, unit, g.Units), g.Offset + (unit+1)*int64(g.UnitBytes)
}

// String names the group: "layer 3" or "layer 3, expert 5".
func (g *Group) String() string {
	switch g.Expert {
	case Dense:
		return fmt.Sprintf("layer %d", g.Layer)
	case Shared:
		return fmt.Sprintf("layer %d, shared expert", g.Layer)
	}
	return fmt.Sprintf("layer %d, expert %d", g.Layer, g.Expert)
}

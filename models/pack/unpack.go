package pack

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"hotcell/models/disk"
)

// Unpack writes the model in f as the GGUF file out: the same metadata, tensors and
// order, bit for bit. The file appears whole or not at all; one that is there is
// not replaced. progress, if not nil, gets bytes done and their total.
func Unpack(ctx context.Context, f *File, out string, progress func(done, total int64)) (err error) {
	name, folder := filepath.Base(out), filepath.Dir(out)
	if _, err := os.Lstat(out); err == nil {
		return fmt.Errorf("%s: there is a file of this name; remove it or choose another name", name)
	}
	file, err := os.CreateTemp(folder, "."+name+".*.part")
	if err != nil {
		return fmt.Errorf("%s: %w", folder, disk.Cause(err))
	}
	defer func() {
		if err != nil {
			file.Close()
			os.Remove(file.Name())
		}
	}()
	if err := f.restore(ctx, file, progress); err != nil {
		return unpackError(name, err)
	}
	file.Chmod(0o644) // a memory card may not know permissions
	for _, step := range []func() error{
		file.Sync, file.Close,
		func() error { return os.Rename(file.Name(), out) },
		func() error { return syncFolder(folder) },
	} {
		if err := step(); err != nil {
			return unpackError(name, err)
		}
	}
	return nil
}

// unpackError says what stopped the writing of a file.
func unpackError(name string, err error) error {
	var onDisk *fs.PathError
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%s: the disk is full; nothing was kept", name)
	case errors.As(err, &onDisk): // names a temporary file
		return fmt.Errorf("%s: writing: %w", name, onDisk.Err)
	}
	return err
}

// restore writes the model to out, and checks that it is the one that was packed.
func (f *File) restore(ctx context.Context, out io.Writer, progress func(done, total int64)) error {
	parts, r := f.matrices(), &reader{f: f}
	var done, total, largest int64
	for _, t := range f.dir.tensors {
		total += t.Size
		largest = max(largest, t.Size)
	}
	buf := make([]byte, min(windowBytes, largest))
	sum := sha256.New()
	err := writeModel(io.MultiWriter(out, sum), f.resident, f.dir.tensors, func(i int, put func([]byte) error) error {
		step := func(b []byte) error {
			if err := put(b); err != nil {
				return err
			}
			if done += int64(len(b)); progress != nil {
				progress(done, total)
			}
			return ctx.Err()
		}
		if !f.dir.packed[i] {
			t, _ := f.resident.Tensor(f.dir.tensors[i].Name)
			return eachWindow(f.resident, t, buf, step)
		}
		for _, p := range parts[i] {
			if err := r.matrix(p.g, p.m, step); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && [32]byte(sum.Sum(nil)) != f.header.hash {
		err = fmt.Errorf("%s: %w", f.name, errOtherModel)
	}
	return err
}

var errOtherModel = errors.New("what it holds is not the model that it was made of; make it anew with hotcell pack")

// place is a matrix of a group.
type place struct {
	g *Group
	m *Matrix
}

// matrices lists for each packed tensor the matrices that make it up, in its order.
func (f *File) matrices() map[int][]place {
	list := map[int][]place{}
	for i := range f.dir.groups {
		g := &f.dir.groups[i]
		for _, m := range g.matrices() {
			if m.Has() {
				list[m.Tensor] = append(list[m.Tensor], place{g, m})
			}
		}
	}
	for _, l := range list {
		slices.SortFunc(l, func(a, b place) int { return cmp.Compare(a.m.FirstRow, b.m.FirstRow) })
	}
	return list
}

package pack

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"hotcell/models/gguf"
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
		return fmt.Errorf("%s: %w", folder, cause(err))
	}
	defer func() {
		if err != nil {
			file.Close()
			os.Remove(file.Name())
		}
	}()
	if err := f.restore(ctx, file, progress); err != nil {
		return err
	}
	file.Chmod(0o644) // a memory card may not know permissions
	for _, step := range []func() error{
		file.Sync, file.Close,
		func() error { return os.Rename(file.Name(), out) },
		func() error { return syncFolder(folder) },
	} {
		if err := step(); err != nil {
			return fmt.Errorf("%s: writing: %w", name, cause(err))
		}
	}
	return nil
}

// restore writes the model to out, and checks that it is the one that was packed.
func (f *File) restore(ctx context.Context, out io.Writer, progress func(done, total int64)) error {
	w := copyOf(f.resident)
	var done, total int64
	parts := f.matrices()
	for i, t := range f.dir.tensors {
		total += t.Size
		w.AddTensor(t.Name, t.Type, t.Dims, func(dst io.Writer) error {
			put := func(b []byte) error {
				if _, err := dst.Write(b); err != nil {
					return err
				}
				if done += int64(len(b)); progress != nil {
					progress(done, total)
				}
				return ctx.Err()
			}
			if !f.dir.packed[i] {
				return f.tensor(t, put)
			}
			for _, p := range parts[i] {
				if err := f.matrix(p.g, p.m, put); err != nil {
					return err
				}
			}
			return nil
		})
	}
	sum := sha256.New()
	if _, err := w.WriteTo(io.MultiWriter(out, sum)); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return err
	}
	if [32]byte(sum.Sum(nil)) != f.header.hash {
		return fmt.Errorf("%s: %w", f.name, errOtherModel)
	}
	return nil
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

// tensor reads a resident tensor in windows.
func (f *File) tensor(t gguf.Tensor, put func([]byte) error) error {
	t, _ = f.resident.Tensor(t.Name)
	b := make([]byte, min(windowBytes, t.Size))
	for at := int64(0); at < t.Size; at += windowBytes {
		b := b[:min(windowBytes, t.Size-at)]
		if err := f.resident.ReadTensor(t, b, at); err != nil {
			return err
		}
		if err := put(b); err != nil {
			return err
		}
	}
	return nil
}

package gguf

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// The keys by which a part of a split model says what it is. Writers put all
// three into every part, and the rest of the metadata into the first only.
const (
	splitNoKey      = "split.no"            // place of this part, from 0
	splitCountKey   = "split.count"         // number of parts; 0 or 1 is a model in one file
	splitTensorsKey = "split.tensors.count" // tensors in all parts together
	archKey         = "general.architecture"
)

// splitSuffix ends the name of part no (from 0) of n.
func splitSuffix(no, n int) string { return fmt.Sprintf("-%05d-of-%05d.gguf", no+1, n) }

// splitCount returns how many files the model has: 1 if it is not split.
func (f *File) splitCount() (int, error) {
	n, err := f.UintOr(splitCountKey, 0)
	if err != nil {
		return 0, err
	}
	if n > maxParts {
		return 0, fmt.Errorf("%s: %s is %d, more than the %d allowed", f.name, splitCountKey, n, maxParts)
	}
	return max(1, int(n)), nil
}

// splitPlace returns which part, from 0, of a model in n files f is, and the
// name that all parts begin with. Metadata and file name must agree on it.
func (f *File) splitPlace(n int) (no int, prefix string, err error) {
	place, err := f.Uint(splitNoKey)
	if err != nil {
		return 0, "", err
	}
	if place >= uint64(n) {
		return 0, "", fmt.Errorf("%s: %s is %d, but counted from 0 there are only %d parts", f.name, splitNoKey, place, n)
	}
	no = int(place)
	prefix, ok := strings.CutSuffix(f.name, splitSuffix(no, n))
	if !ok {
		return 0, "", fmt.Errorf("%s: this is part %d of %d of a split model, so its name must end in %s",
			f.name, no+1, n, splitSuffix(no, n))
	}
	return no, prefix, nil
}

// openSplit opens the n parts of the model of which given is one, from the same
// folder. It takes over given, and closes it in case of an error.
func openSplit(given *File, n int) (_ *File, err error) {
	parts := make([]*File, n)
	defer func() {
		if err != nil {
			given.Close()
			for _, p := range parts {
				if p != nil {
					p.Close()
				}
			}
		}
	}()
	own, prefix, err := given.splitPlace(n)
	if err != nil {
		return nil, err
	}
	parts[own] = given
	for i := range parts {
		if i == own {
			continue
		}
		path := filepath.Join(filepath.Dir(given.path), prefix+splitSuffix(i, n))
		parts[i], err = openFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%w; all %d parts of the model must lie in one folder", err, n)
		}
		if err != nil {
			return nil, err
		}
	}
	f, err := join(parts)
	if err != nil {
		return nil, err
	}
	f.name, f.path = given.name, given.path
	return f, nil
}

// join makes one File of the parts of a model, which have the names of all its
// places in order. It looks like the file that was split: what the parts say of
// the split is left out.
func join(parts []*File) (*File, error) {
	first := parts[0]
	f := &File{
		name:       first.name,
		version:    first.version,
		powerInfer: first.powerInfer,
		keys: slices.DeleteFunc(slices.Clone(first.keys), func(key string) bool {
			return key == splitNoKey || key == splitCountKey || key == splitTensorsKey
		}),
		values: make(map[string]Value, len(first.keys)),
		byName: make(map[string]int),
		parts:  parts,
	}
	for _, key := range f.keys {
		f.values[key] = first.values[key]
	}
	for i, p := range parts {
		if err := p.belongs(i, parts); err != nil {
			return nil, err
		}
		f.size += p.size
		for _, t := range p.tensors {
			if j, dup := f.byName[t.Name]; dup {
				return nil, fmt.Errorf("%s: tensor %s is also in %s", p.name, quote(t.Name), parts[f.tensors[j].part].name)
			}
			f.byName[t.Name] = len(f.tensors)
			t.part = i
			f.tensors = append(f.tensors, t)
		}
	}
	// belongs has found the key, and the same number in all parts.
	if total, _ := first.Uint(splitTensorsKey); total != uint64(len(f.tensors)) {
		return nil, fmt.Errorf("%s: the model has %d tensors, but its %d parts hold %d", first.name, total, len(parts), len(f.tensors))
	}
	return f, nil
}

// belongs checks that p is part no of the model that parts are of.
func (p *File) belongs(no int, parts []*File) error {
	n, err := p.splitCount()
	if err != nil {
		return err
	}
	if n == 1 {
		return fmt.Errorf("%s: this is not a part of a split model, but its name is that of part %d of %d", p.name, no+1, len(parts))
	}
	// A part whose name is right and that agrees with it is at its place.
	if _, _, err := p.splitPlace(n); err != nil {
		return err
	}
	total, err := p.Uint(splitTensorsKey)
	if err != nil {
		return err
	}
	if total > maxTensors {
		return fmt.Errorf("%s: %s is %d, more than the %d allowed", p.name, splitTensorsKey, total, maxTensors)
	}
	other := func(what string, own, others any) error {
		return fmt.Errorf("%s: this part is of another model than %s: %s is %v, not %v", p.name, parts[0].name, what, own, others)
	}
	if all, err := parts[0].Uint(splitTensorsKey); err == nil && total != all {
		return other("the number of tensors", total, all)
	}
	if p.powerInfer != parts[0].powerInfer {
		return other("being in PowerInfer's variant", p.powerInfer, parts[0].powerInfer)
	}
	arch, _ := parts[0].StringOr(archKey, "")
	own, err := p.StringOr(archKey, arch)
	if err != nil {
		return err
	}
	if own != arch {
		return other("its architecture", quote(own), quote(arch))
	}
	return nil
}

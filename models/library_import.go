package models

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"hotcell/models/gguf"
)

// ImportOptions say how a model comes into the library. The zero value copies
// it under its file's name.
type ImportOptions struct {
	Name     string                   // "": the file's, without .gguf
	Link     bool                     // leave the model where it is and keep a symbolic link
	Check    func(f *gguf.File) error // asked before anything is written; an error ends the import; may be nil
	Progress func(done, total int64)  // bytes read; may be nil
}

// importing is one import under way.
type importing struct {
	ctx     context.Context
	o       ImportOptions
	library *Library
	label   string // base name of the given file, for errors
	sources []string
	entry   Entry
	done    int64
	spaceOK bool // there is room for the rest
}

// Import brings the model at path, with all parts if it is split, into the
// library. All of it is read, for its checksum. The copy shares the original's
// blocks where the file system can do that. added is false where the library
// has the same model under this name already; another model of the name is an
// error. Cancelling ctx leaves nothing behind.
func (l *Library) Import(ctx context.Context, path string, o ImportOptions) (e Entry, added bool, err error) {
	f, err := openPath(path)
	if err != nil {
		return Entry{}, false, err
	}
	defer f.Close()
	if o.Check != nil {
		if err := o.Check(f); err != nil {
			return Entry{}, false, err
		}
	}
	im := &importing{ctx: ctx, o: o, library: l, label: f.Name()}
	if err := im.prepare(f, path); err != nil {
		return Entry{}, false, err
	}
	if _, err := os.Lstat(filepath.Join(l.dir, im.entry.Name)); err == nil {
		e, err := im.compare()
		return e, false, err
	}
	if err := im.bring(); err != nil {
		return Entry{}, false, err
	}
	return im.entry, true, nil
}

// prepare finds the files and describes the model.
func (im *importing) prepare(f *gguf.File, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return im.failed("looking at the file", err)
	}
	name := strings.TrimSuffix(filepath.Base(path), ".gguf")
	im.sources = []string{path}
	if info.Size() != f.Size() { // the metadata of a split model say nothing of its parts
		prefix, _, n, ok := splitName(filepath.Base(path))
		if !ok {
			return fmt.Errorf("%s: the file changed while it was opened", im.label)
		}
		name, im.sources = prefix, nil
		for i := range n {
			im.sources = append(im.sources, filepath.Join(filepath.Dir(path), partName(prefix, i, n)))
		}
	}
	if im.o.Name != "" {
		name = im.o.Name
	}
	if err := checkName(name); err != nil {
		return fmt.Errorf("%w (--name gives it one)", err)
	}
	source, err := filepath.Abs(path)
	if err != nil {
		return im.failed("looking at the file", err)
	}
	e := Entry{Name: name, Bytes: f.Size(), Link: im.o.Link, Source: source, Imported: time.Now().UTC().Truncate(time.Second)}
	e.Title, _ = f.StringOr("general.name", "")
	e.Architecture, _ = f.StringOr("general.architecture", "")
	bytes, most := map[gguf.Type]int64{}, int64(0)
	for _, t := range f.Tensors() {
		e.Parameters += t.Elements()
		if bytes[t.Type] += t.Size; bytes[t.Type] > most {
			most, e.Type = bytes[t.Type], t.Type.String()
		}
	}
	im.entry = e
	return nil
}

// compare tells whether the library's model of this name is the one to import.
func (im *importing) compare() (Entry, error) {
	there := im.library.entry(im.entry.Name)
	taken := fmt.Errorf("%s: the library has another model %q; choose a name with --name", im.label, im.entry.Name)
	switch {
	case there.Problem != "":
		return Entry{}, fmt.Errorf("%s: the library has a model %q that is damaged (%s); remove it first", im.label, im.entry.Name, there.Problem)
	case there.Bytes != im.entry.Bytes || len(there.Files) != len(im.sources):
		return Entry{}, taken
	}
	for i, source := range im.sources {
		sum, _, err := im.read(source, io.Discard)
		if err != nil {
			return Entry{}, err
		}
		if sum != there.Files[i].SHA256 {
			return Entry{}, taken
		}
	}
	return there, nil
}

// bring writes the model's folder where nobody looks, and then moves it to its
// place.
func (im *importing) bring() (err error) {
	s, err := im.library.stage()
	if err != nil {
		return im.failed("importing", err)
	}
	defer func() { err = errors.Join(err, s.discard()) }()
	folder := filepath.Join(s.dir, im.entry.Name)
	if err := os.Mkdir(folder, 0o755); err != nil {
		return im.failed("importing", err)
	}
	for i, source := range im.sources {
		file := EntryFile{Name: partName(im.entry.Name, i, len(im.sources))}
		if file.SHA256, file.Bytes, err = im.transfer(source, filepath.Join(folder, file.Name)); err != nil {
			return err
		}
		im.entry.Files = append(im.entry.Files, file)
	}
	if im.done != im.entry.Bytes {
		return fmt.Errorf("%s: the file changed while it was read", im.label)
	}
	if err := writeEntry(filepath.Join(folder, entryFile), im.entry); err != nil {
		return im.failed("writing its entry", err)
	}
	if err := syncDir(folder); err != nil {
		return im.failed("importing", err)
	}
	if err := im.ctx.Err(); err != nil {
		return err
	}
	err = os.Rename(folder, filepath.Join(im.library.dir, im.entry.Name))
	if errors.Is(err, fs.ErrExist) { // another process was faster
		return fmt.Errorf("%s: the library has a model %q by now", im.label, im.entry.Name)
	}
	if err == nil {
		err = syncDir(im.library.dir)
	}
	if err != nil {
		return im.failed("importing", err)
	}
	return nil
}

// transfer brings one file to the path to, which is new, and returns its
// checksum and size.
func (im *importing) transfer(source, to string) (sum string, n int64, err error) {
	if im.o.Link {
		target, err := filepath.Abs(source)
		if err == nil {
			err = os.Symlink(target, to)
		}
		if err != nil {
			return "", 0, im.failed("linking", err)
		}
		return im.read(source, io.Discard)
	}
	dst, err := os.OpenFile(to, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return "", 0, im.failed("importing", err)
	}
	defer func() {
		if e := dst.Close(); err == nil && e != nil {
			err = im.failed("importing", e)
		}
	}()
	if cloneFile(dst, source) == nil {
		sum, n, err = im.read(to, io.Discard) // what was cloned, whatever happens to the original
	} else {
		if err := im.checkSpace(); err != nil {
			return "", 0, err
		}
		sum, n, err = im.read(source, dst)
	}
	if err == nil {
		if e := dst.Sync(); e != nil {
			err = im.failed("importing", e)
		}
	}
	return sum, n, err
}

// checkSpace makes sure, once, that what is left to copy fits.
func (im *importing) checkSpace() error {
	if im.spaceOK {
		return nil
	}
	const spare = 16 << 20 // for everything else on the disk
	free, err := freeSpace(im.library.dir)
	need := im.entry.Bytes - im.done
	if err == nil && free < need+spare {
		return fmt.Errorf("%s: the library needs %.2f GiB for it but its disk has only %.2f GiB left; --link leaves the model where it is",
			im.label, float64(need)/(1<<30), float64(free)/(1<<30))
	}
	im.spaceOK = true
	return nil
}

// read reads a whole file into dst and returns its checksum and size.
func (im *importing) read(path string, dst io.Writer) (sum string, n int64, err error) {
	src, err := os.Open(path)
	if err != nil {
		return "", 0, im.failed("reading", err)
	}
	defer src.Close()
	hash, buf := sha256.New(), make([]byte, 1<<20)
	for {
		if err := im.ctx.Err(); err != nil {
			return "", 0, err
		}
		k, err := src.Read(buf)
		hash.Write(buf[:k])
		if _, e := dst.Write(buf[:k]); e != nil {
			return "", 0, im.failed("writing to the library", e)
		}
		n += int64(k)
		im.done += int64(k)
		if im.o.Progress != nil && k > 0 {
			im.o.Progress(min(im.done, im.entry.Bytes), im.entry.Bytes)
		}
		if errors.Is(err, io.EOF) {
			return hex.EncodeToString(hash.Sum(nil)), n, nil
		}
		if err != nil {
			return "", 0, im.failed("reading", err)
		}
	}
}

// failed is an error with the model's file in front.
func (im *importing) failed(doing string, err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return fmt.Errorf("%s: %s: %w", im.label, doing, err)
}

func writeEntry(path string, e Entry) error {
	text, err := json.MarshalIndent(storedEntry{entryVersion, e}, "", "\t")
	if err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(append(text, '\n'))
	return errors.Join(err, file.Sync(), file.Close())
}

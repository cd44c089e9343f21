package pack

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"hotcell/models/builtin"
	"hotcell/models/gguf"
)

// interrupted packs src until that share of the work is done.
func interrupted(t *testing.T, src *gguf.File, out string, share float64, o Options) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	o.Progress = func(done, total int64) {
		if float64(done) >= share*float64(total) {
			cancel()
		}
	}
	if err := Write(ctx, src, out, o); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if _, err := os.Stat(out); err == nil {
		t.Fatal("an interrupted pack has its name already")
	}
}

// written packs src and returns how many bytes of it were read after its hash was known.
func written(t *testing.T, src *gguf.File, out string, o Options) int64 {
	t.Helper()
	d, err := newPlan(src, o.Activity, wholeExpert)
	if err != nil {
		t.Fatal(err)
	}
	w := &writer{ctx: context.Background(), src: src, dir: d}
	if err := errors.Join(w.sections(), w.hash()); err != nil {
		t.Fatal(err)
	}
	counted := &countingSource{}
	w.src = counted.file(t, src)
	if err := w.write(out); err != nil {
		t.Fatal(err)
	}
	return counted.bytes
}

// countingSource counts the bytes that are read.
type countingSource struct {
	bytes int64
	src   io.ReaderAt
}

func (c *countingSource) ReadAt(b []byte, off int64) (int, error) {
	c.bytes += int64(len(b))
	return c.src.ReadAt(b, off)
}

// file is a copy of a model, of which only the reading of tensors is counted.
func (c *countingSource) file(t *testing.T, src *gguf.File) *gguf.File {
	t.Helper()
	var whole bytes.Buffer
	w := copyOf(src)
	for _, x := range src.Tensors() {
		w.AddTensor(x.Name, x.Type, x.Dims, gguf.Bytes(raw(t, src, x)))
	}
	if _, err := w.WriteTo(&whole); err != nil {
		t.Fatal(err)
	}
	c.src = bytes.NewReader(whole.Bytes())
	f, err := gguf.Parse(c, int64(whole.Len()), src.Name())
	if err != nil {
		t.Fatal(err)
	}
	c.bytes = 0
	return f
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAnInterruptedPackGoesOnWhereItWas(t *testing.T) {
	src, err := builtin.Open()
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Activity: someActivity(src, 4)}
	dir := t.TempDir()
	whole := filepath.Join(dir, "whole.pack")
	all := written(t, src, whole, o)
	for name, test := range map[string]struct {
		spoil func(t *testing.T, part string)
		least float64 // share of the model that is read again
		most  float64
	}{
		"as it was left": {func(*testing.T, string) {}, 0.2, 0.6},
		"with a page that the disk lost": {func(t *testing.T, part string) {
			f := overwrite(t, part)
			defer f.Close()
			info, _ := f.Stat()
			at := info.Size() * 4 / 10 &^ (PageBytes - 1)
			if _, err := f.WriteAt(make([]byte, PageBytes), at); err != nil {
				t.Fatal(err)
			}
		}, 0.2, 0.6},
		"with a header of a finished pack": {func(t *testing.T, part string) {
			f := overwrite(t, part)
			defer f.Close()
			if _, err := f.WriteAt([]byte(Magic), 0); err != nil {
				t.Fatal(err)
			}
		}, 0.2, 0.6},
		"cut off": {func(t *testing.T, part string) {
			if err := os.Truncate(part, 100_000); err != nil {
				t.Fatal(err)
			}
		}, 1, 1},
		"replaced by something else": {func(t *testing.T, part string) {
			if err := os.WriteFile(part, bytes.Repeat([]byte("x"), len(readFile(t, whole))), 0o600); err != nil {
				t.Fatal(err)
			}
		}, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "m.pack")
			interrupted(t, src, out, 0.8, o)
			test.spoil(t, out+".part")
			again := float64(written(t, src, out, o)) / float64(all)
			if again < test.least || again > test.most {
				t.Errorf("%.2f of the model was read again", again)
			}
			if !bytes.Equal(readFile(t, out), readFile(t, whole)) {
				t.Error("the pack differs from one that was written at once")
			}
			if _, err := os.Stat(out + ".part"); err == nil {
				t.Error("the part is still there")
			}
		})
	}
}

func overwrite(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// The child process of TestAKilledPackGoesOn packs half of the model, says so, and waits to be killed.
func TestPackUntilKilled(t *testing.T) {
	out := os.Getenv("HOTCELL_TEST_PACK")
	if out == "" {
		t.Skip("only in a process of its own")
	}
	src, err := builtin.Open()
	if err != nil {
		t.Fatal(err)
	}
	err = Write(context.Background(), src, out, Options{Progress: func(done, total int64) {
		if done > total*3/4 {
			os.Stdout.WriteString("written\n")
			select {}
		}
	}})
	t.Fatalf("it came to an end: %v", err)
}

func TestAKilledPackGoesOn(t *testing.T) {
	out := filepath.Join(t.TempDir(), "m.pack")
	child := exec.Command(os.Args[0], "-test.run=^TestPackUntilKilled$")
	child.Env = append(os.Environ(), "HOTCELL_TEST_PACK="+out)
	pipe, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Skipf("no process of its own: %v", err)
	}
	if _, err := io.ReadFull(pipe, make([]byte, len("written\n"))); err != nil {
		t.Fatal(err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // the error that it was killed
	src, err := builtin.Open()
	if err != nil {
		t.Fatal(err)
	}
	var total int64
	for _, x := range src.Tensors() {
		total += x.Size
	}
	if again := written(t, src, out, Options{}); again == 0 || again > total*3/4 {
		t.Errorf("%d of %d bytes were read again", again, total)
	}
	f, err := Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if damage, err := f.Check(context.Background(), nil); err != nil || len(damage) > 0 {
		t.Errorf("%v, %v", damage, err)
	}
}

func TestAPartOfAnotherOrderIsNotUsed(t *testing.T) {
	src, err := builtin.Open()
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "m.pack")
	interrupted(t, src, out, 0.9, Options{Activity: someActivity(src, 4)})
	o := Options{Activity: someActivity(src, 5)}
	if err := Write(context.Background(), src, out, o); err != nil {
		t.Fatal(err)
	}
	f, err := Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if damage, err := f.Check(context.Background(), nil); err != nil || len(damage) > 0 {
		t.Errorf("%v, %v", damage, err)
	}
	sameModel(t, src, unpacked(t, f))
}

func TestAnUnfinishedPackIsNotOpened(t *testing.T) {
	src, err := builtin.Open()
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "m.pack")
	interrupted(t, src, out, 0.9, Options{})
	if _, err := Open(out + ".part"); err == nil || !strings.Contains(err.Error(), "not complete") {
		t.Error(err)
	}
}

func TestTwoWritersDoNotShareAFile(t *testing.T) {
	src := model(t, "llama", tensor("a", gguf.F32, 1000))
	out := filepath.Join(t.TempDir(), "m.pack")
	other := false
	err := Write(context.Background(), src, out, Options{Progress: func(done, total int64) {
		if done == total && !other {
			other = true
			err := Write(context.Background(), src, out, Options{})
			if err == nil || !strings.Contains(err.Error(), "another process is writing") {
				t.Errorf("the second writer: %v", err)
			}
		}
	}})
	if err != nil || !other {
		t.Error(err)
	}
}

func TestOnlyPacksAreReplaced(t *testing.T) {
	src := model(t, "llama", tensor("a", gguf.F32, 1000))
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte("a diary"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Write(context.Background(), src, text, Options{}); err == nil || !strings.Contains(err.Error(), "is no pack") {
		t.Error(err)
	}
	if err := Write(context.Background(), src, dir, Options{}); err == nil {
		t.Error("a folder is replaced")
	}
	if string(readFile(t, text)) != "a diary" {
		t.Error("the file was changed")
	}
	out := filepath.Join(dir, "m.pack")
	for range 2 {
		if err := Write(context.Background(), src, out, Options{}); err != nil {
			t.Fatal(err)
		}
	}
	f, err := Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := Unpack(context.Background(), f, text, nil); err == nil || !strings.Contains(err.Error(), "there is a file of this name") {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Unpack(ctx, f, filepath.Join(dir, "m.gguf"), nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestASourceThatCannotBeReadEndsTheWriting(t *testing.T) {
	src := model(t, "llama", tensor("a", gguf.F32, 1000))
	bad, err := src.WithTensors(forbidden{bytes.NewReader(nil), 0}, 4000, "m.gguf", []gguf.Tensor{tensor("a", gguf.F32, 1000)})
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "m.pack")
	if err := Write(context.Background(), bad, out, Options{}); err == nil || !strings.Contains(err.Error(), `tensor "a"`) {
		t.Error(err)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("there is a pack")
	}
}

func TestAFullDiskIsToldInOneSentence(t *testing.T) {
	full := &fs.PathError{Op: "write", Path: "/tmp/.m.gguf.123.part", Err: syscall.ENOSPC}
	broken := &fs.PathError{Op: "write", Path: "/tmp/.m.gguf.123.part", Err: syscall.EIO}
	p := &part{path: "/tmp/m.pack.part"}
	for _, test := range []struct {
		got  error
		want string
	}{
		{p.failed(full), "m.pack.part: the disk is full; with more room the same command goes on from here"},
		{p.failed(broken), "m.pack.part: writing: input/output error"},
		{unpackError("m.gguf", full), "m.gguf: the disk is full; nothing was kept"},
		{unpackError("m.gguf", broken), "m.gguf: writing: input/output error"},
	} {
		if test.got.Error() != test.want {
			t.Errorf("%q, want %q", test.got, test.want)
		}
	}
}

package iosched

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestOpenSaysWhatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	path := patternFile(t, 4096)
	empty := filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		path   string
		config Config
		want   string
	}{
		{filepath.Join(dir, "missing"), Config{}, "missing: no such file or directory"},
		{dir, Config{}, "it is not a regular file"},
		{path, Config{Engine: "tape"}, `there is no engine "tape"`},
	}
	for _, test := range tests {
		if _, err := Open(test.path, test.config); err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), test.path) {
			t.Errorf("%s: %v, want %q", test.path, err, test.want)
		}
	}
	s, err := Open(empty, Config{})
	if err != nil {
		t.Fatal(err)
	}
	r := &Request{Buf: memory(t, 4096)}
	readAll(t, s, Demand, r)
	if !errors.Is(r.Err, ErrInvalid) {
		t.Errorf("reading an empty file: %v", r.Err)
	}
	closed(t, s)
}

func TestAFileInMemoryIsReadThroughTheCacheAndItIsSaid(t *testing.T) {
	dir, err := os.MkdirTemp("/dev/shm", "hotcell-test-*")
	if err != nil {
		t.Skip(err)
	}
	defer os.RemoveAll(dir)
	if name, _, err := space(dir); err != nil || name != "tmpfs" {
		t.Skipf("/dev/shm is %s here", name)
	}
	path := filepath.Join(dir, "file")
	data := make([]byte, 10000)
	pattern(data, 0)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, Config{Direct: DirectOn}); err == nil || !strings.Contains(err.Error(), "tmpfs") {
		t.Errorf("DirectOn: %v", err)
	}
	s, err := Open(path, Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, s)
	if info := s.Info(); info.Direct || info.WhyBuffered != "the file lies in memory (tmpfs)" || info.MemoryAlign != 1 || info.OffsetAlign != 1 || info.Engine == "libaio" {
		t.Errorf("%+v", info)
	}
	r := &Request{Offset: 1000, Buf: make([]byte, 5001)}
	copyOf := append([]byte(nil), data[1000:6001]...)
	readAll(t, s, Demand, r)
	if r.Err != nil || string(r.Buf) != string(copyOf) {
		t.Errorf("%d bytes, %v", r.N, r.Err)
	}
}

func TestEachEngineSaysWhatItIs(t *testing.T) {
	path := patternFile(t, testFile)
	for _, name := range append(EngineNames(), "auto") {
		s, err := Open(path, Config{Engine: name, Depth: 7})
		if err != nil {
			t.Logf("%s does not work here: %v", name, err)
			continue
		}
		info := s.Info()
		if info.Path != path || info.Size != testFile || info.Depth != 7 || info.Engine != name && name != "auto" || info.Direct == (info.WhyBuffered != "") ||
			info.MemoryAlign < 1 || info.OffsetAlign < 1 {
			t.Errorf("%s: %+v", name, info)
		}
		if name == "auto" {
			t.Logf("the best here: %+v", info)
		}
		closed(t, s)
	}
	if names := EngineNames(); names[len(names)-1] != "pread" || runtime.GOOS == "android" && names[0] != "libaio" {
		t.Errorf("%q", names)
	}
}

func TestARefusedEngineIsReplacedByTheNextAndItIsSaid(t *testing.T) {
	c := Config{}
	c.defaults()
	src, err := openSource(patternFile(t, testFile), &c)
	if err != nil {
		t.Fatal(err)
	}
	refused := engineMaker{"io_uring", func(*source, int) (engine, error) { return nil, errors.New("operation not permitted") }}
	dev, err := firstThatWorks([]engineMaker{refused, {"pread", newPread}}, src, 4)
	if err != nil {
		t.Fatal(err)
	}
	if info := dev.Info(); info.Engine != "pread" || info.Notes != "io_uring does not work here: operation not permitted" {
		t.Errorf("%+v", info)
	}
	if err := dev.Close(); err != nil {
		t.Error(err)
	}
}

func TestChangedNamesWhatHappenedToTheFile(t *testing.T) {
	tests := []struct {
		happens string
		do      func(path string) error
	}{
		{"", func(path string) error { _, err := os.ReadFile(path); return err }},
		{"was written to", func(path string) error { return os.Chtimes(path, time.Now(), time.Now().Add(time.Hour)) }},
		{"was written to", func(path string) error { return os.Truncate(path, 2*testFile) }},
		{"was cut from", func(path string) error { return os.Truncate(path, 8192) }},
		{"is gone", os.Remove},
		{"was replaced by another file", func(path string) error {
			if err := os.Rename(path, path+".old"); err != nil {
				return err
			}
			return os.WriteFile(path, make([]byte, testFile), 0o600)
		}},
	}
	for _, test := range tests {
		path := patternFile(t, testFile)
		s, err := Open(path, Config{})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Changed(); err != nil {
			t.Errorf("before: %v", err)
		}
		if err := test.do(path); err != nil {
			t.Fatal(err)
		}
		err = s.Changed()
		if (err == nil) != (test.happens == "") || err != nil && (!errors.Is(err, ErrChanged) || !strings.Contains(err.Error(), test.happens)) {
			t.Errorf("%q: %v", test.happens, err)
		}
		r := &Request{Offset: 1 << 20, Buf: memory(t, 4096)}
		readAll(t, s, Demand, r)
		if cut := test.happens == "was cut from"; cut != errors.Is(r.Err, ErrChanged) || !cut && !right(r) {
			t.Errorf("%q: reading: %v", test.happens, r.Err)
		}
		closed(t, s)
	}
}

func TestNothingIsLeftBehindByClose(t *testing.T) {
	path := patternFile(t, testFile)
	count := func() (goroutines, threads, files int) {
		tasks, _ := os.ReadDir("/proc/self/task")
		fds, _ := os.ReadDir("/proc/self/fd")
		return runtime.NumGoroutine(), len(tasks), len(fds)
	}
	cycle := func() {
		for _, name := range EngineNames() {
			s, err := Open(path, Config{Engine: name})
			if err != nil {
				continue
			}
			r := &Request{Buf: memory(t, 4096)}
			readAll(t, s, Demand, r)
			closed(t, s)
		}
	}
	cycle()
	g0, t0, f0 := count()
	for range 20 {
		cycle()
	}
	var g1, t1, f1 int
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		// The Go runtime keeps some idle threads; a leak would be one for each scheduler.
		if g1, t1, f1 = count(); g1 <= g0 && t1 <= t0+10 && f1 <= f0 {
			return
		}
	}
	t.Errorf("goroutines %d to %d, threads %d to %d, files %d to %d", g0, g1, t0, t1, f0, f1)
}

func TestReadingAllocatesNothing(t *testing.T) {
	path := patternFile(t, testFile)
	for _, name := range EngineNames() {
		for _, gaps := range []bool{false, true} {
			s, err := Open(path, Config{Engine: name})
			if err != nil {
				t.Logf("%s does not work here: %v", name, err)
				continue
			}
			const n = 64
			mem := memory(t, n*4096)
			g := NewGroup(n)
			batch := newRequests(n, 0)
			for i, r := range batch {
				r.Buf = mem[i*4096:][:4096]
				if gaps {
					r.Offset = int64(i) * 3 * 4096
				}
			}
			reading := func() {
				_ = s.Submit(g, Prefetch, batch)
				s.Promote(batch[3])
				for range batch {
					if r := g.Wait(time.Time{}); r.Err != nil {
						t.Error(r.Err)
					}
				}
				_ = s.Stats()
			}
			allocs := testing.AllocsPerRun(20, reading)
			for range 3 { // the count is the whole process's: what the runtime or another test's end took is not there again
				allocs = min(allocs, testing.AllocsPerRun(20, reading))
			}
			if allocs > 0 {
				t.Errorf("%s: %v allocations for %d reads", name, allocs, n)
			}
			closed(t, s)
		}
	}
}

func TestAReadThroughTheCacheIsNotTakenForADirectOne(t *testing.T) {
	file, err := os.Open(patternFile(t, testFile)) // as a file system would that accepts O_DIRECT and ignores it
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := file.Sync(); err != nil {
		t.Fatal(err)
	}
	if dropCache(file); firstPageCached(file) {
		t.Skip("this file system keeps its pages")
	}
	if err := tryDirect(file, testFile); !errors.Is(err, errNoDirect) {
		t.Errorf("%v", err)
	}
}

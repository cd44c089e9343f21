package infer

import (
	"context"
	"fmt"
	"path/filepath"
	"reflect"
	"testing"

	"hotcell/infer/kernel"
	"hotcell/iosched"
	"hotcell/models/builtin"
	"hotcell/models/gguf"
	"hotcell/neuroncache"
	"hotcell/planner"
)

func TestMemoryNeedIsWhatASessionAllocates(t *testing.T) {
	files := map[string]func() (*gguf.File, error){"built-in": builtin.Open}
	for _, dir := range goldenDirs(t) {
		files[filepath.Base(dir)] = func() (*gguf.File, error) { return gguf.Open(filepath.Join(dir, "model.gguf")) }
	}
	for name, open := range files {
		for _, c := range []Config{
			{Threads: 1},
			{Threads: 2, Context: 40, KV: KVF32},
			{Threads: 2, Context: 200, Mode: ModeFile},
		} {
			t.Run(fmt.Sprintf("%s/context %d %s", name, c.Context, c.Mode), func(t *testing.T) {
				f, err := open()
				if err != nil {
					t.Fatal(err)
				}
				if p, ok := f.Tensor("position_embd.weight"); ok {
					c.Context = min(c.Context, int(p.Rows()))
				}
				need, err := MemoryNeed(f, c)
				if err != nil {
					f.Close()
					t.Fatal(err)
				}
				s, err := Open(context.Background(), f, c)
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				st := s.Stats()
				if need.Weights != int64(st.WeightBytes) || need.KV != int64(st.KVBytes) {
					t.Errorf("weights %d and KV %d, the session has %d and %d", need.Weights, need.KV, st.WeightBytes, st.KVBytes)
				}
				if work := buffersOf(reflect.ValueOf(s.eng)); need.Work != work {
					t.Errorf("work %d, the engine's buffers have %d", need.Work, work)
				}
			})
		}
	}
}

// buffersOf sums up the numbers that an engine's own buffers have room for: all but the model, the cache and the threads.
func buffersOf(v reflect.Value) (bytes int64) {
	switch v.Kind() {
	case reflect.Pointer:
		switch v.Type() {
		case reflect.TypeFor[*hparams](), reflect.TypeFor[*weights](), reflect.TypeFor[*kvCache](), reflect.TypeFor[*feedForward]():
			return 0
		}
		if v.IsNil() || v.Type().Elem().PkgPath() == "hotcell/infer/workers" {
			return 0
		}
		if v.Type() == reflect.TypeFor[*kernel.KVScratch]() {
			return int64(v.Type().Elem().Size())
		}
		return buffersOf(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			bytes += buffersOf(v.Field(i))
		}
	case reflect.Slice:
		elem := v.Type().Elem()
		if elem == reflect.TypeFor[softmaxOf]() || elem == reflect.TypeFor[runsDone]() {
			return int64(v.Cap()) * int64(elem.Size())
		}
		switch elem {
		case reflect.TypeFor[candidate](), reflect.TypeFor[clusterRun](), reflect.TypeFor[neuroncache.Found](), reflect.TypeFor[kernel.Weighted](), reflect.TypeFor[*iosched.Request]():
			return int64(v.Cap()) * int64(elem.Size())
		case reflect.TypeFor[sparseScratch](), reflect.TypeFor[own]():
			bytes += int64(v.Cap()) * int64(elem.Size())
		}
		if k := elem.Kind(); k >= reflect.Int && k <= reflect.Float64 || elem.PkgPath() == "hotcell/infer/workers" {
			return int64(v.Cap()) * int64(elem.Size())
		}
		for i := range v.Len() {
			bytes += buffersOf(v.Index(i))
		}
	}
	return bytes
}

func TestMemoryNeedRefusesWhatOpenRefuses(t *testing.T) {
	for name, c := range map[string]Config{
		"an unknown mode":                {Mode: "psychic"},
		"a negative context":             {Context: -1},
		"more threads than there can be": {Threads: maxThreads + 1},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := gguf.Open("testdata/golden/llama/model.gguf")
			if err != nil {
				t.Fatal(err)
			}
			_, err = MemoryNeed(f, c)
			s, openErr := Open(context.Background(), f, c)
			if openErr == nil {
				s.Close()
			}
			if (err == nil) != (openErr == nil) {
				t.Errorf("MemoryNeed says %v, Open says %v", err, openErr)
			}
		})
	}
}

func TestAContextThatNoMachineHoldsIsOverNotAnError(t *testing.T) {
	f, err := gguf.Open("testdata/golden/llama/model.gguf")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	need, err := MemoryNeed(f, Config{Context: 1 << 30})
	if err != nil || need.Verdict == planner.Fits {
		t.Errorf("%+v, %v", need, err)
	}
}

func TestAvailableMemoryIsReadFromMeminfo(t *testing.T) {
	for _, test := range []struct {
		line string
		want int64
		ok   bool
	}{
		{"MemAvailable:   24123456 kB", 24123456 << 10, true},
		{"MemFree:        24123456 kB", 0, false},
		{"MemAvailable:   24123456", 0, false},
		{"MemAvailable:   -1 kB", 0, false},
		{"MemAvailable:   99999999999999999999 kB", 0, false},
		{"", 0, false},
	} {
		if got, ok := parseAvailable(test.line); ok != test.ok || ok && got != test.want {
			t.Errorf("%q: %d, %v, want %d, %v", test.line, got, ok, test.want, test.ok)
		}
	}
	if bytes, ok := AvailableMemory(); ok && (bytes < 1<<20 || planner.Judge(1, 1, 1, bytes).Verdict != planner.Fits) {
		t.Errorf("%d bytes available", bytes)
	}
}

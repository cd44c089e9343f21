package iosched

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// quick measures in a fraction of a second.
var quick = Options{FileBytes: 8 << 20, WriteTime: time.Second, ReadTime: time.Millisecond}

func TestMeasureReadsInEveryPatternAndLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	o, steps := quick, 0
	o.Progress = func(_ string, done, all int) {
		steps++
		if done >= all || all != 2*len(Patterns()) {
			t.Errorf("step %d of %d", done, all)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
			t.Errorf("the file has a name: %v", left)
		}
	}
	p, err := Measure(t.Context(), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	if p.FileBytes != 8<<20 || p.FileSystem == "" || p.WriteRate <= 0 || p.Direct == (p.WhyBuffered != "") || steps != 1+2*len(Patterns()) {
		t.Errorf("%+v after %d steps", p, steps)
	}
	if p.Direct && (p.MemoryAlign < 1 || p.OffsetAlign < 1) {
		t.Errorf("no alignment: %+v", p)
	}
	if len(p.Reads) != len(Patterns()) {
		t.Fatalf("%d patterns, want %d", len(p.Reads), len(Patterns()))
	}
	for i, r := range p.Reads {
		if r.Pattern != Patterns()[i] || r.BytesPerSec <= 0 || r.PerSec <= 0 {
			t.Errorf("%+v", r)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestMeasureStopsWhenItIsCancelled(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	o := quick
	o.Progress = func(what string, done, _ int) {
		if what == "reading" && done == 2 {
			cancel()
		}
	}
	p, err := Measure(ctx, dir, o)
	if !errors.Is(err, context.Canceled) || len(p.Reads) != 2 {
		t.Errorf("%v after %d patterns", err, len(p.Reads))
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestMeasureTellsWhyAFolderCannotBeMeasured(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	if _, err := Measure(t.Context(), missing, quick); err == nil || !strings.HasSuffix(err.Error(), "missing: no such file or directory") {
		t.Errorf("a folder that is not there: %v", err)
	}
	if _, err := Measure(t.Context(), "/proc", quick); err == nil || !strings.HasPrefix(err.Error(), "/proc: only 0 MB are free") {
		t.Errorf("a file system without space: %v", err)
	}
}

func TestMeasureTakesNoMoreThanPartOfTheFreeSpace(t *testing.T) {
	dir := t.TempDir()
	_, free, err := space(dir)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{FileBytes: free * 2, WriteTime: 1, ReadTime: 1, Patterns: []Pattern{{true, 4096, 1}}}
	if free < spaceShare*smallestFile {
		t.Skip("the disk is full")
	}
	p, err := Measure(t.Context(), dir, o)
	if err != nil || p.FileBytes != smallestFile {
		t.Errorf("%d bytes, %v: the time to write is over, so the file should have the least size", p.FileBytes, err)
	}
}

func TestAFolderInMemoryIsNotTakenForADevice(t *testing.T) {
	dir, err := os.MkdirTemp("/dev/shm", "hotcell-test-*")
	if err != nil {
		t.Skip(err)
	}
	defer os.RemoveAll(dir)
	p, err := Measure(t.Context(), dir, Options{FileBytes: 4 << 20, ReadTime: time.Millisecond, Patterns: []Pattern{{false, 4 << 20, 1}, {true, 4096, 2}}})
	if err != nil {
		t.Fatal(err)
	}
	if p.FileSystem != "tmpfs" {
		t.Skipf("/dev/shm is %s here", p.FileSystem)
	}
	if len(p.Reads) != 2 || p.Direct || p.WhyBuffered != "the folder lies in memory (tmpfs)" {
		t.Errorf("%+v", p)
	}
}

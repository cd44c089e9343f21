package iosched

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Profile is what a folder's device delivers.
type Profile struct {
	Folder      string       `json:"folder"`
	FileSystem  string       `json:"file_system"`
	Direct      bool         `json:"direct"`                 // the page cache was avoided
	WhyBuffered string       `json:"why_buffered,omitempty"` // if not
	MemoryAlign int          `json:"memory_align,omitempty"` // bytes, that direct reads demand
	OffsetAlign int          `json:"offset_align,omitempty"`
	FileBytes   int64        `json:"file_bytes"` // of the file that was read
	WriteRate   float64      `json:"write_bytes_per_s"`
	Reads       []Throughput `json:"reads"`
}

// Throughput is the result for one kind of reads.
type Throughput struct {
	Pattern
	BytesPerSec float64 `json:"bytes_per_s"`
	PerSec      float64 `json:"reads_per_s"`
}

// Pattern is a kind of reads.
type Pattern struct {
	Random  bool `json:"random"`        // or in order
	Request int  `json:"request_bytes"` // of one read, a multiple of 4096
	Depth   int  `json:"depth"`         // reads under way at once
}

// Patterns are those that a model's weights make: single pages and bundles of neurons, clusters, and whole layers in order.
func Patterns() (list []Pattern) {
	for _, request := range []int{4 << 10, 24 << 10, 64 << 10, 512 << 10} {
		for _, depth := range []int{1, 4, 16} {
			list = append(list, Pattern{true, request, depth})
		}
	}
	for _, depth := range []int{1, 4} {
		list = append(list, Pattern{false, 4 << 20, depth})
	}
	return list
}

// Options bound what Measure does. The zero value takes at most 1 GiB of disk for about 7 seconds.
type Options struct {
	FileBytes int64                            // size of the file, less where little space is free; 0: 1 GiB
	WriteTime time.Duration                    // after which the file is as large as it is; 0: 4 s
	ReadTime  time.Duration                    // of each pattern, twice; 0: 120 ms
	Patterns  []Pattern                        // nil: those of Patterns
	Progress  func(what string, done, all int) // called before each step; may be nil
}

const (
	writeChunk   = 4 << 20 // bytes of one write, and of the largest read
	smallestFile = 16 << 20
	spaceShare   = 4 // at most the fourth part of what is free is taken
	readRounds   = 2 // the better one counts: other programs can only slow a device down
)

// Measure writes a temporary file to a folder and reads it in several patterns. The file is nameless while it exists, so that nothing can be left
// behind. Without O_DIRECT the figures may be those of the page cache; Profile says so.
func Measure(ctx context.Context, dir string, o Options) (Profile, error) {
	o.defaults()
	p := Profile{Folder: dir}
	name, free, err := space(dir)
	if err != nil {
		return p, err
	}
	p.FileSystem = name
	size := min(o.FileBytes, free/spaceShare) / writeChunk * writeChunk
	if size < min(smallestFile, o.FileBytes) {
		return p, fmt.Errorf("%s: only %d MB are free, too few to measure reading", dir, free>>20)
	}
	file, a, err := p.create(dir)
	if err != nil {
		return p, fmt.Errorf("measuring %s: %w", dir, err)
	}
	defer file.Close()
	p.MemoryAlign, p.OffsetAlign = a.memory, a.offset
	steps := readRounds * len(o.Patterns)
	o.Progress("writing", 0, steps)
	if err := p.fill(ctx, file, size, o.WriteTime); err != nil {
		return p, fmt.Errorf("measuring %s: %w", dir, err)
	}
	for round := range readRounds {
		for i, pattern := range o.Patterns {
			o.Progress("reading", round*len(o.Patterns)+i, steps)
			if err := ctx.Err(); err != nil {
				return p, err
			}
			t, err := p.read(file, pattern, o.ReadTime)
			if err != nil {
				return p, fmt.Errorf("measuring %s: %w", dir, err)
			}
			if round == 0 {
				p.Reads = append(p.Reads, t)
			} else if t.PerSec > p.Reads[i].PerSec {
				p.Reads[i] = t
			}
		}
	}
	return p, nil
}

func (o *Options) defaults() {
	if o.FileBytes == 0 {
		o.FileBytes = 1 << 30
	}
	if o.WriteTime == 0 {
		o.WriteTime = 4 * time.Second
	}
	if o.ReadTime == 0 {
		o.ReadTime = 120 * time.Millisecond
	}
	if o.Patterns == nil {
		o.Patterns = Patterns()
	}
	if o.Progress == nil {
		o.Progress = func(string, int, int) {}
	}
}

// create makes an empty file without a name.
func (p *Profile) create(dir string) (*os.File, alignment, error) {
	named, err := os.CreateTemp(dir, ".hotcell-doctor-*")
	if err != nil {
		return nil, alignment{}, cause(err)
	}
	defer os.Remove(named.Name())
	defer named.Close()
	file, a, whyNot, err := openDirect(named.Name(), os.O_RDWR)
	if err != nil {
		return nil, a, cause(err)
	}
	if p.FileSystem == "tmpfs" {
		whyNot = "the folder lies in memory (tmpfs)"
	}
	p.Direct, p.WhyBuffered = whyNot == "", whyNot
	return file, a, nil
}

// cause strips the path that os errors repeat.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// fill writes up to size bytes that no file system can compress or leave out.
func (p *Profile) fill(ctx context.Context, file *os.File, size int64, limit time.Duration) error {
	chunk, free, err := pages(writeChunk)
	if err != nil {
		return err
	}
	defer free()
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(chunk)
	start := time.Now()
	for p.FileBytes < size && (time.Since(start) < limit || p.FileBytes < smallestFile) {
		if err := ctx.Err(); err != nil {
			return err
		}
		for page := 0; page < len(chunk); page += assumedAlign { // no page is like another
			_, _ = random.Read(chunk[page:][:64])
		}
		n, err := file.WriteAt(chunk, p.FileBytes)
		p.FileBytes += int64(n)
		if err != nil {
			return fmt.Errorf("writing: %w", cause(err))
		}
	}
	if err := unix.Fdatasync(int(file.Fd())); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	p.WriteRate = float64(p.FileBytes) / time.Since(start).Seconds()
	return nil
}

// read lets as many threads as the pattern is deep read for the time d, each one request after the other.
func (p *Profile) read(file *os.File, pattern Pattern, d time.Duration) (Throughput, error) {
	if !p.Direct { // what the cache still holds is not what the device delivers
		_ = unix.Fadvise(int(file.Fd()), 0, 0, unix.FADV_DONTNEED)
	}
	buffers, free, err := pages(pattern.Request * pattern.Depth)
	if err != nil {
		return Throughput{}, err
	}
	defer free()
	var (
		wait     sync.WaitGroup
		next     atomic.Int64 // request in order
		done     atomic.Int64 // requests
		failed   atomic.Pointer[error]
		fd       = int(file.Fd())
		requests = (p.FileBytes - int64(pattern.Request)) / assumedAlign
		start    = time.Now()
	)
	for thread := range pattern.Depth {
		wait.Go(func() {
			buffer := buffers[thread*pattern.Request:][:pattern.Request]
			random := rand.New(rand.NewPCG(uint64(thread), uint64(pattern.Request)))
			for time.Since(start) < d && failed.Load() == nil {
				offset := next.Add(1) - 1
				offset = offset * int64(pattern.Request) % (p.FileBytes / int64(pattern.Request) * int64(pattern.Request))
				if pattern.Random {
					offset = random.Int64N(requests+1) * assumedAlign
				}
				n, err := unix.Pread(fd, buffer, offset)
				if errors.Is(err, unix.EINTR) {
					continue
				}
				if err == nil && n < len(buffer) {
					err = errors.New("the file is shorter than what was written")
				}
				if err != nil {
					err = fmt.Errorf("reading %d bytes at %d: %w", len(buffer), offset, err)
					failed.CompareAndSwap(nil, &err)
					return
				}
				done.Add(1)
			}
		})
	}
	wait.Wait()
	if err := failed.Load(); err != nil {
		return Throughput{}, *err
	}
	perSec := float64(done.Load()) / time.Since(start).Seconds()
	return Throughput{pattern, perSec * float64(pattern.Request), perSec}, nil
}

// pages is memory as direct reads want it: it begins a page.
func pages(n int) (mem []byte, free func(), err error) {
	mem, err = unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, nil, fmt.Errorf("getting %d bytes of memory: %w", n, err)
	}
	return mem, func() { _ = unix.Munmap(mem) }, nil
}

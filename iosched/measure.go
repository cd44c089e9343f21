package iosched

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"time"
)

// Profile is what a folder's device delivers.
type Profile struct {
	Folder      string       `json:"folder"`
	FileSystem  string       `json:"file_system"`
	Direct      bool         `json:"direct"`                 // the page cache was avoided
	WhyBuffered string       `json:"why_buffered,omitempty"` // if not
	MemoryAlign int          `json:"memory_align,omitempty"` // bytes, that direct reads demand
	OffsetAlign int          `json:"offset_align,omitempty"`
	Engine      string       `json:"engine,omitempty"` // that read
	FileBytes   int64        `json:"file_bytes"`       // of the file that was read
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
	src, err := p.create(dir)
	if err != nil {
		return p, fmt.Errorf("measuring %s: %w", dir, err)
	}
	steps := readRounds * len(o.Patterns)
	o.Progress("writing", 0, steps)
	if err := p.fill(ctx, src.file, size, o.WriteTime); err != nil {
		src.file.Close()
		return p, fmt.Errorf("measuring %s: %w", dir, err)
	}
	sched, err := p.schedule(src, o.Patterns)
	if err != nil {
		src.file.Close()
		return p, fmt.Errorf("measuring %s: %w", dir, err)
	}
	defer sched.Close()
	for round := range readRounds {
		for i, pattern := range o.Patterns {
			o.Progress("reading", round*len(o.Patterns)+i, steps)
			if err := ctx.Err(); err != nil {
				return p, err
			}
			if !p.Direct { // what the cache still holds is not what the device delivers
				dropCache(src.file)
			}
			t, err := p.read(sched, pattern, o.ReadTime)
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
func (p *Profile) create(dir string) (*source, error) {
	named, err := os.CreateTemp(dir, ".hotcell-doctor-*")
	if err != nil {
		return nil, cause(err)
	}
	defer os.Remove(named.Name())
	defer named.Close()
	file, a, whyNot, err := openDirect(named.Name(), os.O_RDWR)
	if err != nil {
		return nil, cause(err)
	}
	if p.FileSystem == "tmpfs" {
		whyNot = "the folder lies in memory (tmpfs)"
	}
	return &source{file: file, info: Info{Path: dir, WhyBuffered: whyNot, MemoryAlign: a.memory, OffsetAlign: a.offset}}, nil
}

// schedule makes a scheduler for the file, now that there is something in it. Nothing is merged or divided: a pattern's reads are the device's.
func (p *Profile) schedule(src *source, patterns []Pattern) (*Scheduler, error) {
	c := Config{MaxMerge: -1}
	for _, pattern := range patterns {
		c.Depth, c.MaxRead = max(c.Depth, pattern.Depth), max(c.MaxRead, pattern.Request)
	}
	c.defaults()
	if err := src.look(&c); err != nil {
		return nil, err
	}
	sched, err := start(func() (Device, error) { return openEngine(src, &c) }, c)
	if err != nil {
		return nil, err
	}
	info := sched.Info()
	p.Direct, p.WhyBuffered, p.Engine = info.Direct, info.WhyBuffered, info.Engine
	if info.Direct {
		p.MemoryAlign, p.OffsetAlign = info.MemoryAlign, info.OffsetAlign
	}
	return sched, nil
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
	if err := file.Sync(); err != nil {
		return fmt.Errorf("writing: %w", cause(err))
	}
	p.WriteRate = float64(p.FileBytes) / time.Since(start).Seconds()
	return nil
}

// read keeps as many reads under way as the pattern is deep, for the time d.
func (p *Profile) read(sched *Scheduler, pattern Pattern, d time.Duration) (Throughput, error) {
	mem, free, err := pages(pattern.Request * pattern.Depth)
	if err != nil {
		return Throughput{}, err
	}
	defer free()
	n, took, err := drive(sched, pattern, mem, d)
	perSec := float64(n) / took.Seconds()
	return Throughput{pattern, perSec * float64(pattern.Request), perSec}, err
}

// drive is a load on a scheduler: it submits a new read for each that finishes. It returns how many finished in which time.
func drive(sched *Scheduler, pattern Pattern, mem []byte, d time.Duration) (finished int, took time.Duration, err error) {
	var (
		group    = NewGroup(pattern.Depth)
		requests = make([]Request, pattern.Depth)
		batch    = make([]*Request, 0, pattern.Depth)
		random   = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
		places   = sched.info.Size / int64(pattern.Request)
		pages    = (sched.info.Size - int64(pattern.Request)) / assumedAlign
		next     = int64(0)
	)
	group.Spin = -1 // spinning for 3 to 25 us gave no more reads
	if places < 1 {
		return 0, 0, fmt.Errorf("%d bytes are too few to measure reads of %d", sched.info.Size, pattern.Request)
	}
	for i := range requests {
		requests[i].Buf = mem[i*pattern.Request:][:pattern.Request]
		batch = append(batch, &requests[i])
	}
	for start := time.Now(); ; {
		for _, r := range batch {
			if r.Offset = next % places * int64(pattern.Request); pattern.Random {
				r.Offset = random.Int64N(pages+1) * assumedAlign
			}
			next++
		}
		if err == nil && time.Since(start) < d {
			err = sched.Submit(group, Demand, batch)
		}
		batch = batch[:0]
		r := group.Wait(time.Time{})
		if r == nil {
			return finished, time.Since(start), err
		}
		for ; r != nil; r = group.Poll() {
			if r.Err != nil {
				err = r.Err
			}
			finished++
			batch = append(batch, r)
		}
	}
}

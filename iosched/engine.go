package iosched

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"
)

// engineMaker makes a device of an open file.
type engineMaker struct {
	name string
	make func(f *source, depth int) (engine, error)
}

// engine is a device that reads a source's file.
type engine interface {
	Device
	release() // frees all but the file
}

// enginesFor lists the engines of a system that suit a kind of reading, the best first. Android kills a process that so much as
// tries io_uring, so there it is not even compiled in (uring_linux.go). Without O_DIRECT libaio waits in io_submit until the data is there.
func enginesFor(direct bool) (list []engineMaker) {
	for _, e := range engines() {
		if direct || e.name != "libaio" {
			list = append(list, e)
		}
	}
	return list
}

// EngineNames lists what Config.Engine may name on this system, the best first. All but pread may be refused by the kernel.
func EngineNames() (names []string) {
	for _, e := range engines() {
		names = append(names, e.name)
	}
	return names
}

// source is an open file and what is known of it. Every engine of this package embeds one.
type source struct {
	file  *os.File
	fd    int         // the file's
	stat  os.FileInfo // when it was opened
	named bool        // the file can be found by its path
	info  Info
}

func (s *source) Info() *Info { return &s.info }

// Changed compares what the path names now with what was opened.
func (s *source) Changed() error {
	if s.file == nil {
		return nil
	}
	now, err := s.file.Stat()
	if s.named && err == nil {
		now, err = os.Stat(s.info.Path)
	}
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("%s is gone: %w", s.info.Path, ErrChanged)
	case err != nil:
		return fmt.Errorf("%s: cannot be looked at any more (%v): %w", s.info.Path, cause(err), ErrChanged)
	case !os.SameFile(now, s.stat):
		return fmt.Errorf("%s was replaced by another file: %w", s.info.Path, ErrChanged)
	case now.Size() < s.stat.Size():
		return fmt.Errorf("%s was cut from %d to %d bytes: %w", s.info.Path, s.stat.Size(), now.Size(), ErrChanged)
	case now.Size() != s.stat.Size() || !now.ModTime().Equal(s.stat.ModTime()):
		return fmt.Errorf("%s was written to: %w", s.info.Path, ErrChanged)
	}
	return nil
}

// openSource opens a file for reading as the config wants it.
func openSource(path string, c *Config) (*source, error) {
	s := &source{named: true, info: Info{Path: path}}
	var err error
	if c.Direct == DirectOff {
		s.file, err = os.Open(path)
		s.info.WhyBuffered = "it was asked for"
	} else {
		var a alignment
		s.file, a, s.info.WhyBuffered, err = openDirect(path, os.O_RDONLY)
		s.info.MemoryAlign, s.info.OffsetAlign = a.memory, a.offset
	}
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, cause(err))
	}
	if err := s.look(c); err != nil {
		s.file.Close()
		return nil, err
	}
	return s, nil
}

// look checks a file that was opened and finds out whether direct reads really work.
func (s *source) look(c *Config) (err error) {
	path := s.info.Path
	s.fd = int(s.file.Fd())
	if s.stat, err = s.file.Stat(); err != nil {
		return fmt.Errorf("opening %s: %w", path, cause(err))
	}
	if !s.stat.Mode().IsRegular() {
		return fmt.Errorf("opening %s: it is not a regular file", path)
	}
	s.info.Size = s.stat.Size()
	if s.info.WhyBuffered == "" {
		if err := tryDirect(s.file, s.info.Size); err != nil {
			s.info.WhyBuffered = fmt.Sprintf("a direct read was tried: %v", cause(err))
			bufferAgain(s.file)
		}
	}
	s.info.Direct = s.info.WhyBuffered == ""
	if !s.info.Direct {
		s.info.MemoryAlign, s.info.OffsetAlign = 1, 1
		expectRandomReads(s.file)
		if c.Direct == DirectOn {
			return fmt.Errorf("opening %s past the page cache: %s", path, s.info.WhyBuffered)
		}
	}
	return nil
}

// openEngine makes the device for a source: the engine that the config names, or the best that works.
func openEngine(s *source, c *Config) (Device, error) {
	list := enginesFor(s.info.Direct)
	if c.Engine != "" && c.Engine != "auto" {
		list = nil
		for _, e := range engines() {
			if e.name == c.Engine {
				list = []engineMaker{e}
			}
		}
		if list == nil {
			return nil, fmt.Errorf("reading %s: there is no engine %q on %s, only %q", s.info.Path, c.Engine, runtime.GOOS, EngineNames())
		}
	}
	return firstThatWorks(list, s, c.Depth)
}

// firstThatWorks tries engines and notes in the source's info what was wrong with the first of them.
func firstThatWorks(list []engineMaker, s *source, depth int) (Device, error) {
	var problem error
	for _, e := range list {
		s.info.Engine, s.info.Depth = e.name, depth
		dev, err := e.make(s, depth)
		if err == nil {
			if err = tryEngine(dev); err == nil {
				return dev, nil
			}
			dev.release()
		}
		if problem == nil {
			problem = fmt.Errorf("%s does not work here: %w", e.name, err)
			s.info.Notes = problem.Error()
		}
	}
	return nil, fmt.Errorf("reading %s: %w", s.info.Path, problem)
}

// engineTrial bounds the one read by which a new engine shows that it works.
const engineTrial = 5 * time.Second

// tryEngine reads the file's first page. Sandboxes let an engine be set up and refuse its use, and that must not come out in the first answer.
func tryEngine(dev Device) error {
	if dev.Info().Size == 0 {
		return nil
	}
	page, free, err := pages(assumedAlign)
	if err != nil {
		return err
	}
	op := &Op{Bytes: len(page), Vec: [][]byte{page}}
	done := make([]*Op, 1)
	for end := Now() + int64(engineTrial); dev.Submit([]*Op{op}) == 0; {
		if dev.Reap(done, 0); Now() > end {
			free()
			return errors.New("it takes no reads")
		}
	}
	for end := Now() + int64(engineTrial); dev.Reap(done, engineTrial) == 0; {
		if Now() > end { // the page is not freed: the read may still come
			return errors.New("a read does not come back")
		}
	}
	free()
	return op.Err
}

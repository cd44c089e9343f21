package iosched

import "time"

// A Device carries out reads for a scheduler: a real file through one of the engines, or one of the wrappers that simulate flash and faults.
// Any thread may call its methods, but at most one at a time is in Submit, and one in Reap, perhaps while another is in Submit. Wake and Changed may be called
// at any time.
type Device interface {
	// Info describes the device; it never changes.
	Info() *Info
	// Submit starts reads. It takes as many as it can, from the front, and returns how many. It never waits for one to finish. A read that is refused comes
	// back from Reap with its error.
	Submit(ops []*Op) int
	// Reap stores finished reads, of which each appears once, and returns how many. When there is none it waits so long for one (0: not at all, which should
	// take no system call; negative: for ever), but may return early, and does after a Wake.
	Reap(done []*Op, wait time.Duration) int
	// Wake makes the Reap in progress, or the next one, return soon.
	Wake()
	// Changed says whether the file is still the one that was opened: nil, or an error that wraps ErrChanged.
	Changed() error
	// Close frees everything. No read is under way when it is called.
	Close() error
}

// Info says what a scheduler reads, and how.
type Info struct {
	Path        string // empty where there is no file
	Size        int64  // bytes, when it was opened
	Engine      string // "io_uring", "libaio", "pread"; with what is wrapped around it
	Notes       string // why not a better engine, a sentence; empty if there is nothing to say
	Direct      bool   // the page cache is avoided
	WhyBuffered string // if not, a sentence
	MemoryAlign int    // what a buffer's address must be a multiple of, at least 1
	OffsetAlign int    // what offsets and lengths must be a multiple of, at least 1; 4096 suits every device
	Depth       int    // most device reads under way at once
}

// An Op is one read of a device: a run of bytes of the file, scattered over pieces of memory. The scheduler owns a fixed number of them.
type Op struct {
	Slot   int      // which of the scheduler's ops it is: 0..Depth-1
	Offset int64    // in the file
	Bytes  int      // sum of Vec's lengths
	Vec    [][]byte // where to, in order; at most MaxPieces

	N   int   // result: bytes read; less than Bytes means that the file ends there
	Err error // result

	next   *Op // in lists of whoever has the op: the scheduler's free ones and those that came back, or an engine's
	parts  []part
	merged bool // of several requests
	class  Class
}

// part is a run of an op's bytes.
type part struct {
	request *Request // nil: a gap that nobody wants
	bytes   int
}

// MaxPieces bounds the pieces of memory that one device read goes to. Block devices take 64 to 256 before the kernel splits a read.
const MaxPieces = 64

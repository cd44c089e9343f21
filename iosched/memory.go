package iosched

import "unsafe"

// assumedAlign suits every file system that reads directly: a page, and f2fs's block.
const assumedAlign = 4096

// alignment is what direct reads of a file demand.
type alignment struct {
	memory, offset int // bytes; offset also counts for lengths
}

func address(buf []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(buf))) }

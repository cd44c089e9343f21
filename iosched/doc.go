// Package iosched reads weights from flash. It knows files and devices, and nothing of neurons.
//
// A model that does not fit into memory is read again and again, in requests of a few KB to a few MB. How fast that goes
// depends on the size of a request and on how many are under way at once far more than on the flash's nominal speed: a phone's
// storage that streams 4 GB/s gives a tenth of it for single reads of 4 KB. And the kernel's page cache, which would keep what
// was read, fights with the program for the same memory and costs a copy. So weights are read with O_DIRECT, past the
// cache, at offsets and into memory aligned as the file system demands, which statx tells (direct.go).
//
// Measure (measure.go) finds out what a folder's device delivers by request size and depth. It reads a file that it has
// written before, with a pool of threads that each wait for one pread at a time: the depth is their number. An asynchronous queue
// needs less CPU for the same, so these figures are a lower bound.
//
//	profile, err := iosched.Measure(ctx, dir, iosched.Options{})
//
// Invariants: nothing is left behind; the file has no name any more before its first byte is written. Direct says whether the page
// cache was avoided, and never is a figure from the cache passed off as the device's.
package iosched

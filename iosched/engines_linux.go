//go:build linux && !android

package iosched

// Both engines of the kernel gave as many reads per second for as much CPU on the machine that was measured. libaio comes first because it does not interrupt the
// thread that submitted a read when the read is finished, and because it is the one that Android has.
func engines() []engineMaker {
	return []engineMaker{{"libaio", newAIO}, {"io_uring", newUring}, {"pread", newPread}}
}

package iosched

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// vectorRead is the memory that one op's system call needs.
type vectorRead [MaxPieces]unix.Iovec

func (v *vectorRead) read(s *source, op *Op) (int, error) {
	for {
		var n uintptr
		var errno unix.Errno
		if len(op.Vec) == 1 {
			n, errno = pread(s.fd, op.Vec[0], op.Offset)
		} else {
			first := fillVector((*[MaxPieces]unix.Iovec)(v), op.Vec)
			// The offset comes in two words of the machine; where the first holds all of it the kernel shifts the second away.
			n, _, errno = unix.Syscall6(unix.SYS_PREADV, uintptr(s.fd), uintptr(unsafe.Pointer(first)), uintptr(len(op.Vec)), uintptr(op.Offset), uintptr(op.Offset>>32), 0)
		}
		switch errno {
		case 0:
			return int(n), nil
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
}

func pread(fd int, buf []byte, offset int64) (uintptr, unix.Errno) {
	n, err := unix.Pread(fd, buf, offset)
	if errno, ok := err.(unix.Errno); ok {
		return 0, errno
	}
	return uintptr(n), 0
}

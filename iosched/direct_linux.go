package iosched

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// openDirect opens a file past the page cache. Where the file system cannot do that, it opens it with the cache and says why not.
func openDirect(path string, flags int) (file *os.File, a alignment, whyNot string, err error) {
	file, err = os.OpenFile(path, flags|unix.O_DIRECT, 0)
	switch {
	case errors.Is(err, unix.EINVAL):
		whyNot = "the file system refuses O_DIRECT"
	case err != nil:
		return nil, a, "", err
	default:
		if a, err = directAlignment(file); err == nil && inMemory(file) {
			err = errInMemory
		}
		if err == nil {
			return file, a, "", nil
		}
		whyNot = err.Error()
		file.Close()
	}
	file, err = os.OpenFile(path, flags, 0)
	return file, a, whyNot, err
}

// inMemory tells file systems that take O_DIRECT and have no device.
func inMemory(file *os.File) bool {
	var st unix.Statfs_t
	return unix.Fstatfs(int(file.Fd()), &st) == nil && fileSystems[uint32(st.Type)] == "tmpfs"
}

var errInMemory = errors.New("the file lies in memory (tmpfs)")

var errNoDirect = errors.New("the file system reads through its cache whatever it is asked")

// directAlignment asks the kernel, which tells since Linux 6.1. On Android it is not asked: a system call that old releases do not
// know would end the program.
func directAlignment(file *os.File) (alignment, error) {
	a := alignment{assumedAlign, assumedAlign}
	if runtime.GOOS == "android" {
		return a, nil
	}
	var st unix.Statx_t
	err := unix.Statx(int(file.Fd()), "", unix.AT_EMPTY_PATH, unix.STATX_DIOALIGN, &st)
	if err != nil || st.Mask&unix.STATX_DIOALIGN == 0 {
		return a, nil
	}
	switch {
	case st.Dio_offset_align == 0:
		return a, errNoDirect
	case max(st.Dio_offset_align, st.Dio_mem_align) > assumedAlign:
		return a, fmt.Errorf("the file system reads directly only in units of %d bytes", max(st.Dio_offset_align, st.Dio_mem_align))
	}
	return alignment{int(st.Dio_mem_align), int(st.Dio_offset_align)}, nil
}

// fileSystems are the magic numbers that statfs gives.
var fileSystems = map[uint32]string{
	0xef53: "ext4", 0xf2f52010: "f2fs", 0x58465342: "xfs", 0x9123683e: "btrfs", 0x2fc12fc1: "zfs", 0x01021994: "tmpfs",
	0x794c7630: "overlayfs", 0x65735546: "FUSE", 0x5dca2df5: "sdcardfs", 0x6969: "NFS", 0x01021997: "9p", 0x4d44: "FAT",
	0x2011bab0: "exFAT", 0xff534d42: "CIFS", 0x6a656a63: "virtiofs",
}

// space tells of a folder's file system its name and how many bytes a user may still write.
func space(dir string) (name string, free int64, err error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return "", 0, fmt.Errorf("%s: %w", dir, err)
	}
	name, ok := fileSystems[uint32(st.Type)]
	if !ok {
		name = fmt.Sprintf("type %#x", uint32(st.Type))
	}
	return name, int64(st.Bavail) * int64(st.Bsize), nil
}

// tryDirect reads a file's first page and tells why that was no direct read. Some file systems take O_DIRECT when a file is opened and refuse the first
// read; on others, f2fs with encryption in software among them, the read goes through the page cache, and the page lies there afterwards.
func tryDirect(file *os.File, size int64) error {
	if size == 0 {
		return nil
	}
	page, free, err := pages(assumedAlign)
	if err != nil {
		return err
	}
	defer free()
	dropCache(file)
	before := firstPageCached(file)
	for {
		if _, err = unix.Pread(int(file.Fd()), page, 0); !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err == nil && !before && firstPageCached(file) {
		err = errNoDirect
	}
	return err
}

// firstPageCached tells whether the page cache holds the beginning of a file; false where the kernel does not say.
func firstPageCached(file *os.File) bool {
	mem, err := unix.Mmap(int(file.Fd()), 0, 1, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return false
	}
	defer unix.Munmap(mem)
	var cached [1]byte
	_, _, errno := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(&mem[0])), 1, uintptr(unsafe.Pointer(&cached)))
	return errno == 0 && cached[0]&1 != 0
}

// bufferAgain makes a file that was opened for direct reads an ordinary one.
func bufferAgain(file *os.File) {
	if flags, err := unix.FcntlInt(file.Fd(), unix.F_GETFL, 0); err == nil {
		_, _ = unix.FcntlInt(file.Fd(), unix.F_SETFL, flags&^unix.O_DIRECT)
	}
}

// expectRandomReads keeps the page cache from reading ahead: whoever uses this package knows better what comes next.
func expectRandomReads(file *os.File) { _ = unix.Fadvise(int(file.Fd()), 0, 0, unix.FADV_RANDOM) }

// dropCache asks the page cache to forget a file.
func dropCache(file *os.File) { _ = unix.Fadvise(int(file.Fd()), 0, 0, unix.FADV_DONTNEED) }

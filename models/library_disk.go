package models

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// DataEnv is the environment variable that names the folder of Hotcell's data.
const DataEnv = "HOTCELL_DATA"

// DataDir is the folder in which Hotcell keeps its data: what HOTCELL_DATA
// says, else hotcell in XDG_DATA_HOME or in ~/.local/share. Where there is no
// home to write to, as in adb shell, it is hotcell-data beside the program.
func DataDir() (string, error) {
	if dir := os.Getenv(DataEnv); dir != "" {
		return filepath.Abs(dir)
	}
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "hotcell"), nil
	}
	if home := os.Getenv("HOME"); filepath.IsAbs(home) && filepath.Clean(home) != "/" && unix.Access(home, unix.W_OK) == nil {
		return filepath.Join(home, ".local", "share", "hotcell"), nil
	}
	program, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("there is no home folder and the program's place is not known (set %s): %w", DataEnv, err)
	}
	return filepath.Join(filepath.Dir(program), "hotcell-data"), nil
}

// stagePrefix begins the names of folders that are being written or deleted.
const stagePrefix = ".tmp-"

// staging is a folder in the library that nobody looks at. It is locked while
// its process lives, so that the next one can tell a leftover from work.
type staging struct {
	dir  string
	lock *os.File
}

// stage makes a staging folder, and deletes those of processes that were killed.
func (l *Library) stage() (*staging, error) {
	if err := os.MkdirAll(l.dir, 0o755); err != nil {
		return nil, err
	}
	l.sweep()
	dir, err := os.MkdirTemp(l.dir, stagePrefix+"*")
	if err != nil {
		return nil, err
	}
	lock, err := lockDir(dir)
	if err != nil {
		os.Remove(dir)
		return nil, err
	}
	return &staging{dir, lock}, nil
}

// discard deletes what is left in the folder.
func (s *staging) discard() error {
	return errors.Join(os.RemoveAll(s.dir), s.lock.Close())
}

// sweep deletes leftovers. Errors wait for whoever needs the space.
func (l *Library) sweep() {
	folders, _ := os.ReadDir(l.dir)
	for _, f := range folders {
		if !f.IsDir() || !strings.HasPrefix(f.Name(), stagePrefix) {
			continue
		}
		dir := filepath.Join(l.dir, f.Name())
		if lock, err := lockDir(dir); err == nil {
			_ = os.RemoveAll(dir)
			lock.Close()
		}
	}
}

// lockDir opens a folder and locks it until it is closed; it fails if another
// has it.
func lockDir(dir string) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("locking %s: %w", dir, err)
	}
	return f, nil
}

// syncDir makes the names in a folder survive a power cut. File systems that
// cannot do that for folders say so with EINVAL.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil && !errors.Is(err, unix.EINVAL) {
		return err
	}
	return nil
}

// cloneFile makes dst share the blocks of the file at path, which takes no time
// and no space, where the file system can (Btrfs, XFS; not F2FS or ext4). Unlike
// with a hard link, later changes to one do not show in the other.
func cloneFile(dst *os.File, path string) error {
	src, err := os.Open(path)
	if err != nil {
		return err
	}
	defer src.Close()
	return unix.IoctlFileClone(int(dst.Fd()), int(src.Fd()))
}

// freeSpace is how many bytes this user may still write to the disk of dir.
func freeSpace(dir string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return int64(min(s.Bavail, 1<<40)) * int64(s.Bsize), nil
}

package store

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"syscall"

	"github.com/ncruces/go-sqlite3"
	_ "github.com/ncruces/go-sqlite3/embed" // SQLite as WebAssembly
	"github.com/tetratelabs/wazero"
)

// SQLite arrives as WebAssembly, and wazero makes machine code of it when the first store opens. That takes
// 1.3 s of one desktop core and 75 MB while it lasts, so the code (7.5 MB) is kept in a folder beside the
// database: from then on it takes 70 ms and 14 MB. Interpreting instead needs 50 MB for ever and is 40 times
// slower; it is for systems that let no program make machine code.
//
// wazero's own choice on a phone would be to interpret: it compiles on Linux, and Go calls that system Android.
// Its compiler works there all the same, so it is asked for by name.

// memoryPages is the most memory that SQLite may have, in pages of 64 KiB. It takes what it needs, 1 to 3 MB;
// the limit is for hostile files and must leave room for a few copies of the longest message.
const memoryPages = 96 << 20 >> 16

var startEngine sync.Once

// prepareEngine compiles SQLite, once for the process. folder is where the machine code is kept; with "" it
// is not kept. Errors are left to the first connection, which meets them again.
func prepareEngine(folder string) {
	startEngine.Do(func() {
		config := wazero.NewRuntimeConfigInterpreter().WithMemoryLimitPages(memoryPages)
		if cache := openCache(folder); cache != nil {
			config = compilerConfig(cache)
		} else if cache := wazero.NewCompilationCache(); compiles(cache) {
			config = compilerConfig(cache)
		}
		sqlite3.RuntimeConfig = config
		_ = sqlite3.Initialize()
		debug.FreeOSMemory() // the compiler's garbage is worth a good part of a small model
	})
}

func compilerConfig(cache wazero.CompilationCache) wazero.RuntimeConfig {
	return wazero.NewRuntimeConfigCompiler().WithMemoryLimitPages(memoryPages).WithCompilationCache(cache)
}

// openCache returns the cache of machine code in folder with SQLite in it, or nil if there is none that can be trusted.
func openCache(folder string) wazero.CompilationCache {
	if folder == "" || os.MkdirAll(folder, 0o700) != nil || !private(folder) {
		return nil
	}
	before := cachedFiles(folder)
	cache := tryCache(folder)
	if cache == nil { // a damaged file; a second failure is a disk that cannot be written
		_ = os.RemoveAll(folder)
		if cache = tryCache(folder); cache == nil {
			return nil
		}
	}
	for _, old := range outdated(before, cachedFiles(folder)) {
		_ = os.Remove(old)
	}
	return cache
}

func tryCache(folder string) wazero.CompilationCache {
	cache, err := wazero.NewCompilationCacheWithDir(folder)
	if err != nil || !compiles(cache) {
		return nil
	}
	return cache
}

// compiles tells whether SQLite can be compiled with a cache. It is tried here because the driver tries only
// once. The code stays in the cache's memory, where the driver finds it.
func compiles(cache wazero.CompilationCache) (ok bool) {
	defer func() {
		if recover() != nil { // memory for machine code that the system refuses
			ok = false
		}
	}()
	ctx := context.Background()
	_, err := wazero.NewRuntimeWithConfig(ctx, compilerConfig(cache)).CompileModule(ctx, sqlite3.Binary)
	return err == nil
}

// outdated is which of the files that were there before this program opened the cache are of no use to it: all
// of them if it has added one, which it does if its own is missing. They are of another version of SQLite or wazero.
func outdated(before, after []string) []string {
	if len(after) > len(before) {
		return before
	}
	return nil
}

// private tells whether only this user can write to folder. What lies in it is run as machine code, and on
// shared storage every app could have put it there.
func private(folder string) bool {
	info, err := os.Lstat(folder)
	if err != nil || !info.IsDir() || info.Mode().Perm()&0o022 != 0 {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}

// cachedFiles lists what wazero keeps in folder: a folder for each of its versions, a file for each program.
func cachedFiles(folder string) (files []string) {
	_ = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			files = append(files, path)
		}
		return nil
	})
	return files
}

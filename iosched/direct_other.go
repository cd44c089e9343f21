//go:build !linux

package iosched

import (
	"errors"
	"os"
	"runtime"
)

func openDirect(path string, flags int) (file *os.File, a alignment, whyNot string, err error) {
	file, err = os.OpenFile(path, flags, 0)
	return file, alignment{}, "past the page cache this program reads on Linux and Android only", err
}

func space(string) (name string, free int64, err error) {
	return "", 0, errors.New("storage is not measured on " + runtime.GOOS)
}

func tryDirect(*os.File, int64) error { return nil }

func bufferAgain(*os.File) {}

func expectRandomReads(*os.File) {}

func dropCache(*os.File) {}

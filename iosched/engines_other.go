//go:build !linux

package iosched

func engines() []engineMaker { return []engineMaker{{"pread", newPread}} }

//go:build !linux

package iosched

func bindThread([]int) {}

func preciseTimers() {}

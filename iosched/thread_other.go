//go:build !linux

package iosched

func bindThread([]int) {}

func beginPrecise() int { return 0 }

func endPrecise(int) {}

//go:build !amd64 && !arm64

package kernel

func archOps() []ops { return nil }

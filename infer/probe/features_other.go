//go:build !amd64 && !arm64

package probe

// features are none: there are no kernels for this CPU.
func features() []string { return []string{} }

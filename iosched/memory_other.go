//go:build !linux

package iosched

func pages(n int) (mem []byte, free func(), err error) {
	mem = make([]byte, n+assumedAlign)
	skip := -address(mem) % assumedAlign
	return mem[skip:][:n], func() {}, nil
}

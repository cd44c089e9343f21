//go:build !linux

package iosched

import (
	"sync/atomic"
	"time"
)

// napNs is between two looks at a word. The program is made for Linux and Android; elsewhere it need only work.
const napNs = 50_000

func futexWait(word *atomic.Uint32, old uint32, until int64) {
	for word.Load() == old && Now() < until {
		time.Sleep(napNs)
	}
}

func futexWake(*atomic.Uint32, int) {}

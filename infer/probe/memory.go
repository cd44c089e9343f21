package probe

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"hotcell/infer/workers"
)

// Bandwidth is how fast so many threads read memory.
type Bandwidth struct {
	Threads     int     `json:"threads"`
	BytesPerSec float64 `json:"bytes_per_s"`
}

// readTime is how long one measurement of a bandwidth takes, and readRuns how many there are for each number of threads; the best counts.
const (
	readTime = 60 * time.Millisecond
	readRuns = 6
)

// Bandwidths measures the streaming read with 1, 2, 4, ... threads, pinned to the fastest cores, up to one for each core. size is how many bytes
// are read over and over: much more than the caches hold. each is called before each measurement with the number of
// threads.
func Bandwidths(size int, each func(threads int)) ([]Bandwidth, error) {
	mem, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("getting %d MB of memory to read: %w", size>>20, err)
	}
	defer unix.Munmap(mem)
	_ = unix.Madvise(mem, unix.MADV_HUGEPAGE) // as the weights have it
	for i := 0; i < size; i += 4096 {
		mem[i] = 1 // pages that were never written are all the same page of zeros
	}
	var list []Bandwidth
	for _, n := range threadCounts(len(workers.Cores())) {
		each(n)
		list = append(list, Bandwidth{n, bandwidth(n, mem)})
	}
	return list, nil
}

func bandwidth(threads int, mem []byte) (best float64) {
	p := workers.New(threads, workers.Options{Pin: true})
	defer p.Close()
	defer p.Bind()()
	for range readRuns {
		best = max(best, ReadRate(p, mem, readTime))
	}
	return best
}

// threadCounts are the powers of two below the number of cores, and that number.
func threadCounts(cores int) []int {
	var counts []int
	for n := 1; n < cores; n *= 2 {
		counts = append(counts, n)
	}
	return append(counts, cores)
}

// BufferSize is how many bytes Bandwidths should read where so many are available and the last-level cache has cache bytes (0: not known): at
// least 8 times the cache, but no more than an eighth of what is available.
func BufferSize(available, cache int64) int {
	size := max(256<<20, 8*cache)
	if available > 0 {
		size = min(size, available/8)
	}
	return int(max(size, 16<<20))
}

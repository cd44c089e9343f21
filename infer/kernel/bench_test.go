package kernel

import (
	"bytes"
	"fmt"
	"syscall"
	"testing"
	"unsafe"
)

// streamBytes is more than the last-level cache of the machines that we run on keeps.
const streamBytes = 512 << 20

// stream returns a buffer of streamBytes in huge pages where there are any.
func stream(b *testing.B) []byte {
	b.Helper()
	mem, err := syscall.Mmap(-1, 0, streamBytes, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = syscall.Munmap(mem) })
	_ = syscall.Madvise(mem, 14) // MADV_HUGEPAGE; without it page walks add to what is measured
	for i := range mem {
		mem[i] = 0x11 // small finite weights and scales in every format
	}
	return mem
}

// BenchmarkStreamingRead is the limit that decode can reach: a plain vector search for a byte that is not there.
func BenchmarkStreamingRead(b *testing.B) {
	mem := stream(b)
	b.SetBytes(int64(len(mem)))
	for b.Loop() {
		if bytes.IndexByte(mem, 0x22) >= 0 {
			b.Fatal("found")
		}
	}
}

// benchFormats are the formats with the bits that a weight takes in the usual file: Q4_0, Q4_K, IQ4_XS, Q6_K, Q5_K, Q8_0.
var benchFormats = []struct {
	format   Format
	fileBits float64
}{{Q4, 4.5}, {Q4K, 4.5}, {Q4T, 4.25}, {Q8S, 6.5625}, {Q8A, 5.5}, {Q8, 8.5}, {F16, 16}, {F32, 32}}

// BenchmarkPanel reads panels of 4096 columns from memory, one token: bytes of weights for each second, as they lie in memory and
// as they took in the file.
func BenchmarkPanel(b *testing.B) {
	mem := stream(b)
	for _, bf := range benchFormats {
		f := bf.format
		for _, v := range variants {
			b.Run(fmt.Sprintf("%v/%s", f, v.name), func(b *testing.B) {
				n, panel, x := benchPanel(f)
				var y [PanelRows]float32
				total := len(mem) / panel * panel
				if v.name == goOps.name {
					total = 16 * panel
				}
				b.SetBytes(int64(total))
				for b.Loop() {
					for off := 0; off < total; off += panel {
						v.panel[f](unsafe.Pointer(&y), unsafe.Pointer(&mem[off]), unsafe.Pointer(&x[0]), n)
					}
				}
				file := bf.fileBits / 8 * PanelRows * benchCols * float64(total/panel) * float64(b.N)
				b.ReportMetric(file/b.Elapsed().Seconds()/1e9, "fileGB/s")
			})
		}
	}
}

// BenchmarkTile multiplies one cached panel of 4096 columns with 4 tokens: what prefill can reach, in multiplications and additions for
// each second.
func BenchmarkTile(b *testing.B) {
	for _, bf := range benchFormats {
		f := bf.format
		for _, v := range variants {
			b.Run(fmt.Sprintf("%v/%s", f, v.name), func(b *testing.B) {
				n, panel, x := benchPanel(f)
				w := alignedBytes(panel)
				clear(w)
				var y [Tile][PanelRows]float32
				for b.Loop() {
					v.tile[f](unsafe.Pointer(&y), PanelRows*4, unsafe.Pointer(&w[0]), unsafe.Pointer(&x[0]), uintptr(len(x)/Tile), n)
				}
				ops := 2 * float64(Tile*PanelRows*n*unitCols(f)) * float64(b.N)
				b.ReportMetric(ops/b.Elapsed().Seconds()/1e9, "GOP/s")
			})
		}
	}
}

// benchCols is the width of the panels of benchmarks.
const benchCols = 4096

// benchPanel is the length, size and 4 tokens' input of a panel.
func benchPanel(f Format) (n, panel int, x []byte) {
	n = benchCols / unitCols(f)
	return n, f.PanelBytes(benchCols), make([]byte, Tile*inputBytes(f, n))
}

func BenchmarkQuantize(b *testing.B) {
	for _, v := range variants {
		b.Run(v.name, func(b *testing.B) {
			const blocks = benchCols / BlockCols
			x, dst := randomActs(1, blocks*BlockCols).Row(0), make([]byte, actRecordBytes(blocks))
			b.SetBytes(int64(len(x) * 4))
			for b.Loop() {
				v.quantize(unsafe.Pointer(&dst[0]), &x[0], blocks)
			}
		})
	}
}

// BenchmarkRow does row operations of 4096 weights in cache: bytes of weights for each second.
func BenchmarkRow(b *testing.B) {
	const n = 4096
	x, w := make([]float32, n), make([]byte, n*4)
	for _, v := range variants {
		for _, op := range []struct {
			name  string
			bytes int
			call  func()
		}{
			{"DotF32", n * 4, func() { v.dotF32(&x[0], unsafe.Pointer(&w[0]), n) }},
			{"DotF16", n * 2, func() { v.dotF16(&x[0], unsafe.Pointer(&w[0]), n) }},
			{"AxpyF32", n * 4, func() { v.axpyF32(&x[0], unsafe.Pointer(&w[0]), 1, n) }},
			{"AxpyF16", n * 2, func() { v.axpyF16(&x[0], unsafe.Pointer(&w[0]), 1, n) }},
			{"AxpyQ8", n / 32 * 34, func() { v.axpyQ8(&x[0], unsafe.Pointer(&w[0]), 1, n/32) }},
			{"AxpyQ4", n / 32 * 18, func() { v.axpyQ4(&x[0], unsafe.Pointer(&w[0]), 1, n/32) }},
		} {
			b.Run(op.name+"/"+v.name, func(b *testing.B) {
				b.SetBytes(int64(op.bytes))
				for b.Loop() {
					op.call()
				}
			})
		}
	}
}

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

// BenchmarkPanel reads panels of 4096 columns from memory, one token: bytes of weights for each second.
func BenchmarkPanel(b *testing.B) {
	mem := stream(b)
	for _, f := range []Format{Q4, Q8, F16, F32} {
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
			})
		}
	}
}

// BenchmarkTile multiplies one cached panel of 4096 columns with 4 tokens: what prefill can reach, in multiplications and additions for
// each second.
func BenchmarkTile(b *testing.B) {
	for _, f := range []Format{Q4, Q8, F16, F32} {
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

// benchPanel is the length, size and 4 tokens' input of a panel of 4096 columns.
func benchPanel(f Format) (n, panel int, x []byte) {
	const cols = 4096
	n = cols / unitCols(f)
	return n, f.PanelBytes(cols), make([]byte, Tile*inputBytes(f, n))
}

func BenchmarkQuantize(b *testing.B) {
	for _, v := range variants {
		b.Run(v.name, func(b *testing.B) {
			const blocks = 4096 / BlockCols
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

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

// BenchmarkPack packs matrices of 2048 columns, a quarter of a megabyte at a time as loading does: bytes of the file for each second.
func BenchmarkPack(b *testing.B) {
	const cols = 2048
	for f, types := range fileTypes {
		typ := types[0]
		b.Run(typ.String(), func(b *testing.B) {
			elems, size := typ.Block()
			panel := PanelRows * cols / elems * size
			rows := (256 << 10) / panel * PanelRows
			src := randomRows(newRand(1), typ, rows, cols)
			m := &Matrix{Format: Format(f), Rows: rows, Cols: cols, Data: alignedBytes(MatrixBytes(Format(f), rows, cols))}
			b.SetBytes(int64(len(src)))
			for b.Loop() {
				if err := m.Pack(0, typ, src); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// fileBits is how many bits a weight takes in the usual file.
func fileBits(f Format) float64 {
	elems, size := fileTypes[f][0].Block()
	return float64(8*size) / float64(elems)
}

// BenchmarkPanel reads panels of 4096 columns from memory, one token: bytes of weights for each second, as they lie in memory and
// as they took in the file.
func BenchmarkPanel(b *testing.B) {
	mem := stream(b)
	for _, f := range formats {
		for _, v := range variants {
			b.Run(fmt.Sprintf("%v/%s", f, v.name), func(b *testing.B) {
				n, panel, x := benchPanel(f)
				var y [PanelRows]float32
				total := len(mem) / panel * panel
				if v.name == goOps.name {
					total = 16 * panel
				}
				b.SetBytes(int64(total))
				defer func(before ops) { active = before }(active)
				active = v
				p := product{y: unsafe.Pointer(&y), wStride: panel, x: unsafe.Pointer(&x[0]), n: n}
				for b.Loop() {
					for off := 0; off < total; off += panel {
						p.w = unsafe.Pointer(&mem[off])
						p.multiply(f, 1, 1)
					}
				}
				file := fileBits(f) / 8 * PanelRows * benchCols * float64(total/panel) * float64(b.N)
				b.ReportMetric(file/b.Elapsed().Seconds()/1e9, "fileGB/s")
			})
		}
	}
}

// BenchmarkPrefill multiplies panels of 4096 columns from memory with 128 tokens, expansion included: what prompts can reach, in multiplications and
// additions for each second.
func BenchmarkPrefill(b *testing.B) {
	mem := stream(b)
	for _, f := range formats {
		for _, v := range variants {
			b.Run(fmt.Sprintf("%v/%s", f, v.name), func(b *testing.B) {
				const panels = 8
				n, panel, x := benchPanel(f)
				defer func(before ops) { active = before }(active)
				active = v
				y := make([]float32, benchTokens*panels*PanelRows)
				p := product{unsafe.Pointer(&y[0]), panels * PanelRows * 4, nil, panel, unsafe.Pointer(&x[0]), uintptr(len(x) / benchTokens), n}
				at := 0
				for b.Loop() {
					p.w = unsafe.Pointer(&mem[at])
					p.multiply(f, panels, benchTokens)
					if at += panels * panel; at+panels*panel > len(mem) {
						at = 0
					}
				}
				ops := 2 * float64(panels*benchTokens*PanelRows*n*unitCols(f)) * float64(b.N)
				b.ReportMetric(ops/b.Elapsed().Seconds()/1e9, "GOP/s")
			})
		}
	}
}

// benchCols is the width of the panels of benchmarks, benchTokens the number of tokens.
const benchCols, benchTokens = 4096, 128

// benchPanel is the length, size and input of a panel.
func benchPanel(f Format) (n, panel int, x []byte) {
	n = benchCols / unitCols(f)
	return n, f.PanelBytes(benchCols), make([]byte, benchTokens*inputBytes(f, n))
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

package kernel

import (
	"fmt"
	"math"
	"testing"
)

// scratch is this test's: none runs in parallel.
var scratch KVScratch

// kvShapes are widths of heads with the formats that can keep them.
var kvShapes = []struct {
	format Format
	dim    int
}{{F32, 8}, {F32, 64}, {F16, 8}, {F16, 16}, {F16, 80}, {F16, 128}, {Q8, 32}, {Q8, 64}, {Q8, 128}, {Q8, 256}}

// newKV makes an empty cache of a head in memory that ends with a page, full of what no product may take for a number.
func newKV(t testing.TB, f Format, dim, positions int) *KV {
	t.Helper()
	keys, values := KVBytes(f, dim, positions)
	c := &KV{Format: f, Dim: dim, Positions: positions, Keys: guarded(t, keys)[:keys:keys], Values: guarded(t, values)[:values:values]}
	for _, b := range [][]byte{c.Keys, c.Values} {
		for i := range b {
			b[i] = 0xff
		}
	}
	return c
}

// fillKV stores random keys and values at positions 0 to n-1 and returns what the format keeps of them.
func fillKV(c *KV, n int) (keys, values [][]float32) {
	r := newRand(uint64(n))
	for pos := range n {
		k, v := make([]float32, c.Dim), make([]float32, c.Dim)
		for i := range k {
			k[i], v[i] = gauss(r), gauss(r)
		}
		c.Store(pos, k, v, &scratch)
		keys, values = append(keys, k), append(values, v)
	}
	return keys, values
}

// tolerance is how far a stored number may be from the given one.
func (c *KV) tolerance() float64 {
	return map[Format]float64{F32: 0, F16: 0x1p-10, Q8: 0.02}[c.Format]
}

func queries(n, stride int) []float32 {
	r, q := newRand(5), make([]float32, n*stride)
	for i := range q {
		q[i] = gauss(r)
	}
	return q
}

func TestScoresAreTheProductsOfQueriesAndKeys(t *testing.T) {
	eachVariant(t, func(t *testing.T, v ops) {
		defer func(before ops) { active = before }(active)
		active = v
		for _, shape := range kvShapes {
			for _, n := range []int{1, 3, 4, 5, 8, 17} {
				t.Run(fmt.Sprintf("%v of %d, %d queries", shape.format, shape.dim, n), func(t *testing.T) {
					const stored, room = 45, 64
					c := newKV(t, shape.format, shape.dim, room)
					keys, _ := fillKV(c, stored)
					qStride := shape.dim + 3
					q := queries(n, qStride)
					for _, span := range [][2]int{{0, 1}, {0, 16}, {16, 45}, {32, 33}, {0, 45}} {
						lo, hi := span[0], span[1]
						stride := (hi-lo+KVBlock-1)/KVBlock*KVBlock + 1
						dst := make([]float32, n*stride)
						for i := range dst {
							dst[i] = -7
						}
						c.Scores(dst, stride, q, qStride, n, lo, hi, &scratch)
						for i := range n {
							for pos := lo; pos < hi; pos++ {
								var want, size float64
								for d, e := range q[i*qStride:][:shape.dim] {
									want += float64(e) * float64(keys[pos][d])
									size += math.Abs(float64(e)) + math.Abs(float64(keys[pos][d]))
								}
								if got := float64(dst[i*stride+pos-lo]); !(math.Abs(got-want) <= size*(c.tolerance()+1e-6)) {
									t.Fatalf("query %d, position %d of %d to %d: %v, want %v", i, pos, lo, hi, got, want)
								}
							}
							if dst[i*stride+stride-1] != -7 {
								t.Fatalf("query %d: wrote past its scores", i)
							}
						}
					}
				})
			}
		}
	})
}

func TestAScoreHasTheSameBitsInEveryCall(t *testing.T) {
	eachVariant(t, func(t *testing.T, v ops) {
		defer func(before ops) { active = before }(active)
		active = v
		for _, shape := range kvShapes {
			const n, stored = 11, 64
			c := newKV(t, shape.format, shape.dim, stored)
			fillKV(c, stored)
			q := queries(n, shape.dim)
			all := make([]float32, n*stored)
			c.Scores(all, stored, q, shape.dim, n, 0, stored, &scratch)
			for i := range n {
				for lo := 0; lo < stored; lo += KVBlock {
					var one [KVBlock]float32
					c.Scores(one[:], KVBlock, q[i*shape.dim:], shape.dim, 1, lo, lo+3, &scratch)
					for j, got := range one {
						if got != all[i*stored+lo+j] {
							t.Fatalf("%v of %d: query %d, position %d: alone %v, with others %v", shape.format, shape.dim, i, lo+j, got, all[i*stored+lo+j])
						}
					}
				}
			}
		}
	})
}

func TestMixIsTheWeightedSumOfValues(t *testing.T) {
	eachVariant(t, func(t *testing.T, v ops) {
		defer func(before ops) { active = before }(active)
		active = v
		for _, shape := range kvShapes {
			for _, n := range []int{1, 4, 6, 9} {
				const stored, room = 300, 304
				c := newKV(t, shape.format, shape.dim, room)
				_, values := fillKV(c, stored)
				p := queries(n, room)
				stride := shape.dim + 2
				for _, span := range [][2]int{{0, 1}, {7, 9}, {0, 300}, {13, 141}, {5, 5}, {299, 300}} {
					lo, hi := span[0], span[1]
					out, one := make([]float32, n*stride), make([]float32, shape.dim)
					for i := range out {
						out[i] = -7
					}
					c.Mix(out, stride, p, room, n, lo, hi, &scratch)
					for i := range n {
						for d := range shape.dim {
							var want, size float64
							for pos := lo; pos < hi; pos++ {
								w := float64(p[i*room+pos-lo])
								want += w * float64(values[pos][d])
								size += math.Abs(w) * (1 + math.Abs(float64(values[pos][d])))
							}
							if got := float64(out[i*stride+d]); !(math.Abs(got-want) <= size*(c.tolerance()+1e-6)) {
								t.Fatalf("%v of %d, %d queries: element %d of query %d over %d to %d: %v, want %v",
									shape.format, shape.dim, n, d, i, lo, hi, got, want)
							}
						}
						if out[i*stride+shape.dim] != -7 {
							t.Fatalf("%v of %d: query %d: wrote past its result", shape.format, shape.dim, i)
						}
						c.Mix(one, 0, p[i*room:], 0, 1, lo, hi, &scratch)
						for d := range one {
							if one[d] != out[i*stride+d] {
								t.Fatalf("%v of %d: query %d alone gives other bits than with others", shape.format, shape.dim, i)
							}
						}
					}
				}
			}
		}
	})
}

func TestAttentionAllocatesNothing(t *testing.T) {
	for _, f := range []Format{F16, F32, Q8} {
		c := newKV(t, f, 64, 32)
		k, q, s, out := make([]float32, 64), queries(8, 64), make([]float32, 8*32), make([]float32, 8*64)
		if n := testing.AllocsPerRun(10, func() {
			c.Store(3, k, k, &scratch)
			c.Scores(s, 32, q, 64, 8, 0, 32, &scratch)
			for i := range 8 {
				ExpSum(s[i*32:][:4], Max(s[i*32:][:4]))
			}
			c.Mix(out, 64, s, 32, 8, 0, 4, &scratch)
			SiluMul(out, out, out)
		}); n != 0 {
			t.Errorf("%v: %v allocations", f, n)
		}
	}
}

func TestKVFormatsKnowTheirWidths(t *testing.T) {
	for _, c := range []struct {
		format Format
		dim    int
		want   bool
	}{{F16, 8, true}, {F32, 72, true}, {Q8, 64, true}, {Q8, 80, false}, {Q8, 8192, false}, {Q4, 64, false}} {
		if got := KVFormat(c.format, c.dim); got != c.want {
			t.Errorf("%v of %d: %v", c.format, c.dim, got)
		}
	}
}

// BenchmarkAttention is 8 queries of one head of 64 over 4096 positions: bytes of keys and values for each second.
func BenchmarkAttention(b *testing.B) {
	const n, dim, positions = 8, 64, 4096
	for _, f := range []Format{F16, Q8} {
		c := newKV(b, f, dim, positions)
		fillKV(c, positions)
		q, s, out := queries(n, dim), make([]float32, n*positions), make([]float32, n*dim)
		for _, v := range variants[:len(variants)-1] {
			defer func(before ops) { active = before }(active)
			active = v
			for name, call := range map[string]func(){
				"scores":  func() { c.Scores(s, positions, q, dim, n, 0, positions, &scratch) },
				"mix":     func() { c.Mix(out, dim, s, positions, n, 0, positions, &scratch) },
				"softmax": func() { ExpSum(s, Max(s)) },
			} {
				b.Run(fmt.Sprintf("%v/%s/%s", f, name, v.name), func(b *testing.B) {
					b.SetBytes(int64(len(c.Keys)))
					clear(s)
					for b.Loop() {
						call()
					}
					b.ReportMetric(float64(n*positions)*float64(b.N)/b.Elapsed().Seconds()/1e9, "Gscores/s")
				})
			}
		}
	}
}

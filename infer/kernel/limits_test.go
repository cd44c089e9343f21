package kernel

import (
	"encoding/binary"
	"testing"
)

func TestTheStreamingReadAddsUpEveryWord(t *testing.T) {
	eachVariant(t, func(t *testing.T, v ops) {
		l := archLimits(v.name)
		if l.read == nil {
			t.Skip("this variant has no limits")
		}
		r := newRand(1)
		for _, n := range []int{0, 7, 8, 255, 256, 264, 4096, 10000} {
			mem := guarded(t, n) // prefetching past the end must not fault
			for i := range mem {
				mem[i] = byte(r.Uint32())
			}
			var want uint64
			for i := 0; i+8 <= n; i += 8 {
				want += binary.LittleEndian.Uint64(mem[i:])
			}
			if got := l.streamRead(mem); got != want {
				t.Errorf("%d bytes: the sum is %#x, want %#x", n, got, want)
			}
		}
	})
}

func TestTheMultiplicationLoopsDoAsManyMultiplicationsAsTheyClaim(t *testing.T) {
	eachVariant(t, func(t *testing.T, v ops) {
		l := archLimits(v.name)
		if l.multiplyInt8 == nil {
			t.Skip("this variant has no limits")
		}
		for _, n := range []int{1, 2, 1000} {
			var ints [16]int32
			l.multiplyInt8(&ints, n)
			sum := 0
			for _, s := range ints {
				sum += int(s)
			}
			if sum != n*l.int8MACs {
				t.Errorf("%d rounds of 8-bit integers: %d multiply-additions, want %d", n, sum, n*l.int8MACs)
			}
			var floats [16]float32
			l.multiplyFloat32(&floats, n)
			var total float64
			for _, s := range floats {
				total += float64(s)
			}
			if total != float64(n*l.float32MACs) {
				t.Errorf("%d rounds of float32: %g multiply-additions, want %d", n, total, n*l.float32MACs)
			}
		}
	})
}

func TestLimitsBelongToTheVariantInUse(t *testing.T) {
	before := Active()
	defer func() { _ = Use(before) }()
	for _, name := range Names() {
		if err := Use(name); err != nil {
			t.Fatal(err)
		}
		want := name != goOps.name
		if HasLimits() != want {
			t.Errorf("%s: HasLimits is %v", name, !want)
		}
		if (MultiplyInt8() >= 2*limitMACs) != want || (MultiplyFloat32() >= 2*limitMACs) != want {
			t.Errorf("%s: %d and %d operations", name, MultiplyInt8(), MultiplyFloat32())
		}
		if got := StreamRead([]byte{1, 0, 0, 0, 0, 0, 0, 0}); (got == 1) != want {
			t.Errorf("%s: the sum of a word of 1 is %d", name, got)
		}
	}
}

func BenchmarkLimit(b *testing.B) {
	mem := stream(b)
	b.Run("read", func(b *testing.B) {
		b.SetBytes(int64(len(mem)))
		for b.Loop() {
			StreamRead(mem)
		}
	})
	for name, multiply := range map[string]func() int{"int8": MultiplyInt8, "float32": MultiplyFloat32} {
		b.Run(name, func(b *testing.B) {
			operations := 0
			for b.Loop() {
				operations += multiply()
			}
			b.ReportMetric(float64(operations)/b.Elapsed().Seconds()/1e9, "GOP/s")
		})
	}
}

package gguf

import (
	"hash/crc32"
	"testing"
)

// The checksums are those of ggml's own tables, stored as bytes: coordinate
// after coordinate, point after point.
func TestCodebooksAreThoseOfTheFormat(t *testing.T) {
	same := func(x byte) byte { return x }
	for _, c := range []struct {
		name   string
		points int
		sum    uint32
		bytes  []byte
	}{
		{"IQ1_S and IQ1_M", 2048, 0xb85e6ccf, coordinates(iq1Book(), func(x byte) byte { return x/8 - 1 })},
		{"IQ2_XXS", 256, 0x9924ff02, coordinates(iq2xxsBook(), same)},
		{"IQ2_XS", 512, 0xfa1e1bfd, coordinates(iq2xsBook(), same)},
		{"IQ2_S", 1024, 0x25ae5bf1, coordinates(iq2sBook(), same)},
		{"IQ3_XXS", 256, 0x07ba9ed0, coordinates(iq3xxsBook(), same)},
		{"IQ3_S", 512, 0xf576e4f3, coordinates(iq3sBook(), same)},
	} {
		t.Run(c.name, func(t *testing.T) {
			width := 8
			if c.name[:3] == "IQ3" {
				width = 4
			}
			if len(c.bytes) != c.points*width {
				t.Errorf("%d coordinates, want %d points of %d", len(c.bytes), c.points, width)
			}
			if sum := crc32.ChecksumIEEE(c.bytes); sum != c.sum {
				t.Errorf("checksum %#08x, want %#08x", sum, c.sum)
			}
		})
	}
}

func coordinates[P uint32 | uint64](book []P, convert func(byte) byte) (b []byte) {
	for _, p := range book {
		for k := 0; P(1)<<k != 0; k += 8 {
			b = append(b, convert(byte(p>>k)))
		}
	}
	return b
}

func TestTheEighthSignMakesTheNumberOfNegativesEven(t *testing.T) {
	for s := range uint32(128) {
		ones := 0
		got := evenSigns(s | 0xffffff80)
		for bit := range 8 {
			ones += int(got >> bit & 1)
		}
		if ones%2 != 0 || uint32(got&127) != s {
			t.Errorf("7 signs %07b became %08b", s, got)
		}
	}
}

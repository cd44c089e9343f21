package iosched

import "testing"

func TestTheGapLimitIsWhereBytesCostAsMuchAsARead(t *testing.T) {
	device := func(fixed, perByte float64, patterns ...Pattern) (p Profile) {
		for _, pattern := range patterns {
			perSec := 1 / (fixed + perByte*float64(pattern.Request))
			p.Reads = append(p.Reads, Throughput{pattern, perSec * float64(pattern.Request), perSec})
		}
		return p
	}
	usual := []Pattern{{true, 4096, 1}, {true, 65536, 16}, {true, 4096, 16}, {true, 24 << 10, 16}, {true, 512 << 10, 16}, {false, 4 << 20, 4}}
	tests := []struct {
		name    string
		profile Profile
		want    int
	}{
		{"UFS 4.0 by its published figures", device(2.76e-6, 1/3.565e9, usual...), 8192},
		{"a device on which reads cost nothing", device(0, 1e-9, usual...), 0},
		{"a device on which bytes cost nothing", device(1e-5, 0, usual...), maxGap},
		{"nothing measured", Profile{}, 0},
		{"one size only", device(1e-5, 1e-9, Pattern{true, 4096, 16}), 0},
		{"larger reads that are faster", Profile{Reads: []Throughput{{Pattern{true, 4096, 4}, 1, 100}, {Pattern{true, 8192, 4}, 1, 200}}}, maxGap},
	}
	for _, test := range tests {
		if got := test.profile.GapLimit(); got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
}

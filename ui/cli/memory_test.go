package cli

import "testing"

func TestSizesAreReadAsPeopleWriteThem(t *testing.T) {
	for text, want := range map[string]int64{
		"2GiB": 2 << 30, "2G": 2 << 30, "2gb": 2 << 30, "1.5 GiB": 3 << 29, "800M": 800 << 20, "64k": 64 << 10, "4096": 4096,
		"": 0, "x": 0, "-1G": 0, "G": 0, "0": 0, "1e30": 0, "NaN": 0, "2PiB": 0, "İG": 0,
	} {
		got, err := parseSize(text)
		if got != want || (err == nil) != (want > 0) {
			t.Errorf("%q gives %d, %v, want %d", text, got, err, want)
		}
	}
}

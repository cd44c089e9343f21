package cli

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
)

func TestByteTextAndCountText(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1<<20 - 1: "1.0 MiB", 5933000: "5.7 MiB", 3 << 30: "3.0 GiB", math.MaxInt64: "8388608.0 TiB",
	} {
		if got := byteText(n); got != want {
			t.Errorf("%d bytes are %q, want %q", n, got, want)
		}
	}
	for n, want := range map[uint64]string{
		0: "0", 999: "999", 1000: "1.0 K", 999_999: "1.0 M", 10_400_000: "10.4 M", 30_500_000_000: "30.5 B", 999_990_000_000: "1.0 T",
	} {
		if got := countText(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
}

func TestPrintableIsOneSafeLine(t *testing.T) {
	for text, want := range map[string]string{
		"plain":               "plain",
		" two\nlines\t\r ":    "two lines",
		"\x1b[31mred":         "□[31mred",
		"c1\u009b bidi\u202e": "c1□ bidi□",
		"bad\xff":             "bad□",
		"模型 é":                "模型 é",
	} {
		if got := printable(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

func TestWriteJSONEscapesWhatATerminalCouldObey(t *testing.T) {
	const text = "<s> é \x1b \u007f \u009b \u202e \U000e0001 模"
	var out strings.Builder
	if err := writeJSON(&out, text); err != nil {
		t.Fatal(err)
	}
	if want := `"<s> é \u001b \u007f \u009b \u202e \udb40\udc01 模"` + "\n"; out.String() != want {
		t.Errorf("%s, want %s", out.String(), want)
	}
	var back string
	if err := json.Unmarshal([]byte(out.String()), &back); err != nil || back != text {
		t.Errorf("read back as %q, %v", back, err)
	}
}

package ui

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"testing"
	"time"
)

// readsOf writes the bytes one by one with a gap between them and returns what each Read gave.
func readsOf(t *testing.T, input string, gap time.Duration, buffer int) []string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	go func() {
		defer w.Close()
		for i := range len(input) {
			w.Write([]byte{input[i]})
			time.Sleep(gap)
		}
	}()
	in := &ttyIn{File: r, wait: 5 * time.Second} // the machine may be busy
	var reads []string
	for buf := make([]byte, buffer); ; {
		n, err := in.Read(buf)
		if n > 0 {
			reads = append(reads, string(buf[:n]))
		}
		if err == io.EOF {
			return reads
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestAKeyThatArrivesInPiecesIsOneKey(t *testing.T) {
	for _, keys := range [][]string{
		{"\x1b[A"}, {"\x1bOH"}, {"\x1b[5~"}, {"\x1b[<0;10;20M"}, {"é"}, {"漢"}, {"👩"}, {"\x1bb"}, {"\x1b[M !!"},
		{"a", "\x1b[A", "é", "b"}, {"\x1b[200~", "h", "é", "\r", "\x1b[201~"},
	} {
		for _, gap := range []time.Duration{time.Millisecond, 10 * time.Millisecond} {
			t.Run(fmt.Sprintf("%q with gaps of %v", keys, gap), func(t *testing.T) {
				t.Parallel()
				all := ""
				ends := map[int]bool{}
				for _, k := range keys {
					all += k
					ends[len(all)] = true
				}
				at := 0
				for _, read := range readsOf(t, all, gap, 256) {
					if at += len(read); !ends[at] {
						t.Errorf("a read ends with %q, within a key", read)
					}
				}
				if at != len(all) {
					t.Errorf("%d bytes came, want %d", at, len(all))
				}
			})
		}
	}
}

func TestALoneEscapeArrivesAfterTheWait(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	w.Write([]byte{0x1b})
	start := time.Now()
	buf := make([]byte, 16)
	if n, err := (&ttyIn{File: r, wait: joinWait}).Read(buf); n != 1 || err != nil {
		t.Fatalf("read %q, %v", buf[:n], err)
	}
	if d := time.Since(start); d < joinWait {
		t.Errorf("it took %v", d)
	}
}

func TestAFullBufferIsCutBetweenKeys(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	input := []byte("abcdef\x1b[Aé漢xyz\x1b[B")
	w.Write(input)
	w.Close()
	in := &ttyIn{File: r, wait: joinWait}
	var reads []string
	var all []byte
	for buf := make([]byte, 8); ; {
		n, err := in.Read(buf)
		if err != nil {
			break
		}
		reads = append(reads, string(buf[:n]))
		all = append(all, buf[:n]...)
	}
	if !bytes.Equal(all, input) {
		t.Errorf("read %q", all)
	}
	if want := "abcdef"; len(reads) == 0 || reads[0] != want {
		t.Errorf("reads %q, want %q first", reads, want)
	}
}

func TestUnfinished(t *testing.T) {
	for _, c := range []struct {
		in   string
		tail int
	}{
		{"", 0}, {"abc", 0}, {"\x1b", 1}, {"ab\x1b", 1}, {"\x1b[", 2}, {"\x1b[1;5", 5}, {"\x1b[1;5A", 0}, {"\x1bO", 2},
		{"\x1bOP", 0}, {"\x1b\x1b", 1}, {"\x1b[A\x1b", 1}, {"\x1b[M", 3}, {"\x1b[M !!", 0}, {"\xc3", 1}, {"é", 0}, {"a\xe6\xbc", 2},
		{"漢", 0}, {"\xf0\x9f\x91", 3}, {"\xff", 0}, {"\x80\x80\x80\x80\x80", 0}, {"\x1b\xc3", 2},
	} {
		if got := unfinished([]byte(c.in)); got != c.tail {
			t.Errorf("%q: %d bytes are unfinished, want %d", c.in, got, c.tail)
		}
	}
}

func FuzzTTYInLosesNothing(f *testing.F) {
	f.Add([]byte("abc\x1b[A\xe6\xbc\xa2"), 3)
	f.Add([]byte("\x1b\x1b[M"), 1)
	f.Fuzz(func(t *testing.T, input []byte, buffer int) {
		if len(input) > 4096 || buffer < 1 || buffer > 512 {
			return
		}
		r, w, err := os.Pipe()
		if err != nil {
			t.Skip(err)
		}
		defer r.Close()
		w.Write(input)
		w.Close()
		in := &ttyIn{File: r, wait: joinWait}
		var got []byte
		for buf := make([]byte, buffer); ; {
			n, err := in.Read(buf)
			got = append(got, buf[:n]...)
			if err != nil {
				break
			}
		}
		if !slices.Equal(got, input) {
			t.Errorf("read %q of %q", got, input)
		}
	})
}

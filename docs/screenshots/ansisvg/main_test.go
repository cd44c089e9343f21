package main

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestDraw(t *testing.T) {
	tests := []struct {
		name, line string
		want       []string
	}{
		{"plain text is one element", "a b", []string{`fill="#d4d7dd">a b</text>`}},
		{"markup is escaped", "<&>", []string{"&lt;&amp;&gt;"}},
		{"sixteen colours", "\x1b[31mred\x1b[0m no", []string{`fill="#e06c75">red<`, `fill="#d4d7dd"> no<`}},
		{"the cube", "\x1b[38;5;196mx", []string{`fill="#ff0000">x<`}},
		{"greys", "\x1b[38;5;232mx", []string{`fill="#080808">x<`}},
		{"true colour with colons", "\x1b[38:2:1:2:3mx", []string{`fill="#010203">x<`}},
		{"background", "\x1b[48;2;1;2;3mx", []string{`fill="#010203"/>`}},
		{"reverse swaps the colours", "\x1b[7mx", []string{`fill="#d4d7dd"/>`, `fill="#16181d">x<`}},
		{"bold and dim", "\x1b[1;2mx", []string{`font-weight="bold" fill-opacity="0.6">x<`}},
		{"a wide character takes two cells", "日x", []string{`>日<`, `x="30.86"`}},
		{"an unfinished colour ends the sequence", "\x1b[38;5mx", []string{`>x<`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var out strings.Builder
			if err := draw(&out, strings.NewReader(test.line+"\n"), 10, 1); err != nil {
				t.Fatal(err)
			}
			for _, want := range test.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("%q is not in\n%s", want, out.String())
				}
			}
			decoder := xml.NewDecoder(strings.NewReader(out.String()))
			for {
				if _, err := decoder.Token(); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

package main

import (
	"fmt"
	"strconv"
	"strings"
)

// The colours of the terminal that the pictures show.
const (
	background = "#16181d"
	foreground = "#d4d7dd"
)

// palette is the sixteen colours of the terminal.
var palette = [16]string{
	"#2a2d35", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#c8ccd4",
	"#6b7280", "#f08a92", "#b3d79a", "#f0d399", "#86c5f7", "#d79ae6", "#7fd0da", "#ffffff",
}

// style is how a cell is drawn. Its zero value is the terminal's default.
type style struct {
	front, back                           string // "": the default
	bold, dim, italic, underline, reverse bool
}

// colours returns what the text and what lies behind it is drawn in.
func (s style) colours() (text, behind string) {
	text, behind = foreground, background
	if s.front != "" {
		text = s.front
	}
	if s.back != "" {
		behind = s.back
	}
	if s.reverse {
		return behind, text
	}
	return text, behind
}

// apply changes the style as an escape sequence says; one that is not SGR
// changes nothing.
func (s *style) apply(sequence string) {
	parameters, ok := strings.CutPrefix(sequence, "\x1b[")
	parameters, isSGR := strings.CutSuffix(parameters, "m")
	if !ok || !isSGR {
		return
	}
	codes := strings.FieldsFunc(parameters, func(r rune) bool { return r == ';' || r == ':' })
	if len(codes) == 0 {
		codes = []string{"0"}
	}
	for i := 0; i < len(codes); i++ {
		code, _ := strconv.Atoi(codes[i])
		switch {
		case code == 0:
			*s = style{}
		case code == 1:
			s.bold = true
		case code == 2:
			s.dim = true
		case code == 3:
			s.italic = true
		case code == 4:
			s.underline = true
		case code == 7:
			s.reverse = true
		case code == 22:
			s.bold, s.dim = false, false
		case code == 23:
			s.italic = false
		case code == 24:
			s.underline = false
		case code == 27:
			s.reverse = false
		case code == 38 || code == 48:
			colour, used := extended(codes[i+1:])
			i += used
			if code == 38 {
				s.front = colour
			} else {
				s.back = colour
			}
		case code == 39:
			s.front = ""
		case code == 49:
			s.back = ""
		case code >= 30 && code <= 37:
			s.front = palette[code-30]
		case code >= 40 && code <= 47:
			s.back = palette[code-40]
		case code >= 90 && code <= 97:
			s.front = palette[code-90+8]
		case code >= 100 && code <= 107:
			s.back = palette[code-100+8]
		}
	}
}

// extended reads the rest of 38 or 48: 5;INDEX or 2;R;G;B. It returns how many
// codes it used.
func extended(codes []string) (colour string, used int) {
	number := func(i int) int {
		n, _ := strconv.Atoi(codes[i])
		return n & 0xff
	}
	switch {
	case len(codes) >= 2 && codes[0] == "5":
		return indexed(number(1)), 2
	case len(codes) >= 4 && codes[0] == "2":
		return fmt.Sprintf("#%02x%02x%02x", number(1), number(2), number(3)), 4
	}
	return "", len(codes)
}

// indexed is colour i of xterm's 256: the palette, a cube of 6x6x6, and greys.
func indexed(i int) string {
	switch {
	case i < 16:
		return palette[i]
	case i < 232:
		level := func(n int) int {
			if n == 0 {
				return 0
			}
			return 55 + 40*n
		}
		i -= 16
		return fmt.Sprintf("#%02x%02x%02x", level(i/36), level(i/6%6), level(i%6))
	}
	grey := 8 + 10*(i-232)
	return fmt.Sprintf("#%02x%02x%02x", grey, grey, grey)
}

package jinja

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// strftime formats a time as C's function does in the C locale. Between '%' and the letter a '-'
// drops leading zeros. A letter that is not known stands for itself.
func strftime(t time.Time, layout string) string {
	var b strings.Builder
	for i := 0; i < len(layout); i++ {
		if layout[i] != '%' || i+1 == len(layout) {
			b.WriteByte(layout[i])
			continue
		}
		start := i
		i++
		bare := layout[i] == '-' && i+1 < len(layout)
		if bare {
			i++
		}
		s, ok := timeField(t, layout[i])
		if !ok {
			s = layout[start : i+1]
		} else if bare {
			if n, err := strconv.Atoi(strings.TrimSpace(s)); err == nil {
				s = strconv.Itoa(n)
			}
		}
		b.WriteString(s)
	}
	return b.String()
}

func timeField(t time.Time, letter byte) (string, bool) {
	switch letter {
	case 'Y':
		return t.Format("2006"), true
	case 'y':
		return t.Format("06"), true
	case 'm':
		return t.Format("01"), true
	case 'B':
		return t.Format("January"), true
	case 'b', 'h':
		return t.Format("Jan"), true
	case 'd':
		return t.Format("02"), true
	case 'e':
		return t.Format("_2"), true
	case 'j':
		return t.Format("002"), true
	case 'A':
		return t.Format("Monday"), true
	case 'a':
		return t.Format("Mon"), true
	case 'w':
		return strconv.Itoa(int(t.Weekday())), true
	case 'u':
		return strconv.Itoa((int(t.Weekday())+6)%7 + 1), true
	case 'H':
		return t.Format("15"), true
	case 'I':
		return t.Format("03"), true
	case 'M':
		return t.Format("04"), true
	case 'S':
		return t.Format("05"), true
	case 'f':
		return fmt.Sprintf("%06d", t.Nanosecond()/1000), true
	case 'p':
		return t.Format("PM"), true
	case 'Z':
		return t.Format("MST"), true
	case 'z':
		return t.Format("-0700"), true
	case 'F':
		return t.Format("2006-01-02"), true
	case 'T', 'X':
		return t.Format("15:04:05"), true
	case 'D', 'x':
		return t.Format("01/02/06"), true
	case 'R':
		return t.Format("15:04"), true
	case 'c':
		return t.Format("Mon Jan _2 15:04:05 2006"), true
	case 'n':
		return "\n", true
	case 't':
		return "\t", true
	case '%':
		return "%", true
	}
	return "", false
}

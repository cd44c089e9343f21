package panels

import (
	"strconv"
	"time"
)

const unknown = "–"

// decimals writes a value in as few cells as tell it: 6.8, 312. What is no number of ours, NaN and endless, is unknown.
func decimals(v float64) string {
	switch {
	case !(v > -1e15 && v < 1e15):
		return unknown
	case v < 99.95:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 0, 64)
}

// number is a reading as decimals writes it, or the dash that stands for unknown.
func number(r Reading) string {
	if !r.OK {
		return unknown
	}
	return decimals(r.Value)
}

// whole is number without decimals once there are two digits: 9.4, 31.
func whole(r Reading) string {
	if r.OK && r.Value >= 9.95 && r.Value < 1e15 {
		return strconv.FormatFloat(r.Value, 'f', 0, 64)
	}
	return number(r)
}

// percent is a share of 0 to 1 as a number of percent, without the sign; percents has it.
func percent(r Reading) string {
	if !r.OK {
		return unknown
	}
	return strconv.FormatFloat(100*r.Value, 'f', 0, 64)
}

func percents(r Reading) string {
	if !r.OK {
		return unknown
	}
	return percent(r) + "%"
}

// millis is a time in seconds as milliseconds.
func millis(r Reading) string {
	r.Value *= 1e3
	return whole(r)
}

// seconds is a time in seconds for a person: 35 ms, 1.32 s, 12.4 s, 2 m 10 s.
func seconds(r Reading) string {
	switch v := r.Value; {
	case !r.OK:
		return unknown
	case v < 0.1:
		return strconv.FormatFloat(v*1e3, 'f', 0, 64) + " ms"
	case v < 9.995:
		return strconv.FormatFloat(v, 'f', 2, 64) + " s"
	case v < 59.95:
		return strconv.FormatFloat(v, 'f', 1, 64) + " s"
	default:
		d := int(min(v, 1e9) + 0.5)
		return strconv.Itoa(d/60) + " m " + strconv.Itoa(d%60) + " s"
	}
}

// duration makes a reading of a time that is unknown when it is 0.
func duration(d time.Duration) Reading { return Reading{d.Seconds(), d > 0} }

// tokens is a number of tokens: 4096, 32.8k.
func tokens(n int) string {
	if n < 10000 {
		return strconv.Itoa(n)
	}
	return decimals(float64(n)/1e3) + "k"
}

// readTokens is a reading of a number of tokens.
func readTokens(r Reading) string {
	if !r.OK {
		return unknown
	}
	return tokens(int(min(r.Value, 1e15)))
}

// unit is a unit of bytes; sizes that stand beside each other share one.
type unit struct {
	bytes float64
	name  string
}

// unitOf is the unit in which n bytes read well.
func unitOf(n float64) unit {
	switch {
	case n >= 999.5e6:
		return unit{1e9, "GB"}
	case n >= 999.5e3:
		return unit{1e6, "MB"}
	}
	return unit{1e3, "kB"}
}

// of writes bytes in the unit, without its name.
func (u unit) of(r Reading) string {
	r.Value /= u.bytes
	return number(r)
}

// size writes bytes with their unit.
func size(r Reading) string {
	if !r.OK {
		return unknown
	}
	u := unitOf(r.Value)
	return u.of(r) + " " + u.name
}

// shortSize is size in five cells, for a graph's scale.
func shortSize(bytes float64) string {
	u := unitOf(bytes)
	return decimals(bytes/u.bytes) + " " + u.name[:1]
}

// some is a number that always exists, so that 0 means unknown.
func some(n float64) Reading { return Reading{n, n > 0} }

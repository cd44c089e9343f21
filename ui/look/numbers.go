package look

import (
	"fmt"
	"time"
)

// Reading is a measured number that may not be known yet.
type Reading struct {
	Value float64
	OK    bool
}

// Known makes a reading of the pair that the methods of infer.Stats return.
func Known(value float64, ok bool) Reading { return Reading{value, ok} }

// Tenths is the reading with one decimal, or the dash that stands for unknown.
func (t Theme) Tenths(r Reading) string {
	if !r.OK {
		return t.Dash
	}
	return fmt.Sprintf("%.1f", r.Value)
}

// Bytes is a size of which 0 means unknown.
func (t Theme) Bytes(n int64) string {
	if n <= 0 {
		return t.Dash
	}
	return Size(n)
}

// Seconds is d for a person: 35 ms, 0.9 s, 12 s, 2 m 10 s.
func Seconds(d time.Duration) string {
	switch {
	case d > 0 && d < 100*time.Millisecond:
		return fmt.Sprintf("%d ms", max(1, d.Milliseconds()))
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	}
	d = d.Round(time.Second)
	return fmt.Sprintf("%d m %d s", d/time.Minute, d%time.Minute/time.Second)
}

// Size is a number of bytes for a person: 812 MB, 3.4 GB.
func Size(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.0f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%d kB", (n+999)/1000)
}

// Count is a number of tokens for a person: 4096, 32.8k.
func Count(n int) string {
	if n < 10000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%.1fk", float64(n)/1000)
}

// Ago is how long ago t was, or its date: just now, 5 min, 3 h, yesterday, 2 Mar, 2 Mar 2025.
func Ago(at, now time.Time) string {
	d := now.Sub(at)
	switch {
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", d/time.Minute)
	case d < 24*time.Hour && at.Day() == now.Day():
		return at.Format("15:04")
	case d < 7*24*time.Hour:
		return at.Format("Mon 15:04")
	case at.Year() == now.Year():
		return at.Format("2 Jan")
	}
	return at.Format("2 Jan 2006")
}

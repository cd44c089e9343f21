package ui

import (
	"fmt"
	"strings"
	"time"
)

// keyLabel is a binding's key as a person reads it.
func keyLabel(t theme, b binding) string {
	return withGlyphs(t, b.label)
}

func withGlyphs(t theme, s string) string {
	return strings.NewReplacer("{enter}", t.enter, "{up}", t.up, "{down}", t.down).Replace(s)
}

// drawHint draws the line of keys that work now, as many as fit.
func drawHint(t theme, actions []action, w int) string {
	var parts []string
	for _, a := range actions {
		b := bindingOf(a)
		label, short := keyLabel(t, b), b.short
		switch a {
		case pageUp:
			label = "pgup/pgdn"
		case help:
			parts = append(parts, "/ commands")
		case quit:
			label = "^C ^C"
		}
		parts = append(parts, label+" "+short)
	}
	return " " + t.dim.Render(joinFitting(parts, "  ", w-2))
}

// helpPage explains the keys, the commands and the numbers.
func helpPage(t theme) *page {
	return &page{title: "Help", note: "keys on this screen", lines: func(w int) []string {
		var keys, slash [][2]string
		for _, b := range keyTable {
			if b.long != "" {
				keys = append(keys, [2]string{keyLabel(t, b), withGlyphs(t, b.long)})
			}
		}
		for _, c := range commands() {
			slash = append(slash, [2]string{"/" + c.name, c.long})
		}
		lines := table(t, keys, w)
		lines = append(lines, "", heading(t, "Commands, on an empty line"))
		lines = append(lines, table(t, slash, w)...)
		lines = append(lines, "", heading(t, "What the numbers mean"))
		lines = append(lines, table(t, [][2]string{
			{"tok/s", "tokens written per second, in the last second; avg: in this answer"},
			{"tok", "tokens written in this answer"},
			{"prefill", "how much of the prompt is read, before the answer begins"},
			{"TTFT", "time to first token: from sending to the first text"},
			{"ctx", "tokens of the conversation that the model holds, of how many it can"},
			{t.dash, "not known yet"},
		}, w)...)
		lines = append(lines, "", heading(t, "On a phone"))
		return append(lines, table(t, [][2]string{
			{"^C", "CTRL of the extra keys, or volume down, then C"},
			{"keyboard", "gone? tap the chat"},
		}, w)...)
	}}
}

// statsPage shows what the engine has done since it was loaded.
func statsPage(t theme, engine Engine) *page {
	return &page{title: "Statistics", note: "since the model was loaded", lines: func(w int) []string {
		s, info := engine.Stats(), engine.Info()
		return table(t, [][2]string{
			{"model", sanitizeLabel(strings.Join([]string{info.Name, info.Arch, info.Quant, info.Mode}, " "))},
			{"weights", fmt.Sprintf("%s billion, %s in the file",
				t.billions(info.Params), t.bytes(uint64(info.Bytes)))},
			{"context", fmt.Sprintf("%d of %d tokens used, trained for %s", s.ContextUsed, s.ContextMax, t.positive(info.Context))},
			{"prefill", fmt.Sprintf("%s tok/s, %d tokens read, %d more were in the cache",
				t.tenths(known(s.PrefillRate())), s.PrefillTokens, s.ReusedTokens)},
			{"decode", fmt.Sprintf("%s tok/s, %d tokens in %s",
				t.tenths(known(s.DecodeRate())), s.DecodeTokens, seconds(time.Duration(s.DecodeNs)))},
			{"threads", fmt.Sprintf("%s, computing %s of the time", t.positive(s.Workers), t.percent(known(s.Utilization())))},
			{"flash wait", t.percent(known(s.StallShare())) + " of the time, " + size(int64(s.ReadBytes)) + " read"},
			{"neurons", t.percent(known(s.ActiveShare())) + " of the FFN's were active"},
			{"memory", fmt.Sprintf("weights %s, KV cache %s", t.bytes(s.WeightBytes), t.bytes(s.KVBytes))},
		}, w)
	}}
}

// percent is a share of 0 to 1 as a percentage, or the dash that stands for unknown.
func (t theme) percent(r reading) string {
	if !r.ok {
		return t.dash
	}
	return fmt.Sprintf("%.0f%%", 100*r.value)
}

// The following are sizes of something that always exists, so that zero means that it is not known.

func (t theme) positive(n int) string {
	if n <= 0 {
		return t.dash
	}
	return fmt.Sprint(n)
}

func (t theme) bytes(n uint64) string {
	if n == 0 {
		return t.dash
	}
	return size(int64(n))
}

func (t theme) billions(n uint64) string {
	if n == 0 {
		return t.dash
	}
	return fmt.Sprintf("%.2f", float64(n)/1e9)
}

package cli

import (
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"hotcell/infer"
)

// markdownRows is a table that grows as tests end, and below it what the limits were.
type markdownRows struct {
	out     io.Writer
	began   bool
	kernels string
	limits  map[int]infer.Limit // by threads
	flash   []string            // a line for each test of a model in a pack
	loads   []string            // a line for each model and number of threads
}

// markdownColumns are titles and widths; text to the left, numbers to the right.
var markdownColumns = []struct {
	title string
	width int // below 0: to the left
}{{"model", -26}, {"size", 10}, {"params", 8}, {"threads", 7}, {"test", 14}, {"t/s", 16}, {"of limit", 8}, {"memory", 10}}

func (m *markdownRows) row(r benchRow) error {
	if !m.began {
		m.began = true
		var titles, rule []string
		for _, c := range markdownColumns {
			titles = append(titles, c.title)
			dashes := strings.Repeat("-", max(c.width, -c.width)-1)
			if c.width < 0 {
				rule = append(rule, ":"+dashes)
			} else {
				rule = append(rule, dashes+":")
			}
		}
		if err := m.line(titles); err != nil {
			return err
		}
		if err := m.line(rule); err != nil {
			return err
		}
	}
	share, memory := "–", "–"
	if r.Share > 0 {
		share = fmt.Sprintf("%.0f %%", 100*r.Share)
	}
	if r.Peak > 0 {
		memory = byteText(r.Peak)
	}
	m.note(r)
	name := r.Model + " " + r.Type
	if r.Mode != "dense" {
		name += " " + r.Mode
	}
	if load := loadText(name, &r); len(m.loads) == 0 || m.loads[len(m.loads)-1] != load {
		m.loads = append(m.loads, load)
	}
	if r.Limit.Flash > 0 {
		m.flash = append(m.flash, fmt.Sprintf("%s, %s, %s: %s", name, threadText(r.Threads), r.Name, flashText(&r)))
	}
	return m.line([]string{
		name, byteText(r.Bytes), countText(r.Params), strconv.Itoa(r.Threads), r.Name,
		fmt.Sprintf("%.2f ± %.2f", r.Mean, r.Deviation), share, memory,
	})
}

// loadText says how long a model took to load; of one in a pack only a part is read.
func loadText(name string, r *benchRow) string {
	seconds := float64(r.Load) / 1e9
	return fmt.Sprintf("loading %s with %s: %.2f s, %.1f GB/s of its file", name, threadText(r.Threads), seconds, float64(r.Bytes)/seconds/1e9)
}

// flashText says what a test of a model in a pack asked of flash.
func flashText(r *benchRow) string {
	var said []string
	if hits, ok := r.Stats.HitRate(); ok {
		said = append(said, fmt.Sprintf("%.1f %% of wanted neurons in memory", 100*hits))
	}
	if stall, ok := r.Stats.StallShare(); ok {
		said = append(said, fmt.Sprintf("%.0f %% of the time waited for flash", 100*stall))
	}
	tokens := max(1, r.Stats.DecodeTokens+r.Stats.PrefillTokens)
	return strings.Join(append(said, fmt.Sprintf("%s a token in %.1f reads, %.0f %% of what flash gives in such reads, %.0f MB/s",
		byteText(int64(r.Stats.FlashBytes/tokens)), float64(r.Stats.FlashReads)/float64(tokens), 100*r.FlashShare, r.Limit.Flash/1e6)), ", ")
}

// line writes cells, padded in characters and not in bytes as Printf would.
func (m *markdownRows) line(cells []string) error {
	var b strings.Builder
	for i, cell := range cells {
		cell = strings.ReplaceAll(cell, "|", "/")
		width := markdownColumns[i].width
		pad := strings.Repeat(" ", max(0, max(width, -width)-len([]rune(cell))))
		if width < 0 {
			b.WriteString("| " + cell + pad + " ")
		} else {
			b.WriteString("| " + pad + cell + " ")
		}
	}
	_, err := fmt.Fprintln(m.out, b.String()+"|")
	return err
}

func (m *markdownRows) end() error {
	for _, line := range append(m.loads, m.flash...) {
		if _, err := fmt.Fprintln(m.out, line); err != nil {
			return err
		}
	}
	for _, n := range slices.Sorted(maps.Keys(m.limits)) {
		l, parts := m.limits[n], []string(nil)
		for _, rate := range []struct {
			what, unit string
			perSec     float64
		}{{"reading", "GB/s", l.Read}, {"int8", "GOP/s", l.Int8}, {"float32", "GOP/s", l.Float32}} {
			if rate.perSec > 0 {
				parts = append(parts, fmt.Sprintf("%s %.1f %s", rate.what, rate.perSec/1e9, rate.unit))
			}
		}
		if len(parts) == 0 {
			parts = []string{"none known"}
		}
		if _, err := fmt.Fprintf(m.out, "limits of %s (%s): %s\n", threadText(n), m.kernels, strings.Join(parts, ", ")); err != nil {
			return err
		}
	}
	return nil
}

func threadText(n int) string {
	if n == 1 {
		return "1 thread"
	}
	return fmt.Sprintf("%d threads", n)
}

// note keeps the limits of a row for the end; rows of prompts and of generated tokens have different ones.
func (m *markdownRows) note(r benchRow) {
	if m.limits == nil {
		m.limits = map[int]infer.Limit{}
	}
	l := m.limits[r.Threads]
	for _, p := range []struct{ to, from *float64 }{{&l.Read, &r.Limit.Read}, {&l.Int8, &r.Limit.Int8}, {&l.Float32, &r.Limit.Float32}} {
		if *p.from > 0 {
			*p.to = *p.from
		}
	}
	m.limits[r.Threads], m.kernels = l, r.Kernels
}

// jsonRows is a list, written at the end.
type jsonRows struct {
	out  io.Writer
	rows []benchRow
}

func (j *jsonRows) row(r benchRow) error {
	j.rows = append(j.rows, r)
	return nil
}

func (j *jsonRows) end() error { return writeJSON(j.out, j.rows) }

// csvRows is a line for each test, below one of titles.
type csvRows struct {
	out   io.Writer
	began bool
}

func (c *csvRows) row(r benchRow) error {
	w := csv.NewWriter(c.out)
	if !c.began {
		c.began = true
		_ = w.Write([]string{"model", "type", "bytes", "parameters", "threads", "kernels", "test", "prompt", "generate", "depth",
			"mean_tokens_per_s", "deviation", "median", "share_of_limit", "read_bytes_per_s", "int8_ops_per_s", "float32_ops_per_s", "peak_memory_bytes", "flash_bytes_per_s", "share_of_flash_limit", "load_ns"})
	}
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }
	known := func(v float64) string { // an empty field is a fact that is not known
		if v == 0 {
			return ""
		}
		return number(v)
	}
	_ = w.Write([]string{r.Model, r.Type, strconv.FormatInt(r.Bytes, 10), strconv.FormatUint(r.Params, 10), strconv.Itoa(r.Threads), r.Kernels,
		r.Name, strconv.Itoa(r.Prompt), strconv.Itoa(r.Generate), strconv.Itoa(r.Depth), number(r.Mean), number(r.Deviation), number(r.Median),
		known(r.Share), known(r.Limit.Read), known(r.Limit.Int8), known(r.Limit.Float32), known(float64(r.Peak)), known(r.Limit.Flash), known(r.FlashShare), strconv.FormatInt(r.Load, 10)})
	w.Flush()
	return w.Error()
}

func (c *csvRows) end() error { return nil }

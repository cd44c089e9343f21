package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/schollz/progressbar/v3"
	"github.com/spf13/pflag"

	"hotcell/infer"
	"hotcell/models"
	"hotcell/models/gguf"
	"hotcell/planner"
)

// modelFlags choose a model and how it is loaded.
type modelFlags struct {
	path      string
	threads   int
	context   int
	mode      string
	threshold string
	kv        string // before add: the default, f16 if empty
	memoryFlags
}

func (m *modelFlags) add(f *pflag.FlagSet) {
	f.StringVarP(&m.path, "model", "m", "", "GGUF `file`, or a name in the library; without it the built-in model")
	f.IntVarP(&m.threads, "threads", "t", 0, "worker threads; 0: one for each fast core")
	f.IntVar(&m.context, "ctx", 0, "context in `tokens`; 0: what the model was trained for, at most 8192")
	f.StringVar(&m.mode, "mode", "auto", modeHelp)
	f.StringVar(&m.kv, "kv", cmp.Or(m.kv, "f16"), kvHelp)
	f.StringVar(&m.threshold, "threshold", "", "least predicted `score` of a neuron that is taken for active in mode predicted; without it the file's, or what a sample text says")
	m.memoryFlags.add(f)
}

const kvHelp = "`format` of keys and values: f16; q8 (half the memory, faster at long contexts, slightly lossy); or f32"

const modeHelp = "how feed-forward layers are computed: dense; exact (neurons that a ReLU makes zero are skipped: the same result); " +
	"predicted (only neurons that a predictor names, the file's own or one made from its gates; slightly lossy); or auto: dense or exact, whichever is faster, from a pack what the plan says for each layer, nothing lossy unasked"

func (m *modelFlags) config() (infer.Config, error) {
	kv, err := infer.ParseKVType(cmp.Or(m.kv, "f16")) // commands without the flag leave it empty
	if err != nil {
		return infer.Config{}, usageError{err}
	}
	c := infer.Config{Threads: m.threads, Context: m.context, KV: kv, Mode: infer.Mode(m.mode)}
	if m.threshold != "" {
		v, err := strconv.ParseFloat(m.threshold, 32)
		if err != nil || v != v {
			return c, usagef("--threshold is %q, expected a number", m.threshold)
		}
		least := float32(v)
		c.Threshold = &least
	}
	return c, m.apply(&c)
}

// open loads the model; when that takes longer than a second it draws progress on standard error, if that is a terminal.
func (m *modelFlags) open(ctx context.Context, s *streams, c infer.Config) (*infer.Session, error) {
	f, err := models.Open(m.path)
	if err != nil {
		return nil, err
	}
	return m.load(ctx, s, f, c)
}

// load is open for a file that is open already; the session owns it.
func (m *modelFlags) load(ctx context.Context, s *streams, f *gguf.File, c infer.Config) (*infer.Session, error) {
	if err := onlyForPacks(f, c.Plan); err != nil {
		f.Close()
		return nil, err
	}
	bar := newProgress(s, "loading "+printable(f.Name()))
	c.Progress = bar.set
	defer bar.close()
	return openSession(ctx, f, c, s.err)
}

// openSession is infer.Open that says on warn when memory is short, and in a user's words when the system refuses it.
func openSession(ctx context.Context, f *gguf.File, c infer.Config, warn io.Writer) (*infer.Session, error) {
	need, _ := infer.MemoryNeed(f, c) // what is wrong with the model is Open's to tell
	fmt.Fprint(warn, memoryWarning(f.Name(), need))
	session, err := infer.Open(ctx, f, c)
	return session, memoryRefusal(f.Name(), need, err)
}

// memoryWarning is a line for a model that takes more memory than there is, else "".
func memoryWarning(name string, need planner.Memory) string {
	if need.Verdict != planner.Over {
		return ""
	}
	return fmt.Sprintf("%s takes %s of memory, but only %s are available: it will be slow, or the system may end it.\n",
		printable(name), byteText(need.Total), byteText(need.Available))
}

// memoryRefusal replaces the error of a system that refuses memory.
func memoryRefusal(name string, need planner.Memory, err error) error {
	if !errors.Is(err, syscall.ENOMEM) {
		return err
	}
	return fmt.Errorf("%s: the system refuses the %s of memory that this takes; choose a smaller context (--ctx) or a smaller model", name, byteText(need.Total))
}

// progress is a bar on standard error that appears when something takes longer than a second.
type progress struct {
	s     *streams
	label string
	start time.Time
	bar   *progressbar.ProgressBar
}

func newProgress(s *streams, label string) *progress {
	return &progress{s: s, label: label, start: time.Now()}
}

// terminal tells whether w is one.
func terminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(f.Fd())
}

func (p *progress) set(done, total int64) {
	if p.bar == nil {
		if time.Since(p.start) < time.Second || !terminal(p.s.err) {
			return
		}
		p.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(p.s.err),
			progressbar.OptionSetDescription(p.label),
			progressbar.OptionSetPredictTime(true),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionFullWidth(),
			progressbar.OptionClearOnFinish())
	}
	_ = p.bar.Set64(done)
}

func (p *progress) close() {
	if p.bar != nil {
		_ = p.bar.Finish()
		fmt.Fprint(p.s.err, "\r\x1b[K")
	}
}

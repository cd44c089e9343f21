package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"hotcell/infer"
)

// samplingFlags say how tokens are chosen; those that are not given leave the role's choice.
type samplingFlags struct {
	tokens                      int
	temp, topP, minP            float32
	repeat, presence, frequency float32
	topK                        int
	seed                        int64
}

func (f *samplingFlags) add(fs *pflag.FlagSet) {
	fs.IntVarP(&f.tokens, "n", "n", 0, "most `tokens` to generate; 0: until the answer ends")
	fs.Float32Var(&f.temp, "temp", 0, "temperature; 0: always the likeliest token")
	fs.IntVar(&f.topK, "top-k", 0, "choose among the `k` likeliest tokens; 0: all")
	fs.Float32Var(&f.topP, "top-p", 1, "choose among the likeliest tokens that together reach this probability")
	fs.Float32Var(&f.minP, "min-p", 0, "choose among tokens at least this fraction as likely as the likeliest")
	fs.Float32Var(&f.repeat, "repeat-penalty", 1, "divide the logits of recent tokens by this")
	fs.Float32Var(&f.presence, "presence-penalty", 0, "subtract from the logits of recent tokens")
	fs.Float32Var(&f.frequency, "frequency-penalty", 0, "subtract from the logits of recent tokens, per occurrence")
	fs.Int64Var(&f.seed, "seed", -1, "seed of the random choices; below 0: a new one each time")
}

// apply overwrites what was given on the command line.
func (f *samplingFlags) apply(fs *pflag.FlagSet, s *infer.Sampling) error {
	for name, set := range map[string]func(){
		"temp":              func() { s.Temperature = f.temp },
		"top-k":             func() { s.TopK = f.topK },
		"top-p":             func() { s.TopP = f.topP },
		"min-p":             func() { s.MinP = f.minP },
		"repeat-penalty":    func() { s.RepeatPenalty = f.repeat },
		"presence-penalty":  func() { s.PresencePenalty = f.presence },
		"frequency-penalty": func() { s.FrequencyPenalty = f.frequency },
		"seed":              func() { s.Seed = f.seed },
	} {
		if fs.Changed(name) {
			set()
		}
	}
	if f.tokens < 0 {
		return usagef("-n must not be negative")
	}
	if err := s.Validate(); err != nil {
		return usageError{err}
	}
	return nil
}

func newRun(s *streams) *cobra.Command {
	var (
		m              modelFlags
		sample         samplingFlags
		prompt, system string
		raw, asJSON    bool
	)
	c := &cobra.Command{
		Use:   "run -p PROMPT",
		Short: "Answer one prompt on standard output, for scripts and pipes",
		Long: "Answers one prompt on standard output and prints statistics to standard error.\n" +
			"The prompt is taken from -p, or from standard input with -p - or when input is piped in.\n" +
			"With --json every line is one JSON object: pieces {\"text\":...}, for each token what it took {\"token\":{\"n\":1,...}}, and at the end\n" +
			"{\"done\":true,...} with the statistics. Lines of a kind that a reader does not know should be passed over.",
		Args: noArgs,
	}
	m.add(c.Flags())
	sample.add(c.Flags())
	c.Flags().StringVarP(&prompt, "prompt", "p", "", "the prompt; - reads standard input")
	c.Flags().StringVar(&system, "system", "", "system prompt in place of the model's default")
	c.Flags().BoolVar(&raw, "raw", false, "complete the text as it is, without the chat template")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON lines")
	c.RunE = func(c *cobra.Command, _ []string) error {
		role := defaultRole(m.path)
		if err := sample.apply(c.Flags(), &role.Sampling); err != nil {
			return err
		}
		if c.Flags().Changed("system") {
			role.System = system
		}
		if !c.Flags().Changed("prompt") && terminal(s.in) {
			return usagef("there is no prompt: give one with -p, or pipe one in")
		}
		if !c.Flags().Changed("prompt") || prompt == "-" {
			text, err := io.ReadAll(s.in)
			if err != nil {
				return fmt.Errorf("reading the prompt from standard input: %w", err)
			}
			prompt = string(text)
		}
		if prompt == "" {
			return usagef("the prompt is empty")
		}
		config, err := m.config()
		if err != nil {
			return err
		}
		session, err := m.open(c.Context(), s, config)
		if err != nil {
			return err
		}
		defer session.Close()
		ctx, cancel := context.WithCancel(c.Context())
		defer cancel()
		o := infer.Options{MaxTokens: sample.tokens, Sampling: role.Sampling}
		var g *infer.Generation
		if raw {
			g = session.Complete(ctx, prompt, o)
		} else {
			if w := session.Info().Warning; w != "" {
				fmt.Fprintln(s.err, w)
			}
			var msgs []infer.Message
			if role.System != "" {
				msgs = append(msgs, infer.Message{Role: "system", Content: role.System})
			}
			g = session.Generate(ctx, append(msgs, infer.Message{Role: "user", Content: prompt}), o)
		}
		var w answerWriter = &textWriter{s: s, session: session}
		if asJSON {
			w = &jsonWriter{out: json.NewEncoder(s.out), session: session}
		}
		err = follow(g, w, newProgress(s, "reading the prompt"))
		if err != nil {
			cancel()
			<-g.Done() // the session must be idle before it is closed
		}
		return err
	}
	return c
}

// answerWriter prints an answer as it comes.
type answerWriter interface {
	text(string) error
	thought(string) error
	notice(infer.Notice)
	end(infer.Reason) error
}

// follow prints a generation until it ends.
func follow(g *infer.Generation, w answerWriter, bar *progress) error {
	defer bar.close()
	for {
		<-g.Ready()
		u := g.Drain()
		for _, n := range u.Notices {
			w.notice(n)
		}
		if u.Thought != "" {
			bar.close()
			if err := w.thought(u.Thought); err != nil {
				return err
			}
		}
		if u.Text == "" {
			if p := u.Prefill; p.Total > 0 && p.Done < p.Total {
				bar.set(int64(p.Done), int64(p.Total))
			}
		} else {
			bar.close()
			if err := w.text(u.Text); err != nil {
				return err
			}
		}
		if u.Done {
			if u.Err != nil {
				return u.Err
			}
			return w.end(u.Reason)
		}
	}
}

// textWriter prints plain text, and statistics to standard error.
type textWriter struct {
	s       *streams
	session *infer.Session
	last    byte
}

func (w *textWriter) text(t string) error {
	w.last = t[len(t)-1]
	_, err := io.WriteString(w.s.out, t)
	return err
}

func (w *textWriter) thought(t string) error {
	fmt.Fprint(w.s.err, t)
	return nil
}

func (w *textWriter) notice(n infer.Notice) { fmt.Fprintln(w.s.err, n) }

func (w *textWriter) end(reason infer.Reason) error {
	if w.last != '\n' {
		if _, err := io.WriteString(w.s.out, "\n"); err != nil {
			return err
		}
	}
	st := w.session.Stats()
	fmt.Fprintf(w.s.err, "\nprompt  %5d tokens  %s\nanswer  %5d tokens  %s  ended: %s\n",
		st.PrefillTokens, perSecond(st.PrefillRate()), st.DecodeTokens, perSecond(st.DecodeRate()), reason)
	return nil
}

func perSecond(rate float64, ok bool) string {
	if !ok {
		return "      – tokens/s"
	}
	return fmt.Sprintf("%7.1f tokens/s", rate)
}

// jsonWriter prints JSON lines.
type jsonWriter struct {
	out     *json.Encoder
	session *infer.Session
	records []infer.TokenRecord // read last
	token   uint64              // the last one that was printed
}

func (w *jsonWriter) text(t string) error {
	err := w.out.Encode(struct {
		Text string `json:"text"`
	}{t})
	return errors.Join(err, w.tokens())
}

func (w *jsonWriter) thought(t string) error {
	err := w.out.Encode(struct {
		Thought string `json:"thought"`
	}{t})
	return errors.Join(err, w.tokens())
}

// tokens prints what the tokens since the last call took.
func (w *jsonWriter) tokens() error {
	w.records = w.session.Recent(w.records[:0], w.token)
	for i := range w.records {
		if err := w.out.Encode(struct {
			Token *infer.TokenRecord `json:"token"`
		}{&w.records[i]}); err != nil {
			return err
		}
		w.token = w.records[i].Token
	}
	return nil
}

func (w *jsonWriter) notice(n infer.Notice) {
	_ = w.out.Encode(struct { // a failing pipe shows itself at the next piece of text
		Notice infer.Notice `json:"notice"`
	}{n})
}

func (w *jsonWriter) end(reason infer.Reason) error {
	if err := w.tokens(); err != nil {
		return err
	}
	st := w.session.Stats()
	decode, _ := st.DecodeRate()
	prefill, _ := st.PrefillRate()
	return w.out.Encode(struct {
		Done          bool         `json:"done"`
		Reason        infer.Reason `json:"reason"`
		DecodePerSec  float64      `json:"decode_tokens_per_s"`
		PrefillPerSec float64      `json:"prefill_tokens_per_s"`
		Stats         infer.Stats  `json:"stats"`
	}{true, reason, decode, prefill, st})
}

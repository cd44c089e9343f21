package ui

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"hotcell/infer"
	"hotcell/ui/look"
	"hotcell/ui/roles"
	"hotcell/ui/store"
)

// saveEvery is how often the text of a growing answer goes to disk: a kill -9 loses no more.
const saveEvery = time.Second

// answer is the answer in the making. It begins without a generation, while the question goes to disk.
type answer struct {
	gen     *infer.Generation
	cancel  context.CancelFunc
	message *message

	started  time.Time
	base     infer.Stats  // when it was asked for
	before   uint64       // tokens that the message had, when it is continued
	recent   []sample     // the last second or so, oldest first
	now      look.Reading // tokens per second over recent
	prefill  infer.Progress
	stopping bool
	resumed  bool // the answer goes on with a text that was cut

	saved   atomic.Int64 // bytes of the text on disk
	thought atomic.Int64 // bytes of the thought on disk
	savedAt time.Time
	saving  bool // an Append is under way
}

// sample is what the engine had done at one moment.
type sample struct {
	at    time.Time
	stats infer.Stats
}

// drainMsg says that there is something new to take from a generation.
type drainMsg struct {
	gen *infer.Generation
	at  time.Time // when it became ready, which is a little before it is taken
}

// appendedMsg says that a part of an answer is on disk, or why it is not.
type appendedMsg struct {
	answer *answer
	err    error
}

// await waits until there is something new, then for the next edge of the drawing clock.
func (a *answer) await() tea.Cmd {
	gen, started := a.gen, a.started
	return atEdge(gen.Ready(), started, func(at time.Time) tea.Msg { return drainMsg{gen, at} })
}

// continuer is an engine that can go on with an answer that was cut.
type continuer interface {
	Continue(ctx context.Context, msgs []infer.Message, begun string, opt infer.Options) *infer.Generation
}

// goOn is what an engine is told that cannot go on by itself.
const goOn = "Go on exactly where you stopped, without repeating anything."

// generate asks the engine to answer the conversation on screen.
func (m *model) generate(a *answer) tea.Cmd {
	ctx, cancel := context.WithCancel(m.ctx)
	a.cancel, a.base = cancel, m.engine.Stats()
	turns := conversation(m.role, m.chat.messages)
	options := m.options()
	c, canContinue := m.engine.(continuer)
	switch last := len(turns) - 1; {
	case a.resumed && canContinue:
		a.gen = c.Continue(ctx, turns[:last], turns[last].Content, options)
	case a.resumed:
		a.gen = m.engine.Generate(ctx, append(turns, infer.Message{Role: "user", Content: goOn}), options)
	default:
		a.gen = m.engine.Generate(ctx, turns, options)
	}
	return tea.Batch(a.await(), m.keepAwake())
}

// take adds what is new to the message.
func (a *answer) take(u infer.Update) {
	a.message.text += u.Text
	a.message.thought += u.Thought
	for _, n := range u.Notices {
		a.message.notices += n.String() + "\n"
	}
	a.prefill = u.Prefill
}

// drain takes what is new of the answer.
func (m *model) drain(msg drainMsg) tea.Cmd {
	a := m.answer
	if a == nil || a.gen != msg.gen {
		return nil
	}
	u := a.gen.Drain()
	stats := m.engine.Stats()
	m.context, m.contextMax = stats.ContextUsed, stats.ContextMax
	a.take(u)
	reply := a.message
	if u.Text+u.Thought != "" && !reply.speed.ttftSet {
		reply.speed.ttft, reply.speed.ttftSet = msg.at.Sub(a.started), true
	}
	a.measure(m.now(), stats)
	m.dash.sample(m.now(), stats, a)
	if !u.Done {
		return tea.Batch(a.await(), m.keep(a), m.sense())
	}

	a.cancel()
	reply.ending = ending(u.Reason, reply.speed.tokens)
	reply.cut = u.Reason == infer.Stopped || u.Reason == infer.Length || u.Reason == infer.ContextFull
	state := store.Complete
	if reply.cut {
		state = store.Stopped
	}
	if u.Reason == infer.Failed {
		state = store.Failed
		reply.failed = true
		reply.ending = "The answer failed."
		if u.Err != nil {
			reply.ending = "The answer failed: " + u.Err.Error()
		}
		reply.ending += "\n^R or /retry tries again."
	}
	return m.endAnswer(a, state)
}

// endAnswer settles an answer on screen and on disk.
func (m *model) endAnswer(a *answer, state store.State) tea.Cmd {
	m.answer = nil
	a.message.ended = true
	if a.message.speed.tokens > 0 {
		m.last, m.hasLast = a.message.speed, true
	}
	m.chat.settle()
	if a.message.id == 0 || m.archive.store == nil {
		return nil
	}
	id, outcome := a.message.id, a.outcome(state, a.message.ending)
	return m.job(func(ctx context.Context, s *store.Store) tea.Msg {
		ctx = context.WithoutCancel(ctx) // quitting must not lose it
		text, thought := a.unsaved()
		if text+thought != "" {
			if err := s.Append(ctx, id, text, thought); err != nil {
				return failedMsg{"The end of the answer could not be kept", err}
			}
			a.wrote(text, thought)
		}
		if err := s.Finish(ctx, id, outcome); err != nil {
			return failedMsg{"The end of the answer could not be kept", err}
		}
		return nil
	})
}

// keep writes what the answer has grown by, at most every saveEvery.
func (m *model) keep(a *answer) tea.Cmd {
	now := m.now()
	if a.message.id == 0 || a.saving || m.archive.store == nil || now.Sub(a.savedAt) < saveEvery {
		return nil
	}
	text, thought := a.unsaved()
	if text+thought == "" {
		return nil
	}
	a.saving, a.savedAt = true, now
	id := a.message.id
	return m.job(func(ctx context.Context, s *store.Store) tea.Msg {
		err := s.Append(context.WithoutCancel(ctx), id, text, thought)
		if err == nil {
			a.wrote(text, thought)
		}
		return appendedMsg{a, err}
	})
}

func (m *model) appended(msg appendedMsg) {
	msg.answer.saving = false
	if msg.err != nil && msg.answer == m.answer {
		msg.answer.message.id = 0 // do not try each second
		m.report("The answer is no longer kept: " + msg.err.Error())
	}
}

// unsaved is what is not on disk yet. Only one job at a time may be about it.
func (a *answer) unsaved() (text, thought string) {
	return a.message.text[a.saved.Load():], a.message.thought[a.thought.Load():]
}

func (a *answer) wrote(text, thought string) {
	a.saved.Add(int64(len(text)))
	a.thought.Add(int64(len(thought)))
}

// outcome is what the store keeps of an answer besides its text.
func (a *answer) outcome(state store.State, ending string) store.Outcome {
	s := a.message.speed
	o := store.Outcome{
		State: state, Notice: a.message.notices, Ending: ending,
		PromptTokens: a.prefill.Total, Tokens: int(s.tokens), FirstText: s.ttft,
	}
	if s.rate.OK {
		o.Rate = s.rate.Value
	}
	return o
}

// ending is the line below an answer that did not end by itself.
func ending(reason infer.Reason, tokens uint64) string {
	switch reason {
	case infer.Stopped:
		return "stopped; /continue goes on"
	case infer.Length:
		return fmt.Sprintf("cut at the role's limit of %d tokens; /continue goes on", tokens)
	case infer.ContextFull:
		return "cut: the context is full; /new begins a new chat, /ctx makes the context larger"
	}
	return ""
}

// measure takes the speed from the engine's counters: over the last second or so, and over the answer.
func (a *answer) measure(at time.Time, stats infer.Stats) {
	a.recent = append(a.recent, sample{at, stats})
	for len(a.recent) > 1 && at.Sub(a.recent[1].at) >= time.Second {
		a.recent = a.recent[1:]
	}
	a.now = look.Known(stats.Sub(a.recent[0].stats).DecodeRate())
	whole := stats.Sub(a.base)
	a.message.speed.rate = look.Known(whole.DecodeRate())
	a.message.speed.tokens = a.before + whole.DecodeTokens
	if !a.now.OK {
		a.now = a.message.speed.rate
	}
}

// stop asks the engine to stop; the text so far stands, and the generation still tells its end.
func (a *answer) stop() {
	a.stopping = true
	if a.cancel != nil {
		a.cancel()
	}
}

// conversation is what the engine is asked to continue: the role's system prompt, then the turns, answers
// that were stopped included. Answers without text are left out. Many chat templates refuse two messages
// of one speaker in a row, which is what an answer that failed leaves behind, so those become one.
func conversation(role roles.Role, messages []*message) []infer.Message {
	var turns []infer.Message
	if role.System != "" {
		turns = append(turns, infer.Message{Role: "system", Content: role.System})
	}
	for _, m := range messages {
		speaker := "user"
		switch m.kind {
		case fromApp:
			continue
		case fromModel:
			if strings.TrimSpace(m.text) == "" {
				continue
			}
			speaker = "assistant"
		}
		if last := len(turns) - 1; last >= 0 && turns[last].Role == speaker {
			turns[last].Content += "\n\n" + m.text
			continue
		}
		turns = append(turns, infer.Message{Role: speaker, Content: m.text})
	}
	return turns
}

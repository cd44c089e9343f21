package ui

import (
	"context"
	"fmt"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"hotcell/infer"
)

// answer is the answer in the making.
type answer struct {
	gen     *infer.Generation
	cancel  context.CancelFunc
	message *message

	started  time.Time
	base     infer.Stats // when it was asked for
	recent   []sample    // the last second or so, oldest first
	now      reading     // tokens per second over recent
	prefill  infer.Progress
	stopping bool
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

// await waits until there is something new, then for the next edge of the drawing clock.
func (a *answer) await() tea.Cmd {
	gen, started := a.gen, a.started
	return atEdge(gen.Ready(), started, func(at time.Time) tea.Msg { return drainMsg{gen, at} })
}

// startAnswer asks the engine to answer the conversation so far.
func (m *model) startAnswer() tea.Cmd {
	turns := conversation(m.cfg.Role, m.chat.messages)
	ctx, cancel := context.WithCancel(m.ctx)
	reply := &message{kind: fromModel, name: m.roleName(), at: m.now(), model: sanitizeLabel(m.engine.Info().Name)}
	m.chat.add(reply)
	a := &answer{cancel: cancel, message: reply, started: m.now(), base: m.engine.Stats()}
	a.gen = m.engine.Generate(ctx, turns, infer.Options{MaxTokens: m.cfg.Role.MaxTokens, Sampling: m.cfg.Role.Sampling})
	m.answer = a
	return a.await()
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
	reply := a.message
	reply.text += u.Text
	reply.thought += u.Thought
	for _, n := range u.Notices {
		reply.notices += n.String() + "\n"
	}
	if u.Text+u.Thought != "" && !reply.speed.ttftSet {
		reply.speed.ttft, reply.speed.ttftSet = msg.at.Sub(a.started), true
	}
	a.prefill = u.Prefill
	a.measure(m.now(), stats)
	if !u.Done {
		return a.await()
	}

	a.cancel()
	m.answer = nil
	reply.ended = true
	reply.ending = ending(u.Reason, reply.speed.tokens)
	if reply.speed.tokens > 0 {
		m.last, m.hasLast = reply.speed, true
	}
	if reply.failed = u.Reason == infer.Failed; reply.failed {
		reply.ending = "The answer failed."
		if u.Err != nil {
			reply.ending = "The answer failed: " + u.Err.Error()
		}
		reply.ending += "\n^R or /retry tries again."
	}
	m.chat.settle()
	return nil
}

// ending is the line below an answer that did not end by itself.
func ending(reason infer.Reason, tokens uint64) string {
	switch reason {
	case infer.Stopped:
		return "stopped"
	case infer.Length:
		return fmt.Sprintf("cut at the role's limit of %d tokens", tokens)
	case infer.ContextFull:
		return "cut: the context is full; /new begins a new conversation"
	}
	return ""
}

// measure takes the speed from the engine's counters: over the last second or so, and over the answer.
func (a *answer) measure(at time.Time, stats infer.Stats) {
	a.recent = append(a.recent, sample{at, stats})
	for len(a.recent) > 1 && at.Sub(a.recent[1].at) >= time.Second {
		a.recent = a.recent[1:]
	}
	a.now = known(stats.Sub(a.recent[0].stats).DecodeRate())
	whole := stats.Sub(a.base)
	a.message.speed.rate = known(whole.DecodeRate())
	a.message.speed.tokens = whole.DecodeTokens
	if !a.now.ok {
		a.now = a.message.speed.rate
	}
}

// stop asks the engine to stop; the text so far stands, and the generation still tells its end.
func (a *answer) stop() {
	a.stopping = true
	a.cancel()
}

// conversation is what the engine is asked to continue: the role's system prompt, then the turns, answers
// that were stopped included. Answers without text are left out. Many chat templates refuse two messages
// of one speaker in a row, which is what an answer that failed leaves behind, so those become one.
func conversation(role Role, messages []*message) []infer.Message {
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

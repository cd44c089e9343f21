package infer

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"hotcell/models/chat"
)

// Message is one turn of a conversation; see [chat.Message].
type Message = chat.Message

// Reason says why a generation ended.
type Reason string

// The reasons for which a generation ends.
const (
	EndOfTurn   Reason = "end"     // the model ended its turn
	Length      Reason = "length"  // Options.MaxTokens was reached
	ContextFull Reason = "context" // no place is left in the KV cache
	Stopped     Reason = "stopped" // the context was cancelled; the text so far stands
	Failed      Reason = "error"   // see the error
)

// NoticeKind names what a Notice tells.
type NoticeKind string

// The kinds of notices.
const (
	// TurnsDropped: the conversation no longer fits into the context, so its oldest turns were
	// left out of the prompt (the system prompt stays). Notice.Count is the number of messages.
	TurnsDropped NoticeKind = "turns_dropped"
)

// Notice is something that the user should be told about an answer, besides its text.
type Notice struct {
	Kind  NoticeKind `json:"kind"`
	Count int        `json:"count"`
}

// String is the notice as one plain sentence.
func (n Notice) String() string {
	switch n.Kind {
	case TurnsDropped:
		if n.Count == 1 {
			return "The context is full: the oldest message was left out."
		}
		return fmt.Sprintf("The context is full: the %d oldest messages were left out.", n.Count)
	}
	return string(n.Kind)
}

// Progress tells how far prefill has come.
type Progress struct {
	Done, Total int           // prompt tokens; Total 0: prefill has not begun
	Left        time.Duration // estimated time left, 0 when unknown
}

// Update is what happened to a generation since the last [Generation.Drain].
type Update struct {
	Text    string   // new text of the answer, whole UTF-8 characters
	Thought string   // new text that a reasoning model thinks before it answers
	Notices []Notice // new notices
	Prefill Progress // the state now
	Done    bool     // nothing will follow
	Reason  Reason   // set when Done
	Err     error    // set when Reason is Failed
}

// Generation is one answer in the making. The engine's goroutine appends to it and never waits; a
// reader drains it at its own pace: a slow screen makes updates rarer, not queues longer.
//
// The reader's side is Ready, Drain, Done and Wait. The writer's side is Append, Think, Notify, SetPrefill
// and Finish, all called from one goroutine; it is exported so that another engine, a remote one
// or a test's, can stand behind the same interface.
type Generation struct {
	mu      sync.Mutex // guards the next three; held for a copy only
	text    []byte
	thought []byte
	notices []Notice

	prefillDone, prefillTotal atomic.Int64 // tokens
	prefillStart              atomic.Int64 // UnixNano of the first SetPrefill

	ready    chan struct{} // one slot: something new since the last Drain
	finished chan struct{} // closed by Finish
	reason   Reason        // written before finished is closed
	err      error
}

// NewGeneration returns an empty generation that the caller will write to.
func NewGeneration() *Generation {
	return &Generation{
		text:     make([]byte, 0, 4096),
		ready:    make(chan struct{}, 1),
		finished: make(chan struct{}),
	}
}

func (g *Generation) signal() {
	select {
	case g.ready <- struct{}{}:
	default:
	}
}

// Append adds text; it must be whole UTF-8 characters.
func (g *Generation) Append(text []byte) {
	if len(text) == 0 {
		return
	}
	g.mu.Lock()
	g.text = append(g.text, text...)
	g.mu.Unlock()
	g.signal()
}

// Think adds text that the model thinks before it answers; it must be whole UTF-8 characters.
func (g *Generation) Think(text []byte) {
	if len(text) == 0 {
		return
	}
	g.mu.Lock()
	g.thought = append(g.thought, text...)
	g.mu.Unlock()
	g.signal()
}

// Notify adds a notice.
func (g *Generation) Notify(n Notice) {
	g.mu.Lock()
	g.notices = append(g.notices, n)
	g.mu.Unlock()
	g.signal()
}

// SetPrefill records how many of the prompt's tokens are computed.
func (g *Generation) SetPrefill(done, total int) {
	g.prefillStart.CompareAndSwap(0, time.Now().UnixNano())
	g.prefillDone.Store(int64(done))
	g.prefillTotal.Store(int64(total))
	g.signal()
}

// Finish ends the generation. err is nil unless reason is Failed.
func (g *Generation) Finish(reason Reason, err error) {
	g.reason, g.err = reason, err
	close(g.finished)
	g.signal()
}

// Ready has a value when something is new since the last Drain.
func (g *Generation) Ready() <-chan struct{} { return g.ready }

// Done is closed when the generation has ended.
func (g *Generation) Done() <-chan struct{} { return g.finished }

// Drain returns what is new and never blocks. Once it returned Done it has returned everything.
func (g *Generation) Drain() Update {
	var u Update
	select {
	case <-g.finished: // before the text is taken, so that no text can follow Done
		u.Done, u.Reason, u.Err = true, g.reason, g.err
	default:
	}
	g.mu.Lock()
	u.Text, u.Thought = string(g.text), string(g.thought)
	g.text, g.thought = g.text[:0], g.thought[:0]
	u.Notices = g.notices
	g.notices = nil
	g.mu.Unlock()
	u.Prefill = g.prefill()
	return u
}

func (g *Generation) prefill() Progress {
	p := Progress{Done: int(g.prefillDone.Load()), Total: int(g.prefillTotal.Load())}
	if p.Done > 0 && p.Done < p.Total {
		elapsed := time.Duration(time.Now().UnixNano() - g.prefillStart.Load())
		p.Left = elapsed * time.Duration(p.Total-p.Done) / time.Duration(p.Done)
	}
	return p
}

// Wait blocks until the generation ends or ctx is cancelled and returns all text not yet drained.
func (g *Generation) Wait(ctx context.Context) (string, Reason, error) {
	select {
	case <-g.finished:
	case <-ctx.Done():
		return "", Stopped, ctx.Err()
	}
	u := g.Drain()
	return u.Text, u.Reason, u.Err
}

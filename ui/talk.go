package ui

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"hotcell/infer"
	"hotcell/ui/look"
	"hotcell/ui/store"
)

// begunMsg says that a question and the beginning of its answer are on disk, or why they are not.
type begunMsg struct {
	answer           *answer
	question         *message // nil for an answer alone
	chat             store.Chat
	asked, answering store.Message
	err              error
}

// enter sends the draft, or breaks the line when it ends with a backslash.
func (m *model) enter() tea.Cmd {
	draft := m.input.Value()
	if strings.HasSuffix(draft, `\`) {
		m.input.Set(strings.TrimSuffix(draft, `\`) + "\n")
		return nil
	}
	text := strings.TrimSpace(draft)
	if text == "" {
		return nil
	}
	if m.answer == nil && (m.loading != nil || m.archive.opening) {
		m.waiting = true
		return m.toastFor("it is sent as soon as all is loaded; esc keeps it as a draft", longToast)
	}
	if why := m.cannotAnswer(); why != "" {
		return m.toastFor(why, longToast)
	}
	m.input.Set("")
	at := len(m.chat.messages)
	if m.edit != nil {
		at = m.edit.message
		m.input.Set(m.edit.draft)
		m.edit = nil
	}
	return m.send(text, at)
}

// cannotAnswer is why no answer can begin now, or "".
func (m *model) cannotAnswer() string {
	switch {
	case m.answer != nil:
		return "wait, or press esc to stop the answer"
	case m.loading != nil:
		return "wait, the model is still loading"
	case m.engine == nil:
		return "no model is loaded"
	case m.archive.opening:
		return "wait, the chats are being opened"
	case m.work != nil && m.work.engine:
		return "wait, the model is being measured"
	}
	return ""
}

func (m *model) busy() tea.Cmd { return m.toastFor("wait, or press esc to stop the answer", longToast) }

// send asks a question that follows the messages before at; what stood there stays as another branch.
func (m *model) send(text string, at int) tea.Cmd {
	m.recall.add(text)
	m.chat.messages = m.chat.messages[:at:at]
	parent, kept := m.parentOf(at)
	question := &message{kind: fromUser, name: "you", text: text, at: m.now(), ended: true}
	m.chat.add(question)
	return m.ask(question, parent, kept)
}

// parentOf is the ID of the last message before index at, 0 for none; kept is false if that message is not on disk.
func (m *model) parentOf(at int) (id int64, kept bool) {
	for at--; at >= 0; at-- {
		if s := m.chat.messages[at]; s.kind != fromApp {
			return s.id, s.id != 0
		}
	}
	return 0, true
}

// ask puts a question (nil: it stands there already) and the beginning of an answer on disk; the answer begins then. What follows a message
// that could not be kept cannot be kept either.
func (m *model) ask(question *message, parent int64, kept bool) tea.Cmd {
	info := m.engine.Info()
	reply := &message{kind: fromModel, name: m.roleName(), at: m.now(), model: look.Label(info.Name)}
	a := &answer{message: reply, started: m.now(), savedAt: m.now()}
	m.answer = a
	m.chat.add(reply)
	if m.archive.store == nil || !kept {
		return m.generate(a)
	}
	chat, role := m.talk.id, m.role.Name
	text := ""
	if question != nil {
		text = question.text
	}
	return m.job(func(ctx context.Context, s *store.Store) tea.Msg {
		msg := begunMsg{answer: a, question: question}
		if chat == 0 {
			if msg.chat, msg.err = s.NewChat(ctx, role, info.Name); msg.err != nil {
				return msg
			}
			chat = msg.chat.ID
		}
		if question != nil {
			if msg.asked, msg.err = s.Ask(ctx, chat, parent, text); msg.err != nil {
				return msg
			}
			parent = msg.asked.ID
			_ = s.Remember(ctx, text) // a history that is not kept is no reason to stop
		}
		if msg.answering, msg.err = s.Answer(ctx, chat, parent, role, info.Name); msg.err != nil {
			return msg
		}
		msg.chat, msg.err = s.Chat(ctx, chat)
		return msg
	})
}

// begun starts the answer whose question is on disk. If it could not be put there the answer comes all the same.
func (m *model) begun(msg begunMsg) tea.Cmd {
	if msg.err != nil {
		sentence := &message{kind: fromApp, text: "This message is not kept: " + msg.err.Error(), at: m.now(), failed: true}
		at := max(0, slices.Index(m.chat.messages, msg.answer.message))
		m.chat.messages = slices.Insert(m.chat.messages, at, sentence) // before the answer, which has no text yet
	}
	if msg.chat.ID != 0 {
		m.talk = talk{msg.chat.ID, look.Label(msg.chat.Title)}
	}
	if q := msg.question; q != nil && msg.asked.ID != 0 {
		q.id, q.place, q.places = msg.asked.ID, msg.asked.Place, msg.asked.Places
	}
	reply := msg.answer.message
	if msg.answering.ID != 0 {
		reply.id, reply.place, reply.places = msg.answering.ID, msg.answering.Place, msg.answering.Places
	}
	if m.answer != msg.answer {
		return nil
	}
	if m.answer.stopping || m.engine == nil {
		reply.ending, reply.cut = ending(infer.Stopped, 0), true
		return m.endAnswer(msg.answer, store.Stopped)
	}
	return m.generate(m.answer)
}

// retry asks for another answer to the last question.
func (m *model) retry() tea.Cmd { return m.retryAt(len(m.chat.messages) - 1) }

// retryAt asks for another answer to the last question at or before message i. The answer that stood there stays as a branch.
func (m *model) retryAt(i int) tea.Cmd {
	if m.answer != nil {
		return m.busy()
	}
	for i >= 0 && m.chat.messages[i].kind != fromUser {
		i--
	}
	if i < 0 || m.engine == nil {
		return m.toastFor("there is nothing to answer again yet", longToast)
	}
	if why := m.cannotAnswer(); why != "" {
		return m.toastFor(why, longToast)
	}
	m.leaveEdit()
	m.chat.show(m.chat.messages[: i+1 : i+1])
	question := m.chat.messages[i].id
	return m.ask(nil, question, question != 0)
}

// goOn continues the last answer, if it was cut.
func (m *model) goOn() tea.Cmd {
	var last *message
	for _, s := range m.chat.messages {
		if s.kind != fromApp {
			last = s
		}
	}
	if last == nil || last.kind != fromModel || !last.cut || strings.TrimSpace(last.text) == "" {
		return m.toastFor("there is no answer that was cut", longToast)
	}
	if why := m.cannotAnswer(); why != "" {
		return m.toastFor(why, longToast)
	}
	a := &answer{message: last, started: m.now(), savedAt: m.now(), before: last.speed.tokens, resumed: true}
	a.saved.Store(int64(len(last.text)))
	a.thought.Store(int64(len(last.thought)))
	last.ended, last.cut, last.failed, last.ending = false, false, false, ""
	m.answer = a
	m.chat.scrolled = false
	if last.id == 0 || m.archive.store == nil {
		return m.generate(a)
	}
	id := last.id
	return m.job(func(ctx context.Context, s *store.Store) tea.Msg {
		return begunMsg{answer: a, err: s.Continue(ctx, id)}
	})
}

// edit is a question that is being edited.
type edit struct {
	message int    // its index
	draft   string // what stood in the input before
}

// editLast takes the last question into the input, and at another press the one before.
func (m *model) editLast() tea.Cmd {
	from := len(m.chat.messages)
	if m.edit != nil {
		from = m.edit.message
	}
	for i := from - 1; i >= 0; i-- {
		if m.chat.messages[i].kind == fromUser {
			return m.editMessage(i)
		}
	}
	if m.edit != nil {
		return m.toastFor("this is the first question", longToast)
	}
	return m.toastFor("there is no question to edit yet", longToast)
}

// editMessage takes question i into the input. Sending it begins a branch.
func (m *model) editMessage(i int) tea.Cmd {
	if m.answer != nil {
		return m.busy()
	}
	if i < 0 || i >= len(m.chat.messages) || m.chat.messages[i].kind != fromUser {
		return m.toastFor("only a question can be edited", longToast)
	}
	draft := m.input.Value()
	if m.edit != nil {
		draft = m.edit.draft
	}
	m.edit = &edit{i, draft}
	m.input.Set(m.chat.messages[i].text)
	m.chat.scrollTo(i)
	return nil
}

// leaveEdit brings the draft back that stood in the input before.
func (m *model) leaveEdit() {
	if m.edit != nil {
		m.input.Set(m.edit.draft)
		m.edit = nil
		m.chat.scrolled = false
	}
}

// newChat clears the screen; the chat begins on disk with its first message.
func (m *model) newChat() tea.Cmd {
	if m.answer != nil {
		return m.busy()
	}
	m.leaveEdit()
	m.talk = talk{}
	m.chat.show(nil)
	m.context, m.hasLast = 0, false
	if m.role.Greeting != "" {
		m.say(m.role.Greeting)
	}
	return nil
}

// askStop stops the answer at the second press; one press is easily a slip, or half of an arrow key.
func (m *model) askStop() tea.Cmd {
	switch {
	case m.waiting:
		m.waiting = false
		return m.toastFor("it stays a draft", longToast)
	case m.edit != nil:
		m.leaveEdit()
		return nil
	}
	if m.answer == nil || m.answer.stopping {
		return nil
	}
	if now := m.now(); now.After(m.again.stop) {
		m.again.stop = now.Add(soon)
		return m.toastFor("press esc again to stop", soon)
	}
	return m.stopAnswer()
}

func (m *model) stopAnswer() tea.Cmd {
	m.toast.text, m.again.stop = "", time.Time{}
	switch {
	case m.answer != nil:
		m.answer.stop()
		return nil
	case m.loading != nil && m.loading.cancel != nil:
		m.loading.cancel()
		return nil
	case m.work != nil:
		m.work.cancel()
		return nil
	}
	return m.toastFor("nothing is being answered", longToast)
}

// rename gives the chat a title.
func (m *model) rename(title string) tea.Cmd {
	if m.talk.id == 0 || m.archive.store == nil {
		return m.toastFor("the chat has no message yet", longToast)
	}
	return m.renameChat(m.talk.id, title)
}

// branchName tells which branch a message is on.
func branchName(s *message) string { return fmt.Sprintf("branch %d of %d", s.place, s.places) }

// recall is the history of inputs.
type recall struct {
	texts []string // oldest first
	at    int      // the one in the input; len(texts): none
	draft string   // what was being written before
}

func (r *recall) add(text string) {
	if len(r.texts) == 0 || r.texts[len(r.texts)-1] != text {
		r.texts = append(r.texts, text)
	}
	r.at = len(r.texts)
}

// older returns the input before the one shown; current is what stands in the input.
func (r *recall) older(current string) (text string, ok bool) {
	if r.at == 0 {
		return "", false
	}
	if r.at == len(r.texts) {
		r.draft = current
	}
	r.at--
	return r.texts[r.at], true
}

// newer returns the input after the one shown, in the end what was being written.
func (r *recall) newer() (text string, ok bool) {
	if r.at >= len(r.texts) {
		return "", false
	}
	r.at++
	if r.at == len(r.texts) {
		return r.draft, true
	}
	return r.texts[r.at], true
}

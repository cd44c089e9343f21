package ui

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"hotcell/ui/look"
	"hotcell/ui/store"
)

// archive is the chats on disk. All that is done to it happens in jobs, which run off the event loop one after
// the other, in the order in which they were asked for: a message is on disk before the answer to it begins.
type archive struct {
	store   *store.Store  // nil: nothing is kept, see opening
	opening bool          // the store is on its way
	last    chan struct{} // closed when the newest job has ended
}

// storeMsg brings the store.
type storeMsg struct {
	store *store.Store
	err   error
	past  []string // earlier inputs
}

// failedMsg tells of something that did not work and that nothing waits for.
type failedMsg struct {
	what string
	err  error
}

// job makes a command of work on the store. It must not be called without one.
func (m *model) job(f func(ctx context.Context, s *store.Store) tea.Msg) tea.Cmd {
	before, done := m.archive.last, make(chan struct{})
	m.archive.last = done
	ctx, s := m.ctx, m.archive.store
	return m.later(func() tea.Msg {
		defer close(done)
		if before != nil {
			<-before
		}
		return f(ctx, s)
	})
}

// openStore opens the chats; a folder that cannot be written leaves them in memory, which is told.
func (m *model) openStore() tea.Cmd {
	m.archive.opening = true
	ctx, dir := m.ctx, m.cfg.DataDir
	return guard(func() tea.Msg {
		s, err := store.Open(ctx, filepath.Join(dir, store.File))
		if err != nil {
			var inMemory error
			if s, inMemory = store.Temporary(ctx); inMemory != nil {
				return storeMsg{err: errors.Join(err, inMemory)}
			}
		}
		past, _ := s.Inputs(ctx) // a history that cannot be read is an empty one
		return storeMsg{s, err, past}
	})
}

// opened takes the store. The model is loaded after it, not beside it: the first opening on a device takes memory that a plan for the
// model would count.
func (m *model) opened(msg storeMsg) tea.Cmd {
	cmd := m.useStore(msg)
	if l := m.loading; l != nil && l.cancel == nil {
		return tea.Batch(cmd, l.run(m, m.modelID, nil), l.await())
	}
	return cmd
}

func (m *model) useStore(msg storeMsg) tea.Cmd {
	m.archive.opening = false
	m.archive.store = msg.store
	if msg.err != nil {
		m.report("Chats are not kept after this run: " + msg.err.Error())
	}
	m.recall.texts, m.recall.at = msg.past, len(msg.past)
	if msg.store == nil {
		return m.start()
	}
	for _, note := range msg.store.Notes() {
		m.say(note)
	}
	if m.cfg.Resume {
		m.cfg.Resume = false
		return m.job(func(ctx context.Context, s *store.Store) tea.Msg {
			recent, err := s.Recent(ctx, 1, 0)
			if err != nil || len(recent) == 0 {
				return resumedMsg{err: err, prompt: true}
			}
			msg := readChat(ctx, s, recent[0].ID)
			msg.prompt = true
			return msg
		})
	}
	return m.start()
}

// talk is the chat that is on screen.
type talk struct {
	id    int64 // in the store; 0: it has no message yet
	title string
}

// resumedMsg brings a chat to the screen.
type resumedMsg struct {
	chat   store.Chat
	path   []store.Message
	err    error
	show   int64 // the message to scroll to; 0: the end
	prompt bool  // the first message may be sent now
}

func readChat(ctx context.Context, s *store.Store, id int64) (msg resumedMsg) {
	if msg.chat, msg.err = s.Chat(ctx, id); msg.err == nil {
		msg.path, msg.err = s.Path(ctx, id)
	}
	return msg
}

// resume brings a chat to the screen, at the message with the ID show if it is not 0.
func (m *model) resume(id, show int64) tea.Cmd {
	if m.answer != nil {
		return m.busy()
	}
	return m.job(func(ctx context.Context, s *store.Store) tea.Msg {
		if show != 0 {
			if _, err := s.Choose(ctx, show); err != nil {
				return resumedMsg{err: err}
			}
		}
		msg := readChat(ctx, s, id)
		msg.show = show
		return msg
	})
}

// resumed shows the chat that was read.
func (m *model) resumed(msg resumedMsg) tea.Cmd {
	if msg.err != nil {
		m.report("The chat could not be opened: " + msg.err.Error())
		return m.startIf(msg.prompt)
	}
	if msg.chat.ID == 0 || m.answer != nil {
		return m.startIf(msg.prompt)
	}
	m.leaveEdit()
	m.talk = talk{msg.chat.ID, look.Label(msg.chat.Title)}
	m.showPath(msg.path)
	for i, s := range m.chat.messages {
		if s.id == msg.show && msg.show != 0 {
			m.chat.scrollTo(i)
		}
	}
	m.hasLast = false
	cmd := m.takeRole(msg.chat.Role)
	if m.engine != nil && msg.chat.Model != "" && msg.chat.Model != m.modelName() {
		cmd = tea.Batch(cmd, m.toastFor("this chat was with "+look.Label(msg.chat.Model), longToast))
	}
	return tea.Batch(cmd, m.startIf(msg.prompt))
}

func (m *model) startIf(prompt bool) tea.Cmd {
	if prompt {
		return m.start()
	}
	return nil
}

// showPath puts the messages of a path on screen. Messages that were there already keep what was drawn of them.
func (m *model) showPath(path []store.Message) {
	old := map[int64]*message{}
	for _, s := range m.chat.messages {
		if s.id != 0 {
			old[s.id] = s
		}
	}
	messages := make([]*message, len(path))
	for i, s := range path {
		if was, ok := old[s.ID]; ok && was.text == s.Text {
			was.place, was.places = s.Place, s.Places
			messages[i] = was
			continue
		}
		messages[i] = restored(s)
	}
	m.chat.show(messages)
}

// branchMsg brings the path of another branch.
type branchMsg struct {
	path []store.Message
	at   int // the message at which the branches part
	err  error
}

// switchBranch goes to the branch that is n further at message i.
func (m *model) switchBranch(i, n int) tea.Cmd {
	if m.answer != nil {
		return m.busy()
	}
	if i < 0 || i >= len(m.chat.messages) || !m.chat.messages[i].branched() || m.archive.store == nil {
		return m.toastFor("there is no other branch; editing or retrying makes one", longToast)
	}
	id := m.chat.messages[i].id
	return m.job(func(ctx context.Context, s *store.Store) tea.Msg {
		all, err := s.Siblings(ctx, id)
		if err != nil {
			return branchMsg{err: err}
		}
		to := id
		for k, sibling := range all {
			if sibling.ID == id {
				to = all[(k+n+len(all))%len(all)].ID
			}
		}
		path, err := s.Choose(ctx, to)
		return branchMsg{path, i, err}
	})
}

// nextBranch switches at the last fork.
func (m *model) nextBranch() tea.Cmd {
	at := -1
	for i, s := range m.chat.messages {
		if s.branched() {
			at = i
		}
	}
	return m.switchBranch(at, 1)
}

func (m *model) branched(msg branchMsg) tea.Cmd {
	if msg.err != nil {
		return m.toastFor(msg.err.Error(), longToast)
	}
	if m.answer != nil {
		return nil
	}
	m.leaveEdit()
	m.showPath(msg.path)
	if msg.at < len(m.chat.messages) {
		if s := m.chat.messages[msg.at]; s.branched() {
			m.refreshMessages()
			return m.toastFor(branchName(s), longToast)
		}
	}
	return nil
}

// finish stops a running answer, saves what it has, waits for the jobs and closes the chats. The program has left the event loop.
func (m *model) finish() {
	if a := m.answer; a != nil && a.gen != nil {
		a.cancel()
		within(a.gen.Done())
	}
	if s := m.archive.store; s != nil {
		m.finishAnswer(s)
		_ = s.Close() // there is nobody left to tell
	}
	if m.settingsSaved != nil {
		within(m.settingsSaved)
	}
}

// within waits for something to end, but not for long: what Bubble Tea no longer began never ends.
func within(done <-chan struct{}) {
	select {
	case <-done:
	case <-time.After(patience):
	}
}

// finishAnswer puts what the running answer has on disk.
func (m *model) finishAnswer(s *store.Store) {
	if m.archive.last != nil {
		within(m.archive.last)
	}
	a := m.answer
	if a == nil || a.gen == nil || a.message.id == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	a.take(a.gen.Drain())
	if text, thought := a.unsaved(); text+thought != "" {
		_ = s.Append(ctx, a.message.id, text, thought)
	}
	_ = s.Finish(ctx, a.message.id, a.outcome(store.Stopped, "stopped when the program ended; /continue goes on"))
}

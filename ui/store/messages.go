package store

import (
	"context"
	"fmt"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// Speakers of a message, in the words of infer.Message.
const (
	User      = "user"
	Assistant = "assistant"
)

// State says how far a message has come.
type State string

// The states of a message. A question is always Complete.
const (
	Complete State = "complete" // ended by itself
	Writing  State = "writing"  // an answer that is being streamed
	Stopped  State = "stopped"  // by the user or by the end of the program; it can be continued
	Failed   State = "failed"   // see Ending
)

// Message is one turn of a chat.
type Message struct {
	ID      int64  `json:"id"`
	Chat    int64  `json:"chat"`
	Parent  int64  `json:"parent"`  // the message before it; 0: it is the first one
	Speaker string `json:"speaker"` // User or Assistant
	Text    string `json:"text"`    // as typed or generated, never cleaned for the screen
	Thought string `json:"thought,omitempty"`
	Role    string `json:"role,omitempty"` // name of the role and of the model that answered
	Model   string `json:"model,omitempty"`

	Created time.Time `json:"created"`
	Ended   time.Time `json:"ended,omitzero"` // zero while it is written
	Outcome

	// Where it stands among the messages with the same parent, oldest first: "2/3" is Place 2 of Places 3.
	Place  int `json:"-"`
	Places int `json:"-"`
}

// Outcome is what is known of an answer when it ends.
type Outcome struct {
	State        State         `json:"state"`
	Notice       string        `json:"notice,omitempty"`        // lines that the engine had to tell, shown above the text
	Ending       string        `json:"ending,omitempty"`        // why it ended early, shown below the text
	PromptTokens int           `json:"prompt_tokens,omitempty"` // that were prefilled
	Tokens       int           `json:"tokens,omitempty"`        // decoded
	Rate         float64       `json:"rate,omitempty"`          // decoded tokens per second; 0: not known
	FirstText    time.Duration `json:"first_text_ns,omitempty"` // from sending to the first text, kept to a millisecond; 0: not known
}

// Ask adds a question below parent (0: the first of the chat) and makes it the leaf. When Ask returns, the
// question is on flash. Below a parent that has a child already it begins a new branch: that is how a
// question is edited.
func (s *Store) Ask(ctx context.Context, chat, parent int64, text string) (Message, error) {
	m := Message{Chat: chat, Parent: parent, Speaker: User, Text: text, Outcome: Outcome{State: Complete}}
	return s.add(ctx, "save the message", m)
}

// Answer begins an answer below parent and makes it the leaf. Its text follows by Append, its end by Finish.
// Below a question that has an answer already it begins a new branch: that is how an answer is retried.
func (s *Store) Answer(ctx context.Context, chat, parent int64, role, model string) (Message, error) {
	m := Message{Chat: chat, Parent: parent, Speaker: Assistant, Role: role, Model: model, Outcome: Outcome{State: Writing}}
	return s.add(ctx, "begin the answer", m)
}

func (s *Store) add(ctx context.Context, what string, m Message) (Message, error) {
	if err := fits(len(m.Text)); err != nil {
		return Message{}, fmt.Errorf("cannot %s: %w", what, err)
	}
	m.Text, m.Role, m.Model = clean(m.Text), clean(m.Role), clean(m.Model)
	m.Created = s.now()
	var parent any
	if m.Parent != 0 {
		parent = m.Parent
	}
	if m.State == Complete {
		m.Ended = m.Created
	}
	err := s.change(ctx, what, func(db *conn) error {
		if err := db.must(`UPDATE chats SET updated = ? WHERE id = ? AND deleted = 0`, m.Created, m.Chat); err != nil {
			return err
		}
		_, err := db.run(`INSERT INTO messages (chat, parent, speaker, text, state, writer, role, model, created, finished)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			m.Chat, parent, m.Speaker, m.Text, string(m.State), s.number(), m.Role, m.Model, m.Created, m.Ended)
		if err != nil {
			return err
		}
		m.ID = db.LastInsertRowID()
		if m.State == Complete {
			if err := index(db, m.ID, m.Text); err != nil {
				return err
			}
		}
		if _, err := db.run(`UPDATE chats SET title = ? WHERE id = ? AND title = ''`, titleOf(m.Text), m.Chat); err != nil {
			return err
		}
		if err := stand(db, m.Chat, m.Parent, m.ID); err != nil {
			return err
		}
		m.Places, err = places(db, m.Chat, parent)
		m.Place = m.Places
		return err
	})
	if err != nil {
		return Message{}, err
	}
	return m, nil
}

// stand makes a message that has no children the leaf of its chat.
func stand(db *conn, chat, parent, id int64) error {
	if _, err := db.run(`UPDATE messages SET chosen = ? WHERE id = ?`, id, parent); err != nil {
		return err
	}
	_, err := db.run(`UPDATE chats SET leaf = ? WHERE id = ?`, id, chat)
	return err
}

func places(db *conn, chat int64, parent any) (int, error) {
	n, err := db.number(`SELECT count(*) FROM messages WHERE chat = ? AND parent IS ?`, chat, parent)
	return int(n), err
}

// number is what the answers of this store carry while they are written.
func (s *Store) number() int {
	if s.writer == nil {
		return 0
	}
	return s.writer.number
}

// fits refuses a text that SQLite could not hold in the memory it has.
func fits(bytes int) error {
	if bytes > MaxText {
		return fmt.Errorf("a message can have at most %d MiB of text", MaxText>>20)
	}
	return nil
}

// Append adds text and thought to an answer in state Writing. It is cheap enough to be called once a second:
// the text is safe from the death of the process when it returns, and synced with the next change.
func (s *Store) Append(ctx context.Context, id int64, text, thought string) error {
	return s.do(ctx, "save the answer", func(db *conn) error {
		if err := db.Exec(`PRAGMA synchronous = NORMAL`); err != nil {
			return err
		}
		defer func() {
			db.SetInterrupt(context.Background())
			_ = db.Exec(`PRAGMA synchronous = FULL`)
		}()
		changed, err := db.run(`UPDATE messages SET text = text || ?, thought = thought || ?
			WHERE id = ? AND state = 'writing' AND length(CAST(text AS BLOB)) + length(CAST(thought AS BLOB)) <= ?`,
			clean(text), clean(thought), id, MaxText-len(text)-len(thought))
		if err != nil || changed > 0 {
			return err
		}
		state, err := stateOf(db, id)
		if err == nil && state == Writing {
			return fits(MaxText + 1)
		}
		if err == nil {
			return fmt.Errorf("the answer has ended (%s)", state)
		}
		return err
	})
}

func stateOf(db *conn, id int64) (state State, err error) {
	err = db.one(func(r *sqlite3.Stmt) { state = State(r.ColumnText(0)) }, `SELECT state FROM messages WHERE id = ?`, id)
	return state, err
}

// Finish ends an answer; what Append wrote is synced with it. Call it with a context that outlives the
// answer's own.
func (s *Store) Finish(ctx context.Context, id int64, o Outcome) error {
	return s.change(ctx, "save the end of the answer", func(db *conn) error { return s.finish(id, o) })
}

func (s *Store) finish(id int64, o Outcome) error {
	switch o.State {
	case Complete, Stopped, Failed:
	default:
		return fmt.Errorf("an answer cannot end as %q", o.State)
	}
	now := s.now()
	var text string
	err := s.db.one(func(r *sqlite3.Stmt) { text = r.ColumnText(0) }, `
		UPDATE messages SET state = ?, notice = ?, ending = ?, prompt = ?, tokens = ?, rate = ?, first_ms = ?, finished = ?
		WHERE id = ? AND state = 'writing' RETURNING text`,
		string(o.State), clean(o.Notice), clean(o.Ending), o.PromptTokens, o.Tokens, o.Rate, o.FirstText.Milliseconds(), now, id)
	if err != nil {
		return err
	}
	if _, err := s.db.run(`UPDATE chats SET updated = max(updated, ?) WHERE id = (SELECT chat FROM messages WHERE id = ?)`, now, id); err != nil {
		return err
	}
	return index(s.db, id, text)
}

// Continue puts an answer that has ended back into state Writing, so that Append and Finish go on with it.
func (s *Store) Continue(ctx context.Context, id int64) error {
	return s.change(ctx, "continue the answer", func(db *conn) error {
		if err := db.must(`UPDATE messages SET state = 'writing', ending = '', finished = 0, writer = ?
			WHERE id = ? AND speaker = 'assistant' AND state <> 'writing'`, s.number(), id); err != nil {
			return err
		}
		_, err := db.run(`DELETE FROM search WHERE rowid = ?`, id)
		return err
	})
}

// messageColumns ends with the place among the siblings and their number.
const messageColumns = `m.id, m.chat, coalesce(m.parent, 0), m.speaker, m.text, m.thought, m.role, m.model, m.created, m.finished,
	m.state, m.notice, m.ending, m.prompt, m.tokens, m.rate, m.first_ms,
	(SELECT count(*) FROM messages n WHERE n.chat = m.chat AND n.parent IS m.parent AND n.id <= m.id),
	(SELECT count(*) FROM messages n WHERE n.chat = m.chat AND n.parent IS m.parent)`

func scanMessage(r *sqlite3.Stmt) Message {
	return Message{
		ID: r.ColumnInt64(0), Chat: r.ColumnInt64(1), Parent: r.ColumnInt64(2),
		Speaker: r.ColumnText(3), Text: r.ColumnText(4), Thought: r.ColumnText(5), Role: r.ColumnText(6), Model: r.ColumnText(7),
		Created: unstamp(r.ColumnInt64(8)), Ended: unstamp(r.ColumnInt64(9)),
		Outcome: Outcome{
			State: State(r.ColumnText(10)), Notice: r.ColumnText(11), Ending: r.ColumnText(12),
			PromptTokens: r.ColumnInt(13), Tokens: r.ColumnInt(14), Rate: r.ColumnFloat(15),
			FirstText: time.Duration(r.ColumnInt64(16)) * time.Millisecond,
		},
		Place: r.ColumnInt(17), Places: r.ColumnInt(18),
	}
}

// list runs a query of messageColumns.
func list(db *conn, query string, args ...any) (found []Message, err error) {
	err = db.each(func(r *sqlite3.Stmt) error {
		found = append(found, scanMessage(r))
		return nil
	}, query, args...)
	return found, err
}

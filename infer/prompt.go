package infer

import (
	"fmt"
	"slices"

	"hotcell/models/chat"
	"hotcell/models/token"
)

// prompt is what is to be continued.
type prompt struct {
	tokens   []int32
	text     string    // as rendered
	raw      bool      // no template: only the tokens count
	begun    []int32   // the end of tokens, if an answer is continued
	messages []Message // the conversation that tokens were made from, before any turn was left out
}

// window remembers which turns were left out of a conversation that outgrew the context, so that the next turn leaves out the same and
// finds its prompt in the KV cache.
type window struct {
	dropped []Message // the messages left out, from the first after the system prompt
}

// fit renders the conversation so that the prompt, the answer so far and room for more fit into the context. Turns are left out from the front,
// never the system prompt or the last message, down to half the context at once: leaving out one turn at a time would change the
// prompt's beginning, and so compute it anew, with every message.
func (s *Session) fit(g *Generation, msgs []Message, answer []int32, o Options) (prompt, error) {
	if len(msgs) == 0 {
		return prompt{}, fmt.Errorf("there is no message to answer")
	}
	limit := s.eng.kv.context
	reserve := min(limit/4, 256) // for the answer
	if o.MaxTokens > 0 {
		reserve = min(reserve, o.MaxTokens)
	}
	head := 0 // system messages stay
	for head < len(msgs) && msgs[head].Role == "system" {
		head++
	}
	drop := 0
	if n := len(s.window.dropped); n < len(msgs)-head && slices.Equal(s.window.dropped, msgs[head:head+n]) {
		drop = n
	}
	known := drop
	room := limit - reserve
	for {
		ids, text, err := s.render(append(slices.Clone(msgs[:head]), msgs[head+drop:]...))
		if err != nil {
			return prompt{}, err
		}
		if len(ids)+len(answer) <= room {
			s.window.dropped = slices.Clone(msgs[head : head+drop])
			if drop > known {
				g.Notify(Notice{Kind: TurnsDropped, Count: drop})
			}
			return prompt{tokens: append(ids, answer...), text: text, messages: msgs}, nil
		}
		next := nextTurn(msgs, head+drop) - head
		if next+head >= len(msgs) { // only the last message is left
			if len(ids)+len(answer) < limit {
				s.window.dropped = slices.Clone(msgs[head : head+drop])
				if drop > known {
					g.Notify(Notice{Kind: TurnsDropped, Count: drop})
				}
				return prompt{tokens: append(ids, answer...), text: text, messages: msgs}, nil
			}
			return prompt{}, &tooLongError{have: len(ids), room: limit - 1}
		}
		drop = next
		room = min(room, limit/2)
	}
}

// nextTurn is the index of the next user message after i, where a conversation may begin.
func nextTurn(msgs []Message, i int) int {
	for i++; i < len(msgs) && msgs[i].Role != "user"; i++ {
	}
	return i
}

// tooLongError says that a single message exceeds the context.
type tooLongError struct{ have, room int }

func (e *tooLongError) Error() string {
	return fmt.Sprintf("the message is too long: with its system prompt it has %d tokens, and the context has room for %d; shorten it or choose a larger context (--ctx)", e.have, e.room)
}

// render turns messages into tokens, the beginning of the answer included.
func (s *Session) render(msgs []Message) (ids []int32, text string, err error) {
	text, err = s.template.Render(msgs, chat.RenderOptions{GenerationPrompt: true})
	if err != nil {
		return nil, "", fmt.Errorf("%s: the chat template: %w", s.file.Name(), err)
	}
	bos := s.tokenizer.AddBOS() && !s.template.WritesBOS()
	return s.tokenizer.Encode(text, token.EncodeOptions{Special: true, BOS: bos}), text, nil
}

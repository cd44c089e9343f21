package infer

import (
	"bytes"

	"hotcell/models/token"
)

// Reasoning models write down their thoughts before they answer. A thinker parts an answer's stream into the two, so that a screen can fold
// the thoughts and the next prompt can leave them out. Two notations are in use: tags in the text, and gpt-oss's channels, whose marks are
// control tokens.
type thinker struct {
	marks    *channelMarks // nil: the model has no channels
	header   bool          // between a channel's mark and its message: the text names the channel
	name     []byte        // of the channel
	tag      int           // index into thinkTags of the open tag, -1: none
	started  bool          // answer text was seen: tags after it are just text
	trim     bool          // drop white space before the answer begins
	thinking bool
	held     []byte // may be the beginning of a tag
	answer   []byte // what push returned, reused
	thought  []byte
}

// thinkTags are the pairs that models put around their thoughts.
var thinkTags = [][2][]byte{
	{[]byte("<think>"), []byte("</think>")},           // DeepSeek R1, Qwen3, SmolLM3 and most others
	{[]byte("<seed:think>"), []byte("</seed:think>")}, // Seed OSS
	{[]byte("[THINK]"), []byte("[/THINK]")},           // Magistral, Ministral 3
	{[]byte("<thought>"), []byte("</thought>")},       // older fine-tunes
	{[]byte("<reasoning>"), []byte("</reasoning>")},   // older fine-tunes
	{[]byte("<|thinking|>"), []byte("<|/thinking|>")}, // older fine-tunes
}

// channelMarks are the control tokens of gpt-oss's channels: <|start|>role<|channel|>name<|message|>text<|end|>.
type channelMarks struct{ start, channel, message, end int32 }

func newThinker(t *token.Tokenizer, prompt string) *thinker {
	k := &thinker{tag: -1}
	var m channelMarks
	for text, id := range map[string]*int32{"<|start|>": &m.start, "<|channel|>": &m.channel, "<|message|>": &m.message, "<|end|>": &m.end} {
		var ok bool
		if *id, ok = t.Lookup(text); !ok || !t.Control(*id) {
			k.openIn(prompt)
			return k
		}
	}
	k.marks = &m
	return k
}

// openIn begins inside a thought if the prompt's last tag opened one.
func (k *thinker) openIn(prompt string) {
	tail := bytes.TrimSpace([]byte(prompt[max(0, len(prompt)-64):]))
	for i, tag := range thinkTags {
		if bytes.HasSuffix(tail, tag[0]) {
			k.tag, k.thinking = i, true
		}
	}
}

// control takes a control token and tells whether it is a mark of the channels' notation, and whether it ends the turn.
func (k *thinker) control(id int32) (mark, end bool) {
	if k.marks == nil {
		return false, false
	}
	switch id {
	case k.marks.channel, k.marks.start:
		k.header, k.name = true, k.name[:0]
	case k.marks.message:
		k.header = false
		name := bytes.TrimSpace(k.name)
		k.thinking = bytes.HasPrefix(name, []byte("analysis")) || bytes.HasPrefix(name, []byte("commentary"))
	case k.marks.end:
		return k.thinking, !k.thinking // the final channel's end is the turn's
	default:
		return false, false
	}
	return true, false
}

// push parts new text; both results are valid until the next call.
func (k *thinker) push(text []byte) (answer, thought []byte) {
	k.answer, k.thought = k.answer[:0], k.thought[:0]
	if k.marks != nil {
		switch {
		case k.header:
			k.name = append(k.name, text...)
		case k.thinking:
			k.thought = append(k.thought, text...)
		default:
			k.answer = append(k.answer, text...)
		}
		return k.answer, k.thought
	}
	k.held = append(k.held, text...)
	for k.advance() {
	}
	return k.answer, k.thought
}

// advance moves text that is decided out of held, and tells whether there may be more.
func (k *thinker) advance() bool {
	switch {
	case k.thinking:
		closing := thinkTags[k.tag][1]
		if i := bytes.Index(k.held, closing); i >= 0 {
			k.thought = append(k.thought, k.held[:i]...)
			k.held = append(k.held[:0], k.held[i+len(closing):]...)
			k.thinking, k.started, k.trim = false, true, true
			return true
		}
		n := len(k.held) - overlap(k.held, closing)
		k.thought = append(k.thought, k.held[:n]...)
		k.held = append(k.held[:0], k.held[n:]...)
	case k.started:
		if k.trim {
			k.held = bytes.TrimLeft(k.held, " \n\r\t")
			k.trim = len(k.held) == 0
		}
		k.answer = append(k.answer, k.held...)
		k.held = k.held[:0]
	default: // a tag opens a thought only where the answer begins
		rest := bytes.TrimLeft(k.held, " \n\r\t")
		undecided := len(rest) == 0
		for i, tag := range thinkTags {
			if bytes.HasPrefix(rest, tag[0]) {
				k.tag, k.thinking = i, true
				k.held = append(k.held[:0], rest[len(tag[0]):]...)
				return true
			}
			undecided = undecided || bytes.HasPrefix(tag[0], rest)
		}
		if !undecided {
			k.started = true
			return true
		}
	}
	return false
}

// rest returns what was held back when nothing more follows.
func (k *thinker) rest() (answer, thought []byte) {
	held := k.held
	k.held = nil
	if k.thinking {
		return nil, held
	}
	return held, nil
}

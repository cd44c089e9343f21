package token

import (
	"fmt"
	"strings"
)

// Literal is a noncharacter (U+FDD0) that keeps the text of a control token
// from being recognised. A prompt is one string in which the template writes
// control tokens and users write what they like; a user who types <|im_end|>
// must not end the turn. Whoever renders the prompt puts the mark inside such
// texts, as in "<\uFDD0|im_end|>". Encode with Special set splits at special
// tokens first and then drops the marks, so the ids are those of the text that
// the user typed, as plain text.
const Literal = '\uFDD0'

const literal = string(Literal)

// asciiSpace is what a token that strips to its right takes with it.
const asciiSpace = " \t\n\v\f\r"

// longestSpecial bounds the text of a token that is searched for in prompts,
// and with it the work per byte of prompt. The longest in real files is below 64.
const longestSpecial = 512

// specials finds special tokens in text: a trie of their texts. Of two tokens
// that begin at the same place the longer one wins, and of two that overlap the
// one that begins first.
type specials struct {
	nodes  []node
	first  [256]bool // bytes with which some token begins
	rstrip map[int32]bool
}

// node is one byte of one or more texts. Children are a linked list, because
// most nodes have one child.
type node struct {
	children int32 // first child, 0 for none: the root is nobody's child
	sibling  int32 // next child of the same parent, 0 for none
	id       int32 // token that ends here, or none
	byte     byte
	control  bool // the token counts only when control tokens are asked for
}

func newSpecials(m Metadata, v *vocabulary) (*specials, error) {
	s := &specials{nodes: []node{{id: none}}, rstrip: map[int32]bool{}}
	for i, kind := range v.kinds {
		text := v.texts[i]
		if text == "" || kind != userDefined && !kind.steers() {
			continue
		}
		if len(text) > longestSpecial {
			return nil, fmt.Errorf("%s: special token %d is %d bytes long; at most %d are accepted",
				m.Name(), i, len(text), longestSpecial)
		}
		s.add(text, int32(i), kind != userDefined)
	}
	name, err := m.StringOr("general.name", "")
	if err != nil {
		return nil, err
	}
	s.setStrips(name, v)
	return s, nil
}

// setStrips marks the tokens that take the white space to their right with
// them. GGUF does not carry this property, so it goes by the name of the model,
// as llama.cpp does.
func (s *specials) setStrips(name string, v *vocabulary) {
	name = strings.ToLower(name)
	if !strings.Contains(name, "phi-3") && !strings.Contains(name, "phi3") {
		return
	}
	for i, kind := range v.kinds {
		switch v.texts[i] {
		case "<unk>", "<s>", "<|endoftext|>":
		default:
			if kind == userDefined || kind.steers() {
				s.rstrip[int32(i)] = true
			}
		}
	}
}

func (s *specials) stripsRight(id int32) bool { return s.rstrip[id] }

func (s *specials) add(text string, id int32, control bool) {
	s.first[text[0]] = true
	at := int32(0)
	for i := range len(text) {
		next := s.child(at, text[i])
		if next == 0 {
			next = int32(len(s.nodes))
			s.nodes = append(s.nodes, node{byte: text[i], id: none, sibling: s.nodes[at].children})
			s.nodes[at].children = next
		}
		at = next
	}
	s.nodes[at].id, s.nodes[at].control = id, control
}

// child returns the child of node at for byte b, or 0.
func (s *specials) child(at int32, b byte) int32 {
	next := s.nodes[at].children
	for next != 0 && s.nodes[next].byte != b {
		next = s.nodes[next].sibling
	}
	return next
}

// find returns where the first special token of text begins, its length and its
// id. Without one it returns len(text), 0 and none. Control tokens count only
// if control is set.
func (s *specials) find(text string, control bool) (at, length int, id int32) {
	for at := range len(text) {
		if !s.first[text[at]] {
			continue
		}
		if length, id := s.match(text[at:], control); id != none {
			return at, length, id
		}
	}
	return len(text), 0, none
}

// match returns the longest special token with which text begins.
func (s *specials) match(text string, control bool) (length int, id int32) {
	id = none
	at := int32(0)
	for i := range len(text) {
		if at = s.child(at, text[i]); at == 0 {
			break
		}
		if n := &s.nodes[at]; n.id != none && (control || !n.control) {
			length, id = i+1, n.id
		}
	}
	return length, id
}

package convert

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
)

const sentencePieceFile = "tokenizer.model"

// A SentencePiece model is a protobuf message; these are the numbers of the fields
// that are read (sentencepiece_model.proto).
const (
	fieldPiece      = 1 // repeated: text, score, type
	fieldTrainer    = 2
	fieldNormalizer = 3

	pieceText, pieceScore, pieceType                   = 1, 2, 3
	trainerModel                                       = 3 // 1 unigram, 2 BPE
	trainerUnknown, trainerBOS, trainerEOS, trainerPad = 45, 46, 47, 48
	normalizerPrefix                                   = 3
)

// protoField is one field of a message: number for varints and fixed ones, bytes for
// texts and messages.
type protoField struct {
	id     uint64
	number uint64
	bytes  []byte
}

var errProto = errors.New("this is not a SentencePiece model, or it is damaged")

// protoFields calls each for the fields of a message.
func protoFields(message []byte, each func(protoField) error) error {
	for len(message) > 0 {
		tag, n := binary.Uvarint(message)
		if n <= 0 {
			return errProto
		}
		message = message[n:]
		f := protoField{id: tag >> 3}
		switch tag & 7 {
		case 0:
			f.number, n = binary.Uvarint(message)
		case 1:
			if n = 8; len(message) >= n {
				f.number = le.Uint64(message)
			}
		case 5:
			if n = 4; len(message) >= n {
				f.number = uint64(le.Uint32(message))
			}
		case 2:
			var length uint64
			length, n = binary.Uvarint(message)
			if n <= 0 || length > uint64(len(message)-n) {
				return errProto
			}
			f.bytes = message[n : n+int(length)]
			n += int(length)
		default:
			return errProto
		}
		if n <= 0 || n > len(message) {
			return errProto
		}
		message = message[n:]
		if err := each(f); err != nil {
			return err
		}
	}
	return nil
}

// readSentencePiece reads tokenizer.model and the tokens that were added beside it.
func (v *vocabulary) readSentencePiece(dir string) error {
	text, err := readText(dir, sentencePieceFile)
	if err != nil {
		return err
	}
	if err := v.fromSentencePiece(text); err != nil {
		return fmt.Errorf("%s: %w", sentencePieceFile, err)
	}
	// Older models list what was added in added_tokens.json, newer ones in the
	// tokenizer's configuration, which also tells the kinds.
	var plain map[string]int64
	if err := readOptionalJSON(dir, "added_tokens.json", &plain); err != nil {
		return err
	}
	var settings struct {
		Added map[string]addedToken `json:"added_tokens_decoder"`
	}
	if err := readOptionalJSON(dir, tokenizerConfigFile, &settings); err != nil {
		return err
	}
	for _, text := range slices.Sorted(maps.Keys(plain)) {
		if err := v.add(addedToken{plain[text], text, false}); err != nil {
			return err
		}
	}
	for key, t := range settings.Added {
		if t.ID, err = strconv.ParseInt(key, 10, 64); err != nil {
			return fmt.Errorf("%s: the added token %s has no number for an id", tokenizerConfigFile, quote(key))
		}
		if t.ID >= 0 && t.ID < int64(v.size) && v.kinds[t.ID] != unused && v.texts[t.ID] == t.Content && !t.Special {
			continue // the model itself knows the kind better
		}
		if t.ID >= 0 && t.ID < int64(v.size) && v.kinds[t.ID] == unknown {
			continue
		}
		if err := v.add(t); err != nil {
			return err
		}
	}
	return nil
}

// fromSentencePiece reads the message.
func (v *vocabulary) fromSentencePiece(message []byte) error {
	v.model = "llama"
	v.addBOS, v.prefix = true, true
	special := map[uint64]string{trainerUnknown: "<unk>", trainerBOS: "<s>", trainerEOS: "</s>", trainerPad: "<pad>"}
	kind := uint64(1)
	id := int64(0)
	err := protoFields(message, func(f protoField) error {
		switch f.id {
		case fieldPiece:
			id++
			return v.addPiece(id-1, f.bytes)
		case fieldTrainer:
			return protoFields(f.bytes, func(f protoField) error {
				if f.id == trainerModel {
					kind = f.number
				}
				if _, ok := special[f.id]; ok {
					special[f.id] = string(f.bytes)
				}
				return nil
			})
		case fieldNormalizer:
			return protoFields(f.bytes, func(f protoField) error {
				if f.id == normalizerPrefix {
					v.prefix = f.number != 0
				}
				return nil
			})
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case id == 0:
		return errProto
	case kind != 2:
		return errors.New("only SentencePiece models of the kind BPE can be converted")
	}
	v.unk, v.bos, v.eos, v.pad = special[trainerUnknown], special[trainerBOS], special[trainerEOS], special[trainerPad]
	return nil
}

func (v *vocabulary) addPiece(id int64, message []byte) error {
	text, score, kind := "", float32(0), uint64(normal)
	err := protoFields(message, func(f protoField) error {
		switch f.id {
		case pieceText:
			text = string(f.bytes)
		case pieceScore:
			score = math.Float32frombits(uint32(f.number))
		case pieceType:
			kind = f.number
		}
		return nil
	})
	if err != nil {
		return err
	}
	if kind < uint64(normal) || kind > uint64(byteToken) || !finite(score) {
		return fmt.Errorf("the piece %d (%s) has the type %d and the score %v", id, quote(text), kind, score)
	}
	if err := v.set(id, text, tokenKind(kind)); err != nil {
		return err
	}
	v.scores[id] = score
	return nil
}

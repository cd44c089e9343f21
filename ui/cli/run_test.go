package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"hotcell/infer"
)

func TestRunPrintsALineForEachPieceOfTextAndForEachToken(t *testing.T) {
	out, errOut, status := command(t, "run", "-p", "hello", "-n", "6", "--temp", "0", "--mode", "exact", "--json")
	if status != 0 {
		t.Fatalf("%d, %q", status, errOut)
	}
	var text string
	var tokens []infer.TokenRecord
	var last struct {
		Done  bool
		Stats infer.Stats
	}
	for line := range strings.Lines(out) {
		if last.Done {
			t.Fatalf("%q after the end", line)
		}
		var piece struct {
			Text  string
			Token *infer.TokenRecord
		}
		if err := json.Unmarshal([]byte(line), &piece); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		text += piece.Text
		if piece.Token != nil {
			tokens = append(tokens, *piece.Token)
		}
		if err := json.Unmarshal([]byte(line), &last); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
	}
	if !last.Done || text == "" || uint64(len(tokens)) != last.Stats.DecodeTokens || len(tokens) == 0 {
		t.Fatalf("%d tokens, %+v, text %q", len(tokens), last, text)
	}
	for i, r := range tokens {
		if r.Token != uint64(i+1) || r.Ns == 0 || r.ActiveNeurons == 0 {
			t.Errorf("token %d: %+v", i, r)
		}
	}
}

package planner

// Memory is what a model takes to run, by purpose, beside what the machine has.
// All sizes are bytes. What the program takes without a model, and the
// vocabulary, come on top of Total: some tens of megabytes.
type Memory struct {
	Weights   int64   `json:"weights_bytes"`   // in run-time layout
	KV        int64   `json:"kv_bytes"`        // keys and values of the whole context
	Work      int64   `json:"work_bytes"`      // activations of one chunk of tokens
	Total     int64   `json:"total_bytes"`     // sum of these
	Available int64   `json:"available_bytes"` // what the machine could give; 0: not known
	Verdict   Verdict `json:"verdict"`
}

// Verdict says whether a model fits.
type Verdict string

// The verdicts.
const (
	Unknown Verdict = ""        // the available memory is not known
	Fits    Verdict = "fits"    // all of it stays in memory
	Streams Verdict = "streams" // a part is read from flash while it runs: the model is in a pack
	Over    Verdict = "over"    // more than is available
)

// Judge sums up the parts and compares them with the available memory, all in
// bytes. Parts below 0 count as 0, and a sum past the range of an int64 stays
// at its end.
func Judge(weights, kv, work, available int64) Memory {
	m := Memory{Weights: max(0, weights), KV: max(0, kv), Work: max(0, work), Available: max(0, available)}
	for _, part := range []int64{m.Weights, m.KV, m.Work} {
		if m.Total += part; m.Total < 0 {
			m.Total = 1<<63 - 1
		}
	}
	switch {
	case m.Available == 0:
		m.Verdict = Unknown
	case m.Total <= m.Available:
		m.Verdict = Fits
	default:
		m.Verdict = Over
	}
	return m
}

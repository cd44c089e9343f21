package infer

import (
	"fmt"

	"hotcell/infer/workers"
	"hotcell/iosched"
	"hotcell/planner"
)

// Config says how a model is to be loaded. The zero value suits chat.
type Config struct {
	Threads    int                      // worker threads; 0: one per fast core
	Pin        bool                     // tie each worker to its own core
	Context    int                      // positions of the KV cache; 0: the trained context, at most DefaultContext
	AtLeast    int                      // raises the context that Context 0 chooses
	KV         KVType                   // number format of keys and values
	Bare       bool                     // only Logits will be called: the file needs no tokenizer
	Mode       Mode                     // of the feed-forward layers; "" is ModeAuto
	Lossy      bool                     // in ModeAuto the planner may choose predicted layers for a model in a pack; unasked nothing is lossy
	Threshold  *float32                 // least predicted score of an active neuron in place of the file's, or of the calibrated margin; nil: theirs
	Memory     int64                    // most bytes that the process may hold; 0: a safe share of what is available. Only for models in packs
	Device     planner.Device           // what was measured of the machine, for the planner
	Plan       *planner.Plan            // how a model in a pack runs; nil: the planner decides
	Active     func(layer int) []uint64 // a bit for each position whose neuron is active, whatever their gates say, for a layer's next token: makes random weights as sparse as a real model's; nil: the gates decide
	EarlyReads bool                     // in predicted mode from a pack: ask the next layer's predictor while a layer waits, and read ahead what it is sure of; or if the plan says so
	Without    Without                  // parts of the sparse engine that are left out, to see what they give
	Policy     string                   // of the neuron cache's cold region, see neuroncache.Policies; "": its default
	IO         iosched.Config           // how a pack is read
	Progress   func(done, total int64)  // called while weights are read, with bytes; may be nil
}

// DefaultContext is the largest context that is chosen unasked: models trained for far more would take gigabytes for
// keys and values that most conversations never reach.
const DefaultContext = 8192

// maxThreads bounds what can be asked for.
const maxThreads = MaxWorkers

func (c *Config) check() error {
	switch c.Mode {
	case "":
		c.Mode = ModeAuto
	case ModeAuto, ModeDense, ModeExact, ModePredicted, ModeFile:
	default:
		return fmt.Errorf("the mode %q is unknown (known: auto, dense, exact, predicted, file)", c.Mode)
	}
	switch {
	case c.Threads < 0 || c.Threads > maxThreads:
		return fmt.Errorf("%d threads are not possible (1 to %d, 0 chooses)", c.Threads, maxThreads)
	case c.Context < 0 || c.Context > 1<<30:
		return fmt.Errorf("a context of %d tokens is not possible", c.Context)
	}
	if c.Threads == 0 {
		c.Threads = workers.DefaultThreads()
	}
	return nil
}

// contextFor is the number of positions for a model.
func (c *Config) contextFor(h *hparams) int {
	if c.Context > 0 {
		return c.Context
	}
	return max(min(h.context, DefaultContext), c.AtLeast)
}

package infer

// Warmth says where a run of neurons is.
type Warmth uint8

const (
	Absent   Warmth = iota // on flash
	Cold                   // in the cache's cold region
	Hot                    // in the cache's hot region, or always in memory
	JustRead               // came from flash for the last tokens
)

// Heat is a picture of where the FFN's neurons are: layers from top to bottom, neurons from left to right in the order in which they lie in
// the pack, often active ones first. The caller owns it and may reuse it.
type Heat struct {
	Layers, Columns int
	Cells           []Warmth // [Layers][Columns]: the warmest state of the neurons that a cell stands for
}

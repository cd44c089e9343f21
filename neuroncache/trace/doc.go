// Package trace is a file of which neurons were active, token by token.
//
// A cache policy is proved by replaying what a model really used, so traces are recorded from runs and made by trace/synth for models that are
// not at hand. A trace knows groups of units, as package neuroncache does: a group is a layer's FFN or one expert's, a unit is a neuron or, where
// whole experts are cached, an expert.
//
// # Format, version 1
//
// All fixed-size numbers are little-endian; uvarint is that of encoding/binary, in as few bytes as can be.
//
//	header
//	  0   8 bytes   "HOTTRACE"
//	  8   u32       version, 1
//	  12  u32       bytes of the rest of the header, after the checksum; at most 4 MiB
//	  16  u32       CRC-32C of these bytes
//	  20  uvarint   length of the name in bytes, at most 255
//	      bytes     name of the model or shape, UTF-8
//	      uvarint   bytes of a unit on flash; 0: not known
//	      uvarint   groups of a layer, at least 1: 1, or the experts
//	      uvarint   runs of groups of equal size; for each run:
//	        uvarint   groups, at least 1
//	        uvarint   units of each, at least 1
//	token, any number of times
//	  0   u32       bytes of the payload, at least 1
//	  4   u32       CRC-32C of the payload
//	  8   payload:
//	      uvarint   groups with active units; for each, in rising order:
//	        uvarint   its number less the one before it less 1; for the first its number
//	        uvarint   active units, at least 1; for each, in rising order:
//	          uvarint   its number less the one before it less 1; for the first its number
//	end
//	  0   u32       0
//	  4   u32       CRC-32C of the next 8 bytes
//	  8   u64       tokens
//
// Limits: 2^20 groups, 2^24 units in a group, 2^28 in all, groups a whole number of layers. A file that a crash cut off lacks its end; a Reader
// returns the whole tokens before the cut and then says so. Nothing in a file makes a Reader panic, or take memory out of proportion to what
// was read.
package trace

import "hash/crc32"

const (
	magic   = "HOTTRACE"
	version = 1

	fixedHeader    = 20
	maxHeader      = 4 << 20
	maxName        = 255
	maxGroups      = 1 << 20
	maxGroupUnits  = 1 << 24
	maxUnits       = 1 << 28
	maxUnitBytes   = 1 << 30
	frameHeader    = 8
	endBytes       = 8
	longestUvarint = 5 // no number of a token needs more
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Header says what a trace is about.
type Header struct {
	Name      string // of the model or shape
	UnitBytes int    // of a unit on flash; 0: not known
	PerLayer  int    // groups of a layer: 1, or its experts
	Groups    []int  // units of each group, layer by layer
}

// Layers is how many layers there are.
func (h *Header) Layers() int { return len(h.Groups) / max(1, h.PerLayer) }

// Units is how many units there are in all groups.
func (h *Header) Units() (n int) {
	for _, units := range h.Groups {
		n += units
	}
	return n
}

// Active is what one token used of one group.
type Active struct {
	Group int
	Units []int32 // rising
}

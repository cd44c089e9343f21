// Package pack writes and reads packs: files in which a model lies in the order
// and layout that an engine reads from flash while it computes.
//
// # Problem and idea
//
// A model larger than memory keeps its feed-forward weights on flash. In a GGUF
// file one neuron is three vectors, megabytes apart, the last of them a column
// of a matrix. A pack stores the three together, aligned to the pages that flash
// reads, often active neurons first: hot ones are one sequential read, a cold one
// is one or two pages. The rule is that of PowerInfer-2 (arXiv 2406.06282, section
// 4.4). Models whose activation makes no zeros, and small experts, use the same
// file with larger pieces. Values are moved, never rounded: Unpack gives the GGUF
// file back, bit for bit.
//
// # Sections
//
// All numbers are little-endian. Sections follow each other, each filled up with
// zeros to a multiple of a page (4096 bytes).
//
//	header     one page, below
//	metadata   a GGUF file without tensors: the model's keys, version and magic
//	directory  tensors and groups, below
//	table      per data page a u32: the CRC-32C of its 4096 bytes
//	data       resident tensors, then groups
//
// Header:
//
//	   0  8 bytes  "HOTCPACK"; "HOTCPART" while the pack is being written
//	   8  u32      version, 1
//	  12  u32      page size, 4096
//	  16  u64      bytes of the file
//	  24  u64      bytes of the metadata, without filling
//	  32  u64      bytes of the directory, without filling
//	  40  u64      pages of data
//	  48  3 u32    CRC-32C of metadata, directory and table, each with its filling
//	  60  u32      layers: 1 + the highest that has a group
//	  64  u32      dim: length of the residual stream, 0 without groups
//	  68  u32      neurons of the largest group
//	  72  u32      experts of the layer that has most
//	  76  u32      0
//	  80  32 bytes SHA-256 of the GGUF file that Unpack writes: the model's identity.
//	               For a model in one file, as tools write it, that file's own
//	 112  48 bytes architecture, filled up with zeros
//	 160  16 bytes type of the most bytes of tensors ("Q4_0"), filled up with zeros
//	 176           zeros
//	4092  u32      CRC-32C of the bytes before
//
// Directory:
//
//	u32 tensors, u32 groups
//	per tensor of the model, in its order:
//	  u32 length of the name, the name, u32 type, u32 n, n x u64 dims (fastest first)
//	  u8  1 if its data lie in groups, 0 if it is resident
//	per group:
//	  u32 layer, i32 expert (-1 the layer's dense FFN, -2 its shared expert)
//	  u32 neurons
//	  u8  cut: 0 by neuron, 1 by cluster
//	  u8  flags: 1 an order follows, 2 activity follows, 4 down has a row per neuron
//	  u16 0
//	  u32 neurons of a unit
//	  3 x gate, up, down: u32 tensor (2^32-1: no gate), u64 row of it where the matrix begins
//	  flag 1: per position u32, the neuron that lies there
//	  flag 2: per position u16, the share of tokens for which it was active, times 65535
//
// # Data
//
// No offset is stored: what lies where follows from sizes, so nothing can overlap.
// First come the resident tensors in the directory's order with the bytes they
// have in GGUF, each from the next page boundary on. Then, in the same order, for
// each down matrix that is cut by neuron out of Q4_0 or Q8_0 blocks the tensor
// NAME.scales (for NAME.weight): F16, [neurons/32] rows of dim scales, with a
// third dimension for experts. Then the groups in the directory's order.
//
// A group is one FFN of a layer or one of its experts. It has a unit for each run
// of its neurons, all of one size, a multiple of a page. Position p, which is
// neuron Order[p], is number p % UnitNeurons of unit p / UnitNeurons. What a unit
// has beyond the last neuron is zero.
//
// Cut by neuron: a unit holds bundles, each one neuron. Per matrix a bundle has
//
//	Q4_0, Q8_0 row       the codes of all blocks in GGUF's order; apart, the f16 scales
//	other row            the row as in GGUF
//	down of floats       column i, one element per output
//	down of Q4_0, Q8_0   the codes of column i, in blocks of 32 outputs ordered as in a
//	                     row: in Q4_0 byte j of a block holds outputs j and j+16. Their
//	                     scales, which 32 neurons share, are row i/32 of NAME.scales
//
// Its pieces are, in order, part A: gate codes (up codes without a gate), the
// scales of gate, up and down; part B: the other codes, up before down. Each piece
// begins at a multiple of 64 bytes of the bundle, or of 32 if that needs less room
// for each neuron. If A and B fit in one page they are one part and as many bundles as fit share
// the page. Otherwise the unit is one bundle: the pages of A, then the pages of B,
// which need not be read if the gate turns out zero.
//
// Cut by cluster: a unit holds a run of neurons in their original order, a multiple
// of the down type's block: its gate rows, its up rows, and of each row of down the
// blocks that are theirs (or its down rows), as in GGUF. Each of the three begins
// at a multiple of 64 bytes.
//
// # Invariants
//
// A pack is hostile until proved otherwise. Open reads header, metadata, directory
// and table, checks each sum, and refuses a file unless its sections make up its
// size exactly, every order is a permutation, and the groups' matrices tile each
// packed tensor. Every data page has a checksum, which resident tensors are checked
// against when read through GGUF, and units by Verify. The same model, activity and
// version give the same bytes. Write survives being killed at any moment (part.go).
//
// # Use
//
//	err := pack.Write(ctx, source, "model.pack", pack.Options{})
//	f, err := pack.Open("model.pack")
//	resident := f.GGUF() // load it like a GGUF file
//	g := &f.Groups()[0]
//	off := g.Offset + int64(unit)*int64(g.UnitBytes)
//	... read g.UnitBytes at off ...
//	err = f.Verify(off/pack.PageBytes, buf)
package pack

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// PageBytes is the unit of alignment and of checksums.
const PageBytes = 4096

// Version is the format that Write writes and Open reads.
const Version = 1

// Magic begins every complete pack.
const Magic = "HOTCPACK"

const (
	magicPart = "HOTCPART"

	// Limits that no real pack comes near.
	maxMetadata  = 1 << 28
	maxDirectory = 1 << 28
	maxPages     = 1 << 28 // 1 TiB of data

	archBytes = 48
)

var le = binary.LittleEndian

// header is the first page.
type header struct {
	fileBytes                               int64
	metaBytes, dirBytes                     int64
	pages                                   int64 // of data
	metaSum, dirSum, tableSum               uint32
	layers, dim, neurons, experts           uint32
	hash                                    [32]byte
	arch                                    string
	quantisation                            string
	metaStart, dirStart, tableStart, dataAt int64 // derived by place
}

// place derives where sections begin and how long the file is.
func (h *header) place() {
	h.metaStart = PageBytes
	h.dirStart = h.metaStart + pageUp(h.metaBytes)
	h.tableStart = h.dirStart + pageUp(h.dirBytes)
	h.dataAt = h.tableStart + pageUp(4*h.pages)
	h.fileBytes = h.dataAt + h.pages*PageBytes
}

// encode makes the header's page.
func (h *header) encode(magic string) []byte {
	b := make([]byte, PageBytes)
	copy(b, magic)
	le.PutUint32(b[8:], Version)
	le.PutUint32(b[12:], PageBytes)
	le.PutUint64(b[16:], uint64(h.fileBytes))
	le.PutUint64(b[24:], uint64(h.metaBytes))
	le.PutUint64(b[32:], uint64(h.dirBytes))
	le.PutUint64(b[40:], uint64(h.pages))
	for i, v := range []uint32{h.metaSum, h.dirSum, h.tableSum, h.layers, h.dim, h.neurons, h.experts} {
		le.PutUint32(b[48+4*i:], v)
	}
	copy(b[80:112], h.hash[:])
	copy(b[112:112+archBytes], h.arch)
	copy(b[160:176], h.quantisation)
	le.PutUint32(b[PageBytes-4:], checksum(b[:PageBytes-4]))
	return b
}

// decodeHeader reads and checks the first page of a file of size bytes.
func decodeHeader(b []byte, size int64) (*header, error) {
	switch magic := string(b[:8]); {
	case magic == magicPart:
		return nil, fmt.Errorf("this pack is not complete; hotcell pack goes on where it was interrupted")
	case magic != Magic:
		return nil, fmt.Errorf("not a pack (it starts with %q)", magic)
	}
	if v := le.Uint32(b[8:]); v != Version {
		return nil, fmt.Errorf("this is a pack of version %d, but only version %d is known; make it anew with hotcell pack", v, Version)
	}
	if sum := le.Uint32(b[PageBytes-4:]); sum != checksum(b[:PageBytes-4]) {
		return nil, fmt.Errorf("header at offset 0: %w", errDamaged)
	}
	if n := le.Uint32(b[12:]); n != PageBytes {
		return nil, fmt.Errorf("page size at offset 12: %d is not %d", n, PageBytes)
	}
	h := &header{
		metaSum: le.Uint32(b[48:]), dirSum: le.Uint32(b[52:]), tableSum: le.Uint32(b[56:]),
		layers: le.Uint32(b[60:]), dim: le.Uint32(b[64:]), neurons: le.Uint32(b[68:]), experts: le.Uint32(b[72:]),
		hash: [32]byte(b[80:112]), arch: text(b[112:160]), quantisation: text(b[160:176]),
	}
	for _, field := range []struct {
		name   string
		offset int
		most   uint64
		to     *int64
	}{
		{"bytes of metadata", 24, maxMetadata, &h.metaBytes},
		{"bytes of the directory", 32, maxDirectory, &h.dirBytes},
		{"pages of data", 40, maxPages, &h.pages},
	} {
		n := le.Uint64(b[field.offset:])
		if n > field.most {
			return nil, fmt.Errorf("%s at offset %d: %d is more than the %d allowed", field.name, field.offset, n, field.most)
		}
		*field.to = int64(n)
	}
	h.place()
	if n := le.Uint64(b[16:]); n != uint64(h.fileBytes) {
		return nil, fmt.Errorf("bytes of the file at offset 16: %d, but the sections have %d", n, h.fileBytes)
	}
	if size != h.fileBytes {
		return nil, fmt.Errorf("the file has %d bytes of the %d that it should have", size, h.fileBytes)
	}
	return h, nil
}

// text is what a field that is filled up with zeros says.
func text(b []byte) string { return string(bytes.TrimRight(b, "\x00")) }

// pageUp rounds up to whole pages.
func pageUp(n int64) int64 { return (n + PageBytes - 1) &^ (PageBytes - 1) }

// pagesOf is how many pages n bytes take.
func pagesOf(n int64) int64 { return pageUp(n) / PageBytes }

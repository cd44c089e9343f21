package gguf

import (
	"errors"
	"fmt"
	"math/bits"
)

// Limits that no real file comes near. With them a hostile header costs at
// most a small multiple of its own size in memory.
const (
	maxHeader    = 1 << 30 // bytes of metadata and directory together
	maxKeys      = 1 << 16
	maxTensors   = 1 << 20
	maxDims      = 4
	maxName      = 1<<16 - 1 // bytes of a key or tensor name
	maxDepth     = 8         // arrays in arrays
	maxNested    = 1 << 16   // arrays in arrays, over the whole file
	maxAlignment = 1 << 24
	maxParts     = 1024 // files of a split model
)

// parse fills f from its source. Errors lack the file's name.
func (f *File) parse() error {
	c := newCursor(f.src, f.size)
	nTensors, nKeys, err := f.parseHeader(c)
	if err != nil {
		return err
	}
	if err := f.parseMetadata(c, nKeys); err != nil {
		return err
	}
	return f.parseDirectory(c, nTensors)
}

func (f *File) parseHeader(c *cursor) (nTensors, nKeys uint64, err error) {
	c.at("magic", -1, "")
	magic := c.next(4)
	if c.err != nil {
		return 0, 0, c.err
	}
	if err := checkMagic(string(magic)); err != nil {
		return 0, 0, err
	}
	f.powerInfer = string(magic) == magicPowerInfer

	c.at("version", -1, "")
	f.version = c.u32()
	if err := checkVersion(f.version); err != nil && c.err == nil {
		return 0, 0, err
	}
	c.at("number of tensors", -1, "")
	if nTensors = c.u64(); nTensors > maxTensors {
		c.fail("%d is more than the %d allowed", nTensors, maxTensors)
	}
	c.at("number of keys", -1, "")
	if nKeys = c.u64(); nKeys > maxKeys {
		c.fail("%d is more than the %d allowed", nKeys, maxKeys)
	}
	return nTensors, nKeys, c.err
}

const (
	magicGGUF       = "GGUF"
	magicPowerInfer = "PWRI"
)

// checkMagic explains the files that people really open by mistake.
func checkMagic(magic string) error {
	switch magic {
	case magicGGUF, magicPowerInfer:
		return nil
	case "FUGG", "IRWP":
		return errBigEndian
	case "lmgg", "fmgg", "tjgg", "algg":
		return errors.New("this is an old GGML file from before GGUF; convert it or download the model as GGUF")
	case "PK\x03\x04":
		return errors.New("this is a zip or PyTorch archive, not a GGUF file")
	case "vers":
		return errors.New("this is a Git LFS pointer, not the model; download the file itself")
	case "<!DO", "<!do", "<htm", "<HTM":
		return errors.New("this is a web page, not a model; download the file itself")
	}
	return fmt.Errorf("not a GGUF file (it starts with %q)", magic)
}

var errBigEndian = errors.New("this is a big-endian GGUF file; convert it to little-endian")

func checkVersion(v uint32) error {
	switch swapped := bits.ReverseBytes32(v); {
	case v == 2 || v == 3:
		return nil
	case v == 1:
		return errors.New("GGUF version 1 is too old; convert the file to version 3")
	case swapped >= 1 && swapped <= 3:
		// The magic is four bytes in every byte order; the version is a number.
		return errBigEndian
	}
	return fmt.Errorf("GGUF version %d is not known, only 2 and 3 are", v)
}

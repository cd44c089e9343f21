package trace

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

var sample = Header{Name: "tiny", UnitBytes: 4096, PerLayer: 2, Groups: []int{300, 300, 7, 7, 1, 1 << 20}}

// sampleTokens has each case of the format: an empty token, one group, all groups, first and last units, gaps of one, two and three bytes.
var sampleTokens = [][]Active{
	{{0, []int32{0, 1, 2, 299}}, {5, []int32{0, 128, 20000, 1<<20 - 1}}},
	{},
	{{4, []int32{0}}},
	{{0, []int32{5}}, {1, []int32{299}}, {2, []int32{0, 1, 2, 3, 4, 5, 6}}, {3, []int32{6}}, {4, []int32{0}}, {5, []int32{77}}},
}

func encoded(t testing.TB, h Header, tokens [][]Active) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b, h)
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range tokens {
		for _, a := range token {
			if err := w.Add(a.Group, a.Units); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.EndToken(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// decoded reads all tokens up to the end or an error.
func decoded(in io.Reader) (h Header, tokens [][]Active, err error) {
	r, err := NewReader(in)
	if err != nil {
		return h, nil, err
	}
	for {
		token, err := r.Next()
		if err == io.EOF {
			return r.Header, tokens, nil
		}
		if err != nil {
			return r.Header, tokens, err
		}
		own := []Active{}
		for _, a := range token {
			own = append(own, Active{a.Group, slices.Clone(a.Units)})
		}
		tokens = append(tokens, own)
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"at once": func(r io.Reader) io.Reader { return r }, "byte by byte": iotest.OneByteReader, "with the error beside the data": iotest.DataErrReader,
	} {
		h, tokens, err := decoded(wrap(bytes.NewReader(encoded(t, sample, sampleTokens))))
		if err != nil || !reflect.DeepEqual(h, sample) || !reflect.DeepEqual(tokens, sampleTokens) {
			t.Errorf("%s: %v\n%v\n%v", name, err, h, tokens)
		}
	}
}

func TestTheFormatIsTheOneThatIsDescribed(t *testing.T) {
	h := Header{Name: "ab", UnitBytes: 300, PerLayer: 1, Groups: []int{200, 200, 3}}
	got := encoded(t, h, [][]Active{{{1, []int32{2, 3, 150}}}})
	head := []byte{2, 'a', 'b', 0xac, 2, 1, 2, 2, 0xc8, 1, 1, 3}
	payload := []byte{1, 1, 3, 2, 0, 0x92, 1}
	end := []byte{1, 0, 0, 0, 0, 0, 0, 0}
	u32 := func(v uint32) []byte { return binary.LittleEndian.AppendUint32(nil, v) }
	sum := func(b []byte) []byte { return u32(crc32.Checksum(b, castagnoli)) }
	want := slices.Concat([]byte("HOTTRACE"), u32(1), u32(uint32(len(head))), sum(head), head, u32(uint32(len(payload))), sum(payload), payload, u32(0), sum(end), end)
	if !bytes.Equal(got, want) {
		t.Errorf("\n%x\n%x", got, want)
	}
}

func TestATraceThatIsCutOffGivesTheTokensBeforeTheCut(t *testing.T) {
	whole := encoded(t, sample, sampleTokens)
	most := 0
	for n := range whole {
		_, tokens, err := decoded(bytes.NewReader(whole[:n]))
		if !errors.Is(err, ErrFormat) {
			t.Fatalf("%d of %d bytes: %v", n, len(whole), err)
		}
		if len(tokens) < most || len(tokens) > 0 && !reflect.DeepEqual(tokens, sampleTokens[:len(tokens)]) {
			t.Fatalf("%d of %d bytes: %v", n, len(whole), tokens)
		}
		most = len(tokens)
	}
	if most != len(sampleTokens) {
		t.Errorf("%d tokens without the end, want all", most)
	}
}

func TestAFlippedBitIsNoticed(t *testing.T) {
	whole := encoded(t, sample, sampleTokens)
	for bit := range 8 * len(whole) {
		b := bytes.Clone(whole)
		b[bit/8] ^= 1 << (bit % 8)
		if _, _, err := decoded(bytes.NewReader(b)); !errors.Is(err, ErrFormat) {
			t.Fatalf("bit %d: %v", bit, err)
		}
	}
}

// framed puts a sound frame around a payload, so that only what it says can be wrong.
func framed(payload []byte) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(payload)))
	return append(binary.LittleEndian.AppendUint32(b, crc32.Checksum(payload, castagnoli)), payload...)
}

// headed puts a sound frame around a header.
func headed(head []byte) []byte {
	return slices.Concat([]byte(magic), []byte{version, 0, 0, 0}, framed(head))
}

func TestHostileTracesAreRefused(t *testing.T) {
	small := encoded(t, Header{PerLayer: 1, Groups: []int{10, 10}}, nil)
	small = small[:len(small)-frameHeader-endBytes]
	huge := binary.AppendUvarint(nil, 1<<40)
	for _, test := range []struct {
		name string
		data []byte
		want string
	}{
		{"nothing", nil, "cut off"},
		{"another file", []byte("GGUF000000000000000000000"), "does not begin"},
		{"another version", []byte("HOTTRACE\x02\x00\x00\x00000000000000"), "version 2"},
		{"a header of gigabytes", append([]byte("HOTTRACE\x01\x00\x00\x00"), 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0), "a header of"},
		{"no groups", headed([]byte{0, 0, 1, 0}), "0 groups"},
		{"a name longer than the header", headed([]byte{200, 1}), "out of range"},
		{"a name that is not text", headed([]byte{1, 0xff, 0, 1, 1, 1, 5}), "name"},
		{"a million groups from ten bytes", headed(slices.Concat([]byte{0, 0, 1, 1}, binary.AppendUvarint(nil, 1<<20+1), []byte{1})), "out of range"},
		{"too many units", headed(slices.Concat([]byte{0, 0, 1, 1, 32}, binary.AppendUvarint(nil, 1<<24))), "more than"},
		{"a group without units", headed([]byte{0, 0, 1, 1, 1, 0}), "has 0 units"},
		{"layers that do not fit", headed([]byte{0, 0, 2, 1, 3, 5}), "layers of 2"},
		{"no layers", headed([]byte{0, 0, 0, 1, 3, 5}), "layers of 0"},
		{"a header with more than it says", headed([]byte{0, 0, 1, 1, 3, 5, 9}), "too many"},
		{"a number with needless bytes", headed([]byte{0, 0x80, 0, 1, 1, 3, 5}), "needless"},
		{"a token of gigabytes", append(bytes.Clone(small), 0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0), "more than the model"},
		{"a token that ends early", append(bytes.Clone(small), framed([]byte{2, 0, 1})...), "cut off"},
		{"more groups than there are", append(bytes.Clone(small), framed([]byte{3})...), "out of range"},
		{"a group that is not there", append(bytes.Clone(small), framed([]byte{1, 2, 1, 0})...), "out of range"},
		{"a group after the last", append(bytes.Clone(small), framed([]byte{2, 1, 1, 0, 0, 1, 0})...), "out of range"},
		{"a group with nothing", append(bytes.Clone(small), framed([]byte{1, 0, 0})...), "wrong number"},
		{"more units than there are", append(bytes.Clone(small), framed([]byte{1, 0, 11})...), "wrong number"},
		{"a unit that is not there", append(bytes.Clone(small), framed([]byte{1, 0, 1, 10})...), "out of range"},
		{"a unit after the last", append(bytes.Clone(small), framed([]byte{1, 0, 2, 9, 0})...), "out of range"},
		{"a huge number", append(bytes.Clone(small), framed(huge)...), "out of range"},
		{"an endless number", append(bytes.Clone(small), framed(bytes.Repeat([]byte{0xff}, 12))...), "cut off"},
		{"something after a token's groups", append(bytes.Clone(small), framed([]byte{0, 0})...), "left over"},
		{"a wrong number of tokens", append(bytes.Clone(small), slices.Concat(make([]byte, 4), framed([]byte{1, 0, 0, 0, 0, 0, 0, 0})[4:])...), "the end says 1"},
		{"something after the end", append(encoded(t, sample, nil), 0), "after its end"},
	} {
		_, _, err := decoded(bytes.NewReader(test.data))
		if !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
}

func TestAWriterRefusesWhatAReaderWould(t *testing.T) {
	for name, h := range map[string]Header{
		"no groups": {PerLayer: 1}, "an empty group": {PerLayer: 1, Groups: []int{3, 0}}, "half a layer": {PerLayer: 2, Groups: []int{3}},
		"a long name": {Name: strings.Repeat("x", 256), PerLayer: 1, Groups: []int{3}}, "negative bytes": {UnitBytes: -1, PerLayer: 1, Groups: []int{3}},
	} {
		if _, err := NewWriter(io.Discard, h); err == nil {
			t.Errorf("%s: written", name)
		}
	}
	for name, calls := range map[string][]Active{
		"a group twice": {{1, []int32{0}}, {1, []int32{1}}}, "falling groups": {{1, []int32{0}}, {0, []int32{1}}}, "no such group": {{6, []int32{0}}},
		"a unit twice": {{0, []int32{3, 3}}}, "falling units": {{0, []int32{3, 2}}}, "no such unit": {{2, []int32{7}}}, "a negative unit": {{2, []int32{-1}}},
	} {
		w, err := NewWriter(io.Discard, sample)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range calls {
			err = w.Add(a.Group, a.Units)
		}
		if err == nil || w.EndToken() == nil || w.Close() == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestErrorsOfTheFileBelowArePassedOn(t *testing.T) {
	broken := errors.New("broken")
	w, err := NewWriter(writerFunc(func([]byte) (int, error) { return 0, broken }), sample)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); !errors.Is(err, broken) {
		t.Errorf("writing: %v", err)
	}
	whole := encoded(t, sample, sampleTokens)
	for _, n := range []int{3, 25, len(whole) - 5} {
		_, _, err := decoded(io.MultiReader(bytes.NewReader(whole[:n]), iotest.ErrReader(broken)))
		if !errors.Is(err, broken) || errors.Is(err, ErrFormat) {
			t.Errorf("reading, after %d bytes: %v", n, err)
		}
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

func TestATokenIsWrittenAndReadWithoutAllocating(t *testing.T) {
	w, err := NewWriter(io.Discard, sample)
	if err != nil {
		t.Fatal(err)
	}
	token := sampleTokens[3]
	if n := testing.AllocsPerRun(100, func() {
		for _, a := range token {
			_ = w.Add(a.Group, a.Units)
		}
		_ = w.EndToken()
	}); n > 0 {
		t.Errorf("%v allocations for a token written", n)
	}
	r, err := NewReader(bytes.NewReader(encoded(t, sample, slices.Repeat([][]Active{token}, 200))))
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() { _, _ = r.Next() }); n > 0 {
		t.Errorf("%v allocations for a token read", n)
	}
}

// FuzzReader holds that whatever is read is written to the same bytes again.
func FuzzReader(f *testing.F) {
	f.Add(encoded(f, sample, sampleTokens))
	f.Add(encoded(f, Header{PerLayer: 1, Groups: []int{10, 10}}, [][]Active{{{1, []int32{3}}}}))
	f.Add(headed([]byte{0, 0, 1, 1, 3, 5}))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, tokens, err := decoded(bytes.NewReader(data))
		if err != nil {
			return
		}
		again := encoded(t, h, tokens)
		if len(again) > len(data) || !bytes.Equal(again[fixedHeader+8:], data[len(data)-len(again)+fixedHeader+8:]) && len(again) == len(data) {
			t.Errorf("read %x, wrote %x", data, again)
		}
	})
}

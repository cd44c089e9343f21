package infer

import (
	"context"
	"strings"
	"testing"

	"hotcell/infer/workers"
	"hotcell/models/builtin"
)

func TestPiecesAreTheWholeModelInTheOrderOfTheFile(t *testing.T) {
	f, err := builtin.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h, err := readHparams(f)
	if err != nil {
		t.Fatal(err)
	}
	ld, err := newLoader(f, h, &Config{Mode: ModeDense})
	if err != nil {
		t.Fatal(err)
	}
	pool := workers.New(2, workers.Options{})
	defer pool.Close()
	var last, total int64
	w, err := loadWeights(context.Background(), ld, pool, func(done, all int64) {
		if done <= last || done > all {
			t.Errorf("after %d bytes %d of %d", last, done, all)
		}
		last, total = done, all
	})
	if err != nil {
		t.Fatal(err)
	}
	defer w.mem.free()
	var want int64
	for _, x := range f.Tensors() {
		if !strings.Contains(x.Name, ".fc") { // of the predictor
			want += x.Size
		}
	}
	if last != want || total != want {
		t.Errorf("%d of %d bytes were read, what a dense model needs is %d", last, total, want)
	}
	var end int64
	for _, p := range ld.pieces() {
		at := p.job.tensor.Offset + int64(p.job.first+p.lo)*p.job.tensor.RowSize()
		if at < end || p.hi <= p.lo {
			t.Errorf("rows %d to %d of %s follow byte %d", p.lo, p.hi, p.job.tensor.Name, end)
		}
		end = at + p.bytes()
	}
}

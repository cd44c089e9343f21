package infer

import (
	"context"
	"testing"

	"hotcell/models/builtin"
)

func TestTheLastTokensAreRememberedOneByOne(t *testing.T) {
	s := chatty(t, Config{Threads: 2, Mode: ModeExact})
	if got := s.Recent(nil, 0); len(got) != 0 {
		t.Fatalf("%d records before the first token", len(got))
	}
	before := s.Stats()
	if _, _, err := s.Generate(context.Background(), conversation("Do you like music?"), Options{MaxTokens: 12}).Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
	st := s.Stats().Sub(before)
	records := s.Recent(nil, 0)
	if uint64(len(records)) != st.DecodeTokens || len(records) == 0 {
		t.Fatalf("%d records of %d tokens", len(records), st.DecodeTokens)
	}
	var ns, active, neurons uint64
	for i, r := range records {
		if r.Token != uint64(i+1) || r.Ns == 0 || r.ComputeNs[0]+r.ComputeNs[1] == 0 || r.ActiveNeurons == 0 || r.Neurons != uint64(6*1280) {
			t.Errorf("record %d: %+v", i, r)
		}
		ns, active, neurons = ns+r.Ns, active+r.ActiveNeurons, neurons+r.Neurons
	}
	if ns > st.DecodeNs || active > st.ActiveNeurons || neurons > st.Neurons {
		t.Errorf("%d ns, %d of %d neurons in the records, %d, %d of %d in all", ns, active, neurons, st.DecodeNs, st.ActiveNeurons, st.Neurons)
	}
	last := records[len(records)-1]
	if again := s.Recent(records[:0], last.Token); len(again) != 0 {
		t.Errorf("%d records after the last one", len(again))
	}
	if again := s.Recent(nil, last.Token-2); len(again) != 2 || again[1] != last {
		t.Errorf("%d records after the last but two", len(again))
	}
}

func TestOnlyTheLastTokensAreRemembered(t *testing.T) {
	s := &Session{}
	s.recent.start(Stats{DecodeNs: 100})
	for n := range uint64(2*recentRecords + 5) {
		s.recent.add(Stats{DecodeNs: 100 + 7*(n+1)})
	}
	got := s.Recent(nil, 3)
	if len(got) != recentRecords || got[0].Token != recentRecords+6 || got[recentRecords-1].Token != 2*recentRecords+5 {
		t.Fatalf("%d records, %d to %d", len(got), got[0].Token, got[len(got)-1].Token)
	}
	for _, r := range got {
		if r.Ns != 7 {
			t.Fatalf("token %d took %d ns", r.Token, r.Ns)
		}
	}
	if got := s.Recent(nil, 1<<60); len(got) != 0 {
		t.Errorf("%d records after a token that was not", len(got))
	}
}

func TestRememberingATokenAllocatesNothing(t *testing.T) {
	s := opened(t, builtin.Open, Config{Threads: 1, Mode: ModeExact, Bare: true})
	dst := make([]TokenRecord, 0, recentRecords)
	if n := testing.AllocsPerRun(100, func() {
		s.recent.add(s.Stats())
		dst = s.Recent(dst[:0], 0)
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

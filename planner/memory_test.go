package planner

import (
	"encoding/json"
	"math"
	"testing"
)

func TestJudge(t *testing.T) {
	for _, test := range []struct {
		name                         string
		weights, kv, work, available int64
		total                        int64
		verdict                      Verdict
	}{
		{"a sum below what is available fits", 70, 20, 5, 100, 95, Fits},
		{"a sum equal to what is available fits", 70, 20, 10, 100, 100, Fits},
		{"a sum above what is available is over", 70, 20, 11, 100, 101, Over},
		{"without a measurement nothing is claimed", 70, 20, 5, 0, 95, Unknown},
		{"a measurement below 0 is none", 70, 20, 5, -1, 95, Unknown},
		{"a part below 0 counts as nothing", 70, -20, 5, 100, 75, Fits},
		{"a sum past the range is over, not negative", math.MaxInt64, math.MaxInt64, 2, 100, math.MaxInt64, Over},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := Judge(test.weights, test.kv, test.work, test.available)
			if m.Total != test.total || m.Verdict != test.verdict {
				t.Errorf("total %d, verdict %q, want %d, %q", m.Total, m.Verdict, test.total, test.verdict)
			}
		})
	}
}

func TestMemoryHasStableNamesInJSON(t *testing.T) {
	got, err := json.Marshal(Judge(1, 2, 3, 10))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"weights_bytes":1,"kv_bytes":2,"work_bytes":3,"total_bytes":6,"available_bytes":10,"verdict":"fits"}`
	if string(got) != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

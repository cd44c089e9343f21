package cli

import (
	"testing"

	"github.com/spf13/pflag"

	"hotcell/infer"
)

func TestModelFlagsReachTheEngine(t *testing.T) {
	var m modelFlags
	f := pflag.NewFlagSet("", pflag.ContinueOnError)
	m.add(f)
	if err := f.Parse([]string{"--kv", "q8", "--threshold", "0.5", "--mode", "predicted", "--memory", "2GiB", "-t", "3", "--ctx", "77"}); err != nil {
		t.Fatal(err)
	}
	c, err := m.config()
	if err != nil {
		t.Fatal(err)
	}
	if c.KV != infer.KVQ8 || c.Threshold == nil || *c.Threshold != 0.5 || c.Mode != infer.ModePredicted || c.Memory != 2<<30 || c.Threads != 3 || c.Context != 77 {
		t.Errorf("%+v", c)
	}
	for _, bad := range []modelFlags{{kv: "f8"}, {kv: "f16", threshold: "much"}, {kv: "f16", memoryFlags: memoryFlags{memory: "lots"}}} {
		if _, err := bad.config(); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
}

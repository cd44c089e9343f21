package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"hotcell/iosched"
	"hotcell/planner"
	"hotcell/ui"
)

// plannedPack is a pack and a plan for it, in a new current folder.
func plannedPack(t *testing.T, flags ...string) (pack, plan string) {
	t.Helper()
	t.Chdir(t.TempDir())
	if _, errOut, status := command(t, "pack", "-o", "m.pack", "--tokens", "64"); status != 0 {
		t.Fatalf("pack: %d, %q", status, errOut)
	}
	if _, errOut, status := command(t, append([]string{"plan", "-m", "m.pack", "--no-measure", "-o", "plan.json", "--json"}, flags...)...); status != 0 {
		t.Fatalf("plan: %d, %q", status, errOut)
	}
	return "m.pack", "plan.json"
}

func TestAPlanIsMadeShownAndUsed(t *testing.T) {
	model, plan := plannedPack(t, "--memory", "1GiB", "--mode", "predicted", "--ctx", "512", "-t", "2")
	text, err := os.ReadFile(plan)
	if err != nil {
		t.Fatal(err)
	}
	p, err := planner.Parse(text)
	if err != nil || p.Mode != planner.Predicted || p.Budget != 1<<30 || p.Context != 512 || p.Threads != 2 || p.Expected.TokensPerSec != 0 {
		t.Fatalf("%+v, %v", p, err)
	}
	out, errOut, status := command(t, "plan", "-m", model, "--plan", plan)
	for _, want := range []string{"mode        predicted, 2 threads, ", "budget      1.0 GiB\n", "context     512 tokens\n", "predictor ", "neurons hot\n", "expected    100.0 % of what is needed", "why         All neurons fit"} {
		if status != 0 || errOut != "" || !strings.Contains(out, want) {
			t.Errorf("%d, %q, no %q in\n%s", status, errOut, want, out)
		}
	}
	out, errOut, status = command(t, "run", "-m", model, "--plan", plan, "-p", "hello", "-n", "4", "--temp", "0", "--json")
	if status != 0 || !strings.Contains(out, `"mode":"predicted"`) || !strings.Contains(out, `"budget":1073741824`) || !strings.Contains(out, `"context_max":512`) {
		t.Errorf("run: %d, %q, %q", status, errOut, out)
	}
}

func TestAPlanThatCannotBeUsedIsRefusedInASentence(t *testing.T) {
	model, plan := plannedPack(t, "--memory", "1GiB")
	text, err := os.ReadFile(plan)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) string {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"for another model", []string{"run", "-p", "hello", "-m", model, "--plan", write("other.json", strings.Replace(string(text), `"model": "`, `"model": "0`, 1))}, "m.pack: the plan is for another model"},
		{"for a larger budget", []string{"run", "-p", "hello", "-m", model, "--plan", plan, "--memory", "500M"}, "the plan takes 1.00 GiB, the budget is 500 MiB"},
		{"for a smaller context", []string{"perplexity", "-m", model, "--plan", write("small.json", strings.Replace(string(text), `"kv": `, `"kv": 999999`, 1)), "-f", plan}, "more than its budget"},
		{"for a pack, and the model is none", []string{"run", "-p", "hello", "--plan", plan}, "built-in model: plans are for packs"},
		{"in a chat too", []string{"chat", "--plan", plan}, "built-in model: plans are for packs"},
		{"and in a benchmark", []string{"bench", "--plan", plan}, "built-in model: plans are for packs"},
		{"with a word that is not known", []string{"run", "-p", "hello", "-m", model, "--plan", write("typo.json", strings.Replace(string(text), `"hot_gates"`, `"hot_gate"`, 1))}, `typo.json: reading the plan: json: unknown field "hot_gate"`},
		{"no JSON", []string{"run", "-p", "hello", "-m", model, "--plan", write("text.json", "hello")}, "text.json: reading the plan"},
		{"too large", []string{"run", "-p", "hello", "-m", model, "--plan", write("large.json", strings.Repeat(" ", planFileBytes+1))}, "large.json: more than 4.0 MiB, that is no plan"},
		{"missing", []string{"run", "-p", "hello", "-m", model, "--plan", "none.json"}, "none.json: no such file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, errOut, status := command(t, c.args...)
			if status != 1 || !strings.Contains(errOut, c.want) || strings.Count(errOut, "\n") != 1 {
				t.Errorf("%d, %q, want %q", status, errOut, c.want)
			}
		})
	}
	if _, errOut, status := command(t, "plan"); status != 1 || !strings.Contains(errOut, "plans are for packs; make one with hotcell pack") {
		t.Errorf("plan of a model that is no pack: %d, %q", status, errOut)
	}
	if _, errOut, status := command(t, "plan", "-m", model, "--memory", "1M", "--no-measure"); status != 1 || !strings.Contains(errOut, "m.pack needs at least ") {
		t.Errorf("plan below the minimum: %d, %q", status, errOut)
	}
}

func TestABenchmarkFromAPackIsComparedWithTheFlash(t *testing.T) {
	model, _ := plannedPack(t)
	_, errOut, _ := command(t, "plan", "-m", model, "--mode", "exact", "--memory", "1M", "--no-measure", "--ctx", "64", "-t", "1")
	least := regexp.MustCompile(`at least (\d+) MiB`).FindStringSubmatch(errOut)
	if least == nil {
		t.Fatalf("no least budget in %q", errOut)
	}
	mib, _ := strconv.Atoi(least[1])
	args := []string{"bench", "-m", model, "--mode", "exact", "--memory", fmt.Sprintf("%dMiB", mib+16), "-t", "1", "-p", "8", "-n", "4", "-r", "1"}
	out, errOut, status := command(t, append(args, "-o", "json")...)
	var rows []benchRow
	if err := json.Unmarshal([]byte(out), &rows); err != nil || status != 0 || len(rows) != 2 {
		t.Fatalf("%d, %q, %v, %s", status, errOut, err, out)
	}
	for _, r := range rows {
		if r.Limit.Flash <= 0 || r.Stats.FlashBytes > 0 && r.FlashShare <= 0 || r.Stats.DecodeTokens+r.Stats.PrefillTokens != uint64(r.Tokens()) {
			t.Errorf("%s: limit %v, share %v, %+v", r.Name, r.Limit, r.FlashShare, r.Stats)
		}
	}
	if out, _, _ = command(t, args...); strings.Count(out, "% of what flash gives in such reads") != 2 {
		t.Errorf("%s", out)
	}
}

func TestALossyPlanIsOnlyMadeWhereTheModeIsOpen(t *testing.T) {
	model, _ := plannedPack(t)
	out, errOut, status := command(t, "plan", "-m", model, "--lossy", "--no-measure", "--memory", "1GiB", "--json")
	var p planner.Plan
	if err := json.Unmarshal([]byte(out), &p); err != nil || status != 0 || p.Mode != planner.Predicted {
		t.Errorf("%d, %q, %v, %s", status, errOut, err, p.Mode)
	}
	if _, errOut, status = command(t, "plan", "-m", model, "--lossy", "--mode", "exact", "--no-measure"); status != 2 || !strings.Contains(errOut, "--lossy is for --mode auto") {
		t.Errorf("%d, %q", status, errOut)
	}
}

func TestTheStorageOfAPackIsMeasured(t *testing.T) {
	if os.Getenv("HOTCELL_HEAVY") == "" {
		t.Skip("takes some seconds; set HOTCELL_HEAVY=1")
	}
	model, _ := plannedPack(t)
	out, errOut, status := command(t, "plan", "-m", model, "--json")
	var p planner.Plan
	if err := json.Unmarshal([]byte(out), &p); err != nil || status != 0 || p.Expected.TokensPerSec <= 0 || p.Depth < 32 {
		t.Errorf("%d, %q, %v, %+v", status, errOut, err, p)
	}
	if left, _ := filepath.Glob(".hotcell*"); len(left) > 0 {
		t.Errorf("%v are left behind", left)
	}
}

func TestAModelledDeviceReadsAsPublished(t *testing.T) {
	m, err := iosched.DeviceModelNamed("ufs4.0")
	if err != nil {
		t.Fatal(err)
	}
	// PowerInfer-2, section 2.3.2: random reads of 4 KB over 128 MB at 1 GB/s, over 512 MB at 850 MB/s.
	for spread, want := range map[int64]float64{128 << 20: 1e9, 512 << 20: 850e6} {
		if got := randomReads(&m, onePage, spread) * onePage; got < 0.95*want || got > 1.05*want {
			t.Errorf("over %d MiB: %.0f MB/s, want %.0f", spread>>20, got/1e6, want/1e6)
		}
	}
}

func TestLayersWithTheSamePlanAreOneLine(t *testing.T) {
	p := &planner.Plan{Mode: planner.Exact, TwoPhase: true, Layers: []planner.LayerPlan{{Mode: planner.Exact, HotGates: 640, HotRest: 64}, {Mode: planner.Exact, HotGates: 640, HotRest: 64}, {Mode: planner.Dense, HotGates: 576}}}
	var out strings.Builder
	printPlan(&sheet{out: &out, width: 80}, p, planner.Device{})
	if want := "layers 0-1  exact, 640 gates hot, 64 neurons as a whole\nlayer 2     dense, 576 gates hot, 0 neurons as a whole\n"; !strings.Contains(out.String(), want) {
		t.Errorf("no %q in\n%s", want, out.String())
	}
}

func TestAChatKeepsToThePlanUntilSomethingElseIsChosen(t *testing.T) {
	model, plan := plannedPack(t, "--memory", "1GiB", "--mode", "predicted", "--ctx", "64", "-t", "1")
	m := modelFlags{mode: "auto", memoryFlags: memoryFlags{plan: plan}}
	config, err := m.config()
	if err != nil {
		t.Fatal(err)
	}
	c := &chatModels{base: config}
	as := ui.Choice{Context: 64, Threads: 1, Mode: "auto", Budget: 1024}
	other := as
	other.Budget = 900
	exact := as
	exact.Mode = "exact"
	for _, x := range []struct {
		name   string
		choice ui.Choice
		given  bool
	}{{"as the plan says", as, true}, {"another budget", other, false}, {"another mode", exact, false}} {
		engine, err := c.load(t.Context(), model, x.choice, nil)
		if err != nil {
			t.Fatalf("%s: %v", x.name, err)
		}
		loaded := engine.(planned)
		if got := loaded.Plan() == config.Plan; got != x.given {
			t.Errorf("%s: runs by the given plan: %v", x.name, got)
		}
		loaded.Close()
	}
	engine, err := c.load(t.Context(), modelID(""), as, nil)
	if err != nil {
		t.Fatalf("a model that the plan is not about: %v", err)
	}
	engine.(planned).Close()
}

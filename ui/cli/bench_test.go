package cli

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hotcell/infer"
	"hotcell/infer/kernel"
	"hotcell/models/gguf"
)

func TestBenchPrintsATableOfTheBuiltInModel(t *testing.T) {
	out, errOut, status := command(t, "bench", "-p", "8,3", "-n", "2", "-d", "0,4", "-t", "1,2", "-r", "2")
	if status != 0 || errOut != "" {
		t.Fatalf("status %d: %s", status, errOut)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 2+2*6+2+2 {
		t.Fatalf("%d lines:\n%s", len(lines), out)
	}
	if want := "| model                      |       size |   params | threads |           test |              t/s | of limit |     memory |"; lines[0] != want {
		t.Errorf("titles:\n%s", lines[0])
	}
	for i, test := range []string{"pp8", "pp3", "tg2", "pp8 @ d4", "pp3 @ d4", "tg2 @ d4"} {
		for j, threads := range []string{"1", "2"} {
			cells := strings.Split(lines[2+6*j+i], "|")
			if len(cells) != 10 {
				t.Fatalf("%q", lines[2+6*j+i])
			}
			if strings.TrimSpace(cells[4]) != threads || strings.TrimSpace(cells[5]) != test || !strings.Contains(cells[6], " ± ") {
				t.Errorf("%q, want test %s with %s threads", lines[2+6*j+i], test, threads)
			}
			if strings.Contains(cells[7], "%") != kernel.HasLimits() {
				t.Errorf("share of the limit: %q", cells[7])
			}
		}
	}
	for i, want := range []string{"loading Hotcell Smalltalk 9M Q4_0 with 1 thread: ", "loading Hotcell Smalltalk 9M Q4_0 with 2 threads: ", "limits of 1 thread (", "limits of 2 threads ("} {
		if line := lines[14+i]; !strings.HasPrefix(line, want) {
			t.Errorf("below the table: %q, want %q...", line, want)
		}
	}
}

func TestBenchPrintsJSONAndCSV(t *testing.T) {
	out, _, status := command(t, "bench", "-p", "4", "-n", "0", "-r", "2", "-t", "1", "-o", "json")
	var rows []benchRow
	if err := json.Unmarshal([]byte(out), &rows); err != nil || status != 0 || len(rows) != 1 {
		t.Fatalf("status %d, %v\n%s", status, err, out)
	}
	if r := rows[0]; r.Test != (infer.Test{Prompt: 4}) || r.Name != "pp4" || len(r.Runs) != 2 || r.Median <= 0 || r.Threads != 1 || r.Type != "Q4_0" || r.Load <= 0 {
		t.Errorf("%+v", r)
	}
	out, _, status = command(t, "bench", "-p", "0", "-n", "1,2", "-r", "1", "-t", "1", "-o", "csv")
	table, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil || status != 0 || len(table) != 3 || table[0][6] != "test" || table[2][6] != "tg2" {
		t.Errorf("status %d, %v\n%s", status, err, out)
	}
}

func TestBenchSavesAModelThatRunsAsAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.gguf")
	out, errOut, status := command(t, "bench", "--shape", "smollm-135m", "--type", "q4_0", "-p", "0", "-n", "0", "--save", path)
	if status != 0 || out != "" || errOut != "" {
		t.Fatalf("status %d: %s%s", status, out, errOut)
	}
	f, err := gguf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if name, _ := f.String("general.name"); name != "smollm-135m Q4_0, random weights" {
		t.Errorf("the name is %q", name)
	}
	f.Close()
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("beside the file: %v", left)
	}
	if out, errOut, status := command(t, "bench", "-m", path, "-p", "1", "-n", "0", "-r", "1"); status != 0 || !strings.Contains(out, "| smollm-135m Q4_0, random weights Q4_0 |") {
		t.Errorf("status %d: %s%s", status, out, errOut)
	}
}

func TestBenchRefusesWrongUsage(t *testing.T) {
	for _, test := range []struct {
		args   string
		status int
		want   string
	}{
		{"-p 0 -n 0", 2, "there is nothing to measure: -p and -n are 0"},
		{"-p x", 2, `"x" in -p is not a number from 0 to 16777215`},
		{"-t ,", 2, "-t needs a number"},
		{"-t 65", 1, "65 threads are not possible"},
		{"-r 0", 2, "-r must be at least 1"},
		{"-o xml", 2, `the form "xml" is not known (md, json, csv)`},
		{"--shape gpt-9", 2, `there is no shape "gpt-9" (known: `},
		{"--shape tinyllama --type Q9", 2, `random weights of the type "Q9" cannot be made (known: F32, F16, Q4_0, `},
		{"--shape tinyllama -m x", 2, "-m and --shape exclude each other"},
		{"--save x", 2, "--save is for models of --shape"},
		{"--shape tinyllama,smollm-135m --save x", 2, "--save takes one shape and one type"},
		{"--shape smollm-135m -p 0 -n 0 --save /nowhere/x", 1, "writing /nowhere/x: "},
		{"-m missing.gguf", 1, "missing.gguf: there is no such file"},
		{"-d 16777215 -p 16777215", 1, "the model needs "},
	} {
		out, errOut, status := command(t, append([]string{"bench"}, strings.Fields(test.args)...)...)
		if status != test.status || !strings.Contains(errOut, test.want) || out != "" {
			t.Errorf("%s: status %d, %q, %q", test.args, status, errOut, out)
		}
	}
}

//go:build linux

package iosched

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

var (
	fioFile    = flag.String("fio", "", "compare with fio's libaio on this file (made, 4 GB, if it is missing), and print a table")
	fioRounds  = flag.Int("fio.rounds", 7, "rounds of the comparison; the table shows medians")
	fioTime    = flag.Duration("fio.time", time.Second, "of one run")
	fioHuge    = flag.Bool("fio.huge", false, "read into huge pages, as a model's weights are kept in; fio has plain ones")
	fioEngines = flag.String("fio.engines", strings.Join(EngineNames(), ","), "engines to compare")
)

// run is what one program did with one pattern.
type run struct{ perSec, cpuUs float64 }

// TestAgainstFio is no test: it prints how the engines do beside fio on the same file, in alternating runs. It needs fio, and only -fio starts it:
//
//	go test ./iosched -run TestAgainstFio -fio=/path/of/4GB.file -v -timeout 1h
func TestAgainstFio(t *testing.T) {
	if *fioFile == "" {
		t.Skip("-fio names no file")
	}
	if _, err := os.Stat(*fioFile); err != nil {
		fio(t, "--rw=write", "--bs=4M", "--size=4G", "--iodepth=8", "--refill_buffers", "--end_fsync=1")
	}
	patterns := []Pattern{}
	for _, kb := range []int{4, 8, 24, 64} {
		patterns = append(patterns, Pattern{true, kb << 10, 4}, Pattern{true, kb << 10, 32})
	}
	patterns = append(patterns, Pattern{false, 1 << 20, 4}, Pattern{false, 1 << 20, 8})
	engines := strings.Split(*fioEngines, ",")
	// Some idle Ps, as the engine's worker pool sees to. Without them the runtime's monitor takes the P of each thread that waits in the kernel, every 20 us, and
	// costs more than the reads.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(runtime.NumCPU() + 2))
	var table strings.Builder
	fmt.Fprint(&table, "| reads | depth | fio libaio per s | CPU us |")
	for _, e := range engines {
		fmt.Fprintf(&table, " %s per s | of fio | CPU us |", e)
	}
	fmt.Fprintf(&table, "\n|---|---:%s|\n", strings.Repeat("|---:", 2+3*len(engines)))
	for _, p := range patterns {
		// A round's share is of the mean of fio before and after it, because a shared machine's speed drifts.
		theirs, ours := []run{runFio(t, p)}, make([][]run, len(engines))
		shares := make([][]float64, len(engines))
		for round := range *fioRounds {
			for i, e := range engines {
				ours[i] = append(ours[i], runEngine(t, e, p))
			}
			theirs = append(theirs, runFio(t, p))
			for i := range engines {
				shares[i] = append(shares[i], 2*ours[i][round].perSec/(theirs[round].perSec+theirs[round+1].perSec))
			}
		}
		kind := "random"
		if !p.Random {
			kind = "in order"
		}
		fmt.Fprintf(&table, "| %s %d KB | %d | %.0f | %.1f |", kind, p.Request>>10, p.Depth, median(theirs, perSec), median(theirs, cpuUs))
		for i := range engines {
			slices.Sort(shares[i])
			fmt.Fprintf(&table, " %.0f | %.0f %% | %.1f |", median(ours[i], perSec), 100*shares[i][len(shares[i])/2], median(ours[i], cpuUs))
		}
		fmt.Fprintln(&table)
	}
	t.Logf("medians of %d alternating runs of %v:\n%s", *fioRounds, *fioTime, table.String())
}

func perSec(r run) float64 { return r.perSec }
func cpuUs(r run) float64  { return r.cpuUs }

func median(runs []run, of func(run) float64) float64 {
	values := []float64{}
	for _, r := range runs {
		values = append(values, of(r))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func runFio(t *testing.T, p Pattern) run {
	kind := "read"
	if p.Random {
		kind = "randread"
	}
	out := fio(t, "--rw="+kind, fmt.Sprint("--bs=", p.Request), fmt.Sprint("--iodepth=", p.Depth), "--time_based", fmt.Sprint("--runtime=", fioTime.Milliseconds(), "ms"))
	var result struct {
		Jobs []struct {
			Read struct {
				IOPS    float64
				Total   float64 `json:"total_ios"`
				Runtime float64
			}
			Usr float64 `json:"usr_cpu"`
			Sys float64 `json:"sys_cpu"`
		}
	}
	if err := json.Unmarshal(out, &result); err != nil {
		t.Fatal(err)
	}
	j := result.Jobs[0]
	return run{j.Read.IOPS, (j.Usr + j.Sys) / 100 * j.Read.Runtime * 1000 / j.Read.Total}
}

func fio(t *testing.T, args ...string) []byte {
	args = append([]string{"--name=hotcell", "--filename=" + *fioFile, "--ioengine=libaio", "--direct=1", "--randrepeat=0", "--output-format=json"}, args...)
	out, err := exec.Command("fio", args...).Output()
	if err != nil {
		t.Fatalf("fio %v: %v", args, err)
	}
	return out
}

func runEngine(t *testing.T, engine string, p Pattern) run {
	// What is compared is single reads, so nothing is merged.
	s, err := Open(*fioFile, Config{Engine: engine, Direct: DirectOn, Depth: p.Depth, MaxMerge: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	mem, free, err := pages(p.Request * p.Depth)
	if err != nil {
		t.Fatal(err)
	}
	defer free()
	if *fioHuge {
		_ = unix.Madvise(mem, unix.MADV_HUGEPAGE)
	}
	clear(mem)
	before := cpuTime()
	n, took, err := drive(s, p, mem, *fioTime)
	if err != nil {
		t.Fatal(err)
	}
	return run{float64(n) / took.Seconds(), (cpuTime() - before).Seconds() * 1e6 / float64(n)}
}

// cpuTime is what the whole process has used, kernel included.
func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkGaps reads a layer's worth of pages that lie scattered over a part of the file, with several limits of the gap that is read for nobody. The time
// is one page's.
//
//	go test ./iosched -run - -bench Gaps -fio=/path/of/4GB.file
func BenchmarkGaps(b *testing.B) {
	if *fioFile == "" {
		b.Skip("-fio names no file")
	}
	const pagesRead = 512
	for _, share := range []int{5, 10, 25} { // percent of the pages are wanted
		for _, gap := range []int{-1, 4 << 10, 8 << 10, 16 << 10, 32 << 10, 64 << 10} {
			b.Run(fmt.Sprintf("wanted=%d%%/gap=%dK", share, max(gap, 0)>>10), func(b *testing.B) {
				s, err := Open(*fioFile, Config{MaxGap: gap})
				if err != nil {
					b.Fatal(err)
				}
				defer s.Close()
				mem, free, err := pages(pagesRead * 4096)
				if err != nil {
					b.Fatal(err)
				}
				defer free()
				g, random := NewGroup(pagesRead), rand.New(rand.NewPCG(1, 1))
				batch := newRequests(pagesRead, 0)
				for b.Loop() {
					offset := random.Int64N(s.info.Size/2) / 4096 * 4096
					for i, r := range batch {
						for offset += 4096; random.IntN(100) >= share; offset += 4096 {
						}
						r.Offset, r.Buf = offset, mem[i*4096:][:4096]
					}
					_ = s.Submit(g, Demand, batch)
					for range batch {
						if r := g.Wait(time.Time{}); r.Err != nil {
							b.Fatal(r.Err)
						}
					}
				}
				b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*pagesRead), "us/page")
				b.ReportMetric(float64(s.Stats().Reads)/float64(b.N), "reads")
			})
		}
	}
}

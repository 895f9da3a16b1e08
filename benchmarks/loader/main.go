// Command loader measures how fast random windows of 6+1 frames are read, compared with
// The Well's loader in PyTorch, on the same files at the same time:
//
//	pip install the-well
//	go run ./benchmarks/loader -peer python3 testdata/data/shear_flow/data/train …
//
//	go run ./benchmarks/loader -large BIG && go run ./benchmarks/loader -budget 100000000 BIG/data/train
//
//	go run ./benchmarks/loader -real 512x512 REAL/contiguous && python3 benchmarks/loader/repack.py REAL
//	go run ./benchmarks/loader -peer python3 REAL/{contiguous,gzip,shuffle_gzip}/data/train
//
// Both read each folder in turn, several times; the ratios are those of the medians, of
// frames per second and of frames per second of processor time. With -cold the files are
// dropped from the page cache all the time. Without -peer only this library is measured.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/internal/machine"
)

func main() {
	peer := flag.String("peer", "", "Python with the-well: also run benchmarks/loader/peer.py")
	workers := flag.Int("workers", 0, "windows read at the same time (number of processors if 0)")
	seconds := flag.Float64("seconds", 3, "length of one measurement")
	rounds := flag.Int("rounds", 3, "measurements of each side")
	budget := flag.Int64("budget", 0, "bytes of windows in memory (the loader's default if 0)")
	large := flag.String("large", "", "folder in which a data set of 4 GB is made first")
	real := flag.String("real", "", "grid such as 256x512: first make a data set of this size in the only folder given")
	cold := flag.Bool("cold", false, "drop the files from the page cache while they are read (Linux)")
	flag.Parse()
	if *real != "" {
		if err := makeGrid(*real, flag.Args()); err != nil {
			fmt.Fprintln(os.Stderr, "loader:", err)
			os.Exit(1)
		}
		return
	}
	if *large != "" {
		if err := makeLarge(*large); err != nil {
			fmt.Fprintln(os.Stderr, "loader:", err)
			os.Exit(1)
		}
	}
	fmt.Println("| folder | ours, frames/s | the-well, frames/s | ratio | ours, frames per CPU s | the-well | ratio | peak memory, MB |")
	fmt.Println("|---|---|---|---|---|---|---|---|")
	for _, dir := range flag.Args() {
		if err := compare(dir, *peer, *workers, *seconds, *rounds, *budget, *cold); err != nil {
			fmt.Fprintln(os.Stderr, "loader:", err)
			os.Exit(1)
		}
	}
}

// makeGrid makes a data set of real size.
func makeGrid(text string, folders []string) error {
	var rows, columns int
	if _, err := fmt.Sscanf(text, "%dx%d", &rows, &columns); err != nil || rows < 1 || columns < 1 || len(folders) != 1 {
		return fmt.Errorf("expected a grid such as 256x512 and one folder, got %q and %q", text, folders)
	}
	return makeReal(folders[0], []int{rows, columns})
}

// speed counts frames per second, and per second of processor time.
type speed struct{ wall, cpu float64 }

// compare measures both sides in turn.
func compare(dir, peer string, workers int, seconds float64, rounds int, budget int64, cold bool) error {
	if cold {
		stop, err := keepCold(dir)
		if err != nil {
			return err
		}
		defer stop()
	}
	var ours, theirs []speed
	for range rounds {
		rate, err := measure(dir, workers, seconds, budget)
		if err != nil {
			return err
		}
		ours = append(ours, rate)
		if peer == "" {
			continue
		}
		if rate, err = measurePeer(peer, dir, seconds); err != nil {
			return err
		}
		theirs = append(theirs, rate)
	}
	line := "| " + dir
	for _, of := range []func(speed) float64{func(s speed) float64 { return s.wall }, func(s speed) float64 { return s.cpu }} {
		if peer == "" {
			line += fmt.Sprintf(" | %.0f | – | –", median(ours, of))
			continue
		}
		line += fmt.Sprintf(" | %.0f | %.0f | %.2f", median(ours, of), median(theirs, of), median(ours, of)/median(theirs, of))
	}
	used, err := machine.Used()
	fmt.Printf("%s | %.0f |\n", line, float64(used.Peak)/1e6)
	return err
}

func median(speeds []speed, of func(speed) float64) float64 {
	var x []float64
	for _, s := range speeds {
		x = append(x, of(s))
	}
	slices.Sort(x)
	return x[len(x)/2]
}

// measure reads random windows for the given seconds.
func measure(dir string, workers int, seconds float64, budget int64) (out speed, err error) {
	ds, err := well.Open(dir, well.Options{})
	if err != nil {
		return out, err
	}
	defer ds.Close()
	windows, err := data.NewWindows(ds, data.Cut{Input: 6, Output: 1})
	if err != nil {
		return out, err
	}
	rng := rand.New(rand.NewPCG(1, 2))
	used, err := machine.Used()
	if err != nil {
		return out, err
	}
	begin := time.Now()
	next := func() (data.Request, bool) {
		return data.Request{Dataset: ds, Span: windows.Span(rng.IntN(windows.Len()), 1)}, time.Since(begin).Seconds() < seconds
	}
	l := data.NewLoader(context.Background(), next, data.LoaderOptions{Workers: workers, Bytes: budget})
	defer l.Close()
	frames := 0
	for {
		w, _, err := l.Next()
		if errors.Is(err, io.EOF) {
			now, err := machine.Used()
			return speed{float64(frames) / time.Since(begin).Seconds(), float64(frames) / (now.CPU - used.CPU).Seconds()}, err
		}
		if err != nil {
			return out, err
		}
		frames += len(w.Frames)
		l.Release(w)
	}
}

// measurePeer runs the script, which prints both numbers.
func measurePeer(python, dir string, seconds float64) (out speed, err error) {
	cmd := exec.Command(python, filepath.Join("benchmarks", "loader", "peer.py"), dir, fmt.Sprint(seconds))
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	printed, err := cmd.Output()
	if err != nil {
		return out, fmt.Errorf("%s: %w: %s", cmd, err, complaints.String())
	}
	if _, err := fmt.Sscan(string(printed), &out.wall, &out.cpu); err != nil {
		return out, fmt.Errorf("%s: expected two numbers, got %q", cmd, printed)
	}
	return out, nil
}

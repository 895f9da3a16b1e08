// Command loader measures how fast random windows of 6+1 frames are read, compared with
// The Well's loader in PyTorch, on the same files at the same time:
//
//	pip install the-well
//	go run ./benchmarks/loader -peer python3 testdata/data/shear_flow/data/train …
//
//	go run ./benchmarks/loader -large BIG && go run ./benchmarks/loader -budget 100000000 BIG/data/train
//
// Both read each folder in turn, several times; the ratio is that of the medians.
// Without -peer only this library is measured.
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
	"strconv"
	"strings"
	"time"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well"
)

func main() {
	peer := flag.String("peer", "", "Python with the-well: also run benchmarks/loader/peer.py")
	workers := flag.Int("workers", 0, "windows read at the same time (number of processors if 0)")
	seconds := flag.Float64("seconds", 3, "length of one measurement")
	rounds := flag.Int("rounds", 3, "measurements of each side")
	budget := flag.Int64("budget", 0, "bytes of windows in memory (the loader's default if 0)")
	large := flag.String("large", "", "folder in which a data set of 4 GB is made first")
	flag.Parse()
	if *large != "" {
		if err := makeLarge(*large); err != nil {
			fmt.Fprintln(os.Stderr, "loader:", err)
			os.Exit(1)
		}
	}
	fmt.Println("| folder | ours, frames/s | the-well, frames/s | ratio | peak memory, MB |")
	fmt.Println("|---|---|---|---|---|")
	for _, dir := range flag.Args() {
		if err := compare(dir, *peer, *workers, *seconds, *rounds, *budget); err != nil {
			fmt.Fprintln(os.Stderr, "loader:", err)
			os.Exit(1)
		}
	}
}

// compare measures both sides in turn.
func compare(dir, peer string, workers int, seconds float64, rounds int, budget int64) error {
	var ours, theirs []float64
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
	line := fmt.Sprintf("| %s | %.0f | ", dir, median(ours))
	if peer != "" {
		line += fmt.Sprintf("%.0f | %.1f", median(theirs), median(ours)/median(theirs))
	} else {
		line += "– | –"
	}
	fmt.Printf("%s | %s |\n", line, peakMemory())
	return nil
}

func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	return x[len(x)/2]
}

// measure reads random windows for the given seconds and returns frames per second.
func measure(dir string, workers int, seconds float64, budget int64) (float64, error) {
	ds, err := well.Open(dir, well.Options{})
	if err != nil {
		return 0, err
	}
	defer ds.Close()
	windows, err := data.NewWindows(ds, data.Cut{Input: 6, Output: 1})
	if err != nil {
		return 0, err
	}
	rng := rand.New(rand.NewPCG(1, 2))
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
			return float64(frames) / time.Since(begin).Seconds(), nil
		}
		if err != nil {
			return 0, err
		}
		frames += len(w.Frames)
		l.Release(w)
	}
}

// measurePeer runs the script, which prints frames per second.
func measurePeer(python, dir string, seconds float64) (float64, error) {
	cmd := exec.Command(python, filepath.Join("benchmarks", "loader", "peer.py"), dir, fmt.Sprint(seconds))
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("%s: %w: %s", cmd, err, complaints.String())
	}
	fields := strings.Fields(string(out))
	if len(fields) == 0 {
		return 0, fmt.Errorf("%s: expected a number, got nothing", cmd)
	}
	return strconv.ParseFloat(fields[len(fields)-1], 64)
}

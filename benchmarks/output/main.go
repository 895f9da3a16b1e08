// Command output measures memory and processor time of writing forecasts in each format, in
// a process per format and number of frames:
//
//	go run ./benchmarks/output
//
// Frames are synthetic: waves of a pressure and a velocity, and a little noise, on 512 × 512
// points. Each row has the peak resident memory of a process that writes a few frames and of
// one that writes all: a format that keeps no frames has the same. The last row is a process
// that forecasts with walrus-nano on that grid and writes nothing.
package main

import (
	"context"
	"flag"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/output"
	"github.com/gowalrus/gowalrus/internal/machine"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/eval/picture"
	"github.com/gowalrus/gowalrus/walrus/nano"
)

// Names of the processes that write no format of package output.
const (
	gif      = ".gif"
	nothing  = "none"
	forecast = "walrus-nano"
)

func main() {
	side := flag.Int("side", 512, "points along each of two axes")
	frames := flag.Int("frames", 100, "frames to write")
	few := flag.Int("few", 10, "frames of the process that shows what does not grow")
	steps := flag.Int("steps", 2, "frames to forecast with walrus-nano; 0 leaves the row out")
	one := flag.String("one", "", "measure this format in this process and print a line")
	flag.Parse()
	run := table
	if *one != "" {
		run = func(side, frames, _, _ int) error { return single(*one, side, frames) }
	}
	if err := run(*side, *frames, *few, *steps); err != nil {
		fmt.Fprintln(os.Stderr, "output:", err)
		os.Exit(1)
	}
}

// table prints the rows.
func table(side, frames, few, steps int) error {
	fmt.Printf("| format | MB per frame | peak, %d frames, MiB | peak, %d frames, MiB | CPU s per frame |\n|---|---|---|---|---|\n", few, frames)
	_, base, _, err := child(nothing, side, frames)
	if err != nil {
		return err
	}
	for _, format := range append(output.Formats(), gif) {
		if format == ".h5" {
			continue // as .hdf5
		}
		_, _, low, err := child(format, side, few)
		if err != nil {
			return err
		}
		size, cpu, high, err := child(format, side, frames)
		if err != nil {
			return err
		}
		fmt.Printf("| %s | %.2f | %.0f | %.0f | %.3f |\n", format, size/1e6/float64(frames), low/(1<<20), high/(1<<20), (cpu-base)/float64(frames))
	}
	if steps < 1 {
		return nil
	}
	_, cpu, peak, err := child(forecast, side, steps)
	if err != nil {
		return err
	}
	fmt.Printf("| (%s, a forecast frame) | – | – | %.0f | %.1f |\n", forecast, peak/(1<<20), cpu/float64(steps))
	return nil
}

// child measures a process: bytes on disk, processor time in seconds and peak memory in
// bytes.
func child(format string, side, frames int) (size, cpu, peak float64, err error) {
	self, err := os.Executable()
	if err != nil {
		return 0, 0, 0, err
	}
	c := exec.Command(self, "-one", format, "-side", fmt.Sprint(side), "-frames", fmt.Sprint(frames))
	c.Stderr = os.Stderr
	out, err := c.Output()
	if err == nil {
		_, err = fmt.Sscan(string(out), &size, &cpu, &peak)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", format, err)
	}
	return size, cpu, peak, err
}

// single measures this process and prints a line.
func single(format string, side, frames int) error {
	dir, err := os.MkdirTemp("", "output")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var before machine.Usage
	switch format {
	case forecast:
		before, err = predict(side, frames)
	case gif:
		err = animate(filepath.Join(dir, "forecast.gif"), side, frames)
	default:
		err = write(filepath.Join(dir, "forecast"+format), format, side, frames)
	}
	if err != nil {
		return err
	}
	used, err := machine.Used()
	if err != nil {
		return err
	}
	size, err := bytes(dir)
	fmt.Println(size, (used.CPU - before.CPU).Seconds(), used.Peak)
	return err
}

// bytes returns the size of the files in a folder.
func bytes(dir string) (n int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			n += info.Size()
		}
		return err
	})
	return n, err
}

// start returns the window from which the forecast starts.
func start(side int) *data.Window {
	w := &data.Window{Name: "waves", Grid: []int{side, side}, Fields: []data.Field{{Name: "pressure"}, {Name: "velocity", Order: 1}},
		Boundaries: data.Boundaries{data.Both(data.Periodic), data.Both(data.Wall)}}
	for k := range 6 {
		w.Frames = append(w.Frames, frame(nil, side, k-6))
		w.Times = append(w.Times, float32(k-6))
	}
	return w
}

// frame returns the frame of a step, in dst if it is large enough.
func frame(dst []float32, side, step int) []float32 {
	if len(dst) != 3*side*side {
		dst = make([]float32, 3*side*side)
	}
	rng := rand.New(rand.NewPCG(uint64(step), 1))
	wave := make([]float64, 2*side) // the sum of two angles, which repeats
	for c := range 3 {
		for i := range wave {
			wave[i] = math.Sin(2*math.Pi*float64(i*(c+1))/float64(side) - 0.1*float64(step))
		}
		for x := range side {
			for y := range side {
				dst[(c*side+x)*side+y] = float32(wave[x]*wave[y] + wave[x+y] + 1e-3*rng.Float64())
			}
		}
	}
	return dst
}

// write writes frames in a format of package output, or makes them only.
func write(path, format string, side, frames int) error {
	h := output.Header{Start: start(side)}
	for k := range frames {
		h.Times = append(h.Times, float32(k))
	}
	var w *output.Writer
	if format != nothing {
		var err error
		if w, err = output.Create(path, h); err != nil {
			return err
		}
		defer w.Abort()
	}
	var values []float32
	for k := range frames {
		values = frame(values, side, k)
		if w == nil {
			continue
		}
		if err := w.Step(values); err != nil {
			return err
		}
	}
	if w == nil {
		return nil
	}
	return w.Close()
}

// animate draws frames as the command forecast does.
func animate(path string, side, frames int) error {
	w := start(side)
	w.Frames, w.Times = nil, nil
	for k := range frames {
		w.Frames, w.Times = append(w.Frames, frame(nil, side, k)), append(w.Times, float32(k))
	}
	panels, err := picture.Frames(w, picture.Options{Title: w.Name})
	if err != nil {
		return err
	}
	return picture.GIF(path, panels, 200*time.Millisecond)
}

// predict forecasts frames with walrus-nano. It returns the usage after the first frame, which
// includes the compilation.
func predict(side, frames int) (before machine.Usage, err error) {
	b, err := backend.Pick(false)
	if err != nil {
		return before, err
	}
	em, err := nano.Open("nano", walrus.EmulatorOptions{Backend: b, Seed: 1})
	if err != nil {
		return before, err
	}
	defer em.Close()
	got := 0
	for _, err := range em.Rollout(context.Background(), start(side), frames+1) {
		if err != nil {
			return before, err
		}
		if got++; got == 1 {
			if before, err = machine.Used(); err != nil {
				return before, err
			}
		}
	}
	if got != frames+1 {
		return before, fmt.Errorf("expected %d frames, got %d", frames+1, got)
	}
	return before, nil
}

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well"
)

// makeLarge writes a data set of about 4 GB: 1000 frames of 1024 × 1024 points,
// not compressed.
func makeLarge(dir string) error {
	const n, steps = 1024, 1000
	axis := make([]float32, n)
	for i := range axis {
		axis[i] = float32(i)
	}
	h := well.Header{Dataset: "large", Coordinates: [][]float32{axis, axis}, Trajectories: 1, Deflate: -1,
		Fields: []data.Field{{Name: "density"}}, Boundaries: data.Boundaries{data.Both(data.Open), data.Both(data.Open)}}
	for i := range steps {
		h.Times = append(h.Times, float32(i))
	}
	folder := filepath.Join(dir, "data", "train")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	w, err := well.Create(filepath.Join(folder, "large.hdf5"), h, well.WriteOptions{})
	if err != nil {
		return err
	}
	frame := make([]float32, n*n)
	for step := range steps {
		for i := range frame {
			frame[i] = float32(step) + float32(i%n)/n
		}
		if err := w.Frame(0, step, frame); err != nil {
			w.Abort()
			return err
		}
	}
	return w.Close()
}

// peakMemory returns the largest resident memory of this process in MB as Linux reports
// it, or "?" on other systems.
func peakMemory() string {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			var kb float64
			if _, err := fmt.Sscan(rest, &kb); err == nil {
				return fmt.Sprintf("%.0f", kb/1e3)
			}
		}
	}
	return "?"
}

// Command fullsize writes a random checkpoint of a preset, reads the file, loads it tensor
// by tensor and forecasts one 2D frame with it. It prints the time and the peak memory of
// each phase:
//
//	go run ./benchmarks/fullsize -preset walrus -file out/walrus.safetensors
//	go run ./benchmarks/fullsize -preset walrus -file out/walrus.safetensors -hold int8
//
// The released size needs 5.2 GB of disk for the file. A file that is there is used, and is
// kept. GOMLX_BACKEND chooses the backend.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gomlx/compute"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
)

func main() {
	preset := flag.String("preset", "walrus", "network: "+strings.Join(walrus.PresetNames(), ", "))
	grid := flag.Int("grid", 128, "points along both axes")
	frames := flag.Int("frames", 3, "frames of history")
	file := flag.String("file", "out/fullsize.safetensors", "weight file, written if it is not there")
	hold := flag.String("hold", "float32", "type in which weights are held: float32, bfloat16 or int8")
	flag.Parse()
	if err := run(*preset, *file, *hold, *grid, *frames); err != nil {
		fmt.Fprintln(os.Stderr, "fullsize:", err)
		os.Exit(1)
	}
}

func run(preset, file, hold string, grid, frames int) error {
	c, err := walrus.Preset(preset)
	if err != nil {
		return err
	}
	precision, err := walrus.ParsePrecision(hold)
	if err != nil {
		return err
	}
	b, err := backend.Default()
	if err != nil {
		return err
	}
	fmt.Println("| phase | seconds | peak memory so far, MiB |\n|---|---|---|")
	var list []phase
	if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
		list = append(list, phase{"draw the weights and write the file", func() error { return write(c, file) }}, phase{"", resetPeak})
	}
	return phases(append(list,
		phase{"read the file", func() error { return read(file) }},
		phase{"", resetPeak},
		phase{"load, forecast", func() error { return load(c, file, precision, b, grid, frames) }}))
}

// read reads the bytes of a file.
func read(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	buffer := make([]byte, 4<<20)
	for {
		if _, err := f.Read(buffer); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// phase is a measured part of the program. A phase without a name is not reported.
type phase struct {
	name string
	do   func() error
}

func phases(list []phase) error {
	for _, p := range list {
		begin := time.Now()
		if err := p.do(); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		if p.name != "" {
			fmt.Printf("| %s | %.1f | %s |\n", p.name, time.Since(begin).Seconds(), peak())
		}
	}
	return nil
}

func write(c walrus.Config, path string) error {
	w, err := walrus.InitWeights(c, 1)
	if err != nil {
		return err
	}
	defer w.Close()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return w.Save(path, nil)
}

func load(c walrus.Config, path string, hold walrus.Precision, b compute.Backend, grid, frames int) error {
	var w *walrus.Weights
	var em *walrus.Emulator
	step := func() error {
		_, err := em.Emulate(context.Background(), window(grid, frames))
		return err
	}
	err := phases([]phase{
		{"load, tensor by tensor", func() (err error) {
			w, _, err = walrus.LoadWeights(path, c, walrus.LoadOptions{Backend: b, Weights: hold})
			return err
		}},
		{"first frame, compilation included", func() (err error) {
			if em, err = walrus.NewEmulator(w, walrus.EmulatorOptions{Backend: b, Weights: hold, Divergence: walrus.Divergence{Factor: -1}}); err != nil {
				return err
			}
			return step()
		}},
		{"second frame", step},
	})
	if w != nil {
		w.Close()
	}
	return err
}

// window returns a few frames of a travelling wave.
func window(n, frames int) *data.Window {
	w := &data.Window{
		Name: "wave", Grid: []int{n, n}, Boundaries: data.Boundaries{data.Both(data.Periodic), data.Both(data.Wall)},
		Fields: []data.Field{{Name: "pressure"}, {Name: "velocity", Order: 1}},
	}
	for t := range frames {
		f := make([]float32, 3*n*n)
		for i := range f {
			x, y, c := i/n%n, i%n, i/(n*n)
			f[i] = float32(math.Sin(2*math.Pi*(float64(x)/float64(n)-0.05*float64(t))+float64(c)) * math.Cos(math.Pi*float64(y)/float64(n)))
		}
		w.Frames = append(w.Frames, f)
	}
	return w
}

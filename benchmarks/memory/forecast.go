package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gowalrus/gowalrus/internal/machine"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
)

// forecast is a size with the precision of its weights and, in a child, the weight file.
type forecast struct {
	size
	Weights walrus.Precision
	Draws   int
	Cached  bool
	Path    string
}

// forecastSizes lists the measured networks, each with weights in float32 and int8.
var forecastSizes = []size{
	{"small", 256, 4, 4, []int{128, 128}, 6, 1, 0, 0, 0},
	{"medium", 512, 8, 8, []int{256, 256}, 3, 1, 0, 0, 0},
	{"wide", 1024, 8, 16, []int{128, 128}, 3, 1, 0, 0, 0},
	{"volume", 128, 4, 4, []int{64, 64, 64}, 3, 1, 0, 0, 0},
}

// shape describes the rollout to the estimate.
func (f forecast) shape() walrus.ForecastShape {
	s := walrus.ForecastShape{Grid: f.Grid, Boundaries: f.boundaries(), Steps: f.Steps, Variable: 5, Draws: f.Draws, Weights: f.Weights}
	if f.Cached {
		s.Cache = &walrus.Cache{}
	}
	return s
}

// compareForecasts runs a child per size and precision and prints a table.
func compareForecasts(only string) error {
	dir, err := os.MkdirTemp("", "memory")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	fmt.Println("| size | weights | runtime, MiB | weights | activations | cache | frames | predicted | measured | predicted/measured |\n|---|---|---|---|---|---|---|---|---|---|")
	for _, s := range forecastSizes {
		if !strings.Contains(s.Name, only) {
			continue
		}
		all := []forecast{{size: s}, {size: s, Weights: walrus.Int8}}
		if s.Name == "small" {
			all = append(all, forecast{size: s, Weights: walrus.BFloat16}, forecast{size: s, Draws: 2}, forecast{size: s, Cached: true})
		}
		for _, f := range all {
			if err := f.compare(dir); err != nil {
				return fmt.Errorf("%s: %w", s.Name, err)
			}
		}
	}
	return nil
}

// compare measures a forecast and its miniature and prints a line of the table.
func (f forecast) compare(dir string) error {
	e, err := walrus.EstimateForecast(f.config(), f.shape())
	if err != nil {
		return err
	}
	mini := f
	mini.size = f.miniature()
	before, err := mini.start(filepath.Join(dir, "miniature.safetensors"))
	if err != nil {
		return err
	}
	m, err := f.start(filepath.Join(dir, "w.safetensors"))
	if err != nil {
		return err
	}
	predicted := e.Total() + before.Peak
	name := f.Name
	if f.Draws > 1 {
		name += fmt.Sprintf(", %d draws", f.Draws)
	}
	if f.Cached {
		name += ", cached"
	}
	_, err = fmt.Printf("| %s | %v | %d | %d | %d | %d | %d | %d | %d | %.2f |\n", name, f.Weights, before.Peak>>20, (e.Weights+e.Wide)>>20,
		e.Activations>>20, e.Cache>>20, e.Frames>>20, predicted>>20, m.Peak>>20, float64(predicted)/float64(m.Peak))
	return err
}

// start writes a weight file in a process and forecasts with it in another.
func (f forecast) start(path string) (m measurement, err error) {
	if err := spawn(&m, "-write", path, "-one", text(f)); err != nil {
		return m, err
	}
	defer os.Remove(path)
	f.Path = path
	return m, spawn(&m, "-task", "forecast", "-one", text(f))
}

func text(v any) string {
	raw, _ := json.Marshal(v) // plain structs
	return string(raw)
}

// write writes random weights.
func write(text, path string) error {
	var f forecast
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		return err
	}
	w, err := walrus.InitWeights(f.config(), 1)
	if err != nil {
		return err
	}
	if err := w.Save(path, nil); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(measurement{})
}

// childForecast forecasts three frames and prints the peak.
func childForecast(text string) error {
	var f forecast
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		return err
	}
	b, err := backend.Default()
	if err != nil {
		return err
	}
	draws := max(f.Draws, 1)
	o := walrus.EmulatorOptions{Backend: b, Seed: 1, Weights: f.Weights, Ensemble: draws, Batch: draws, OwnWeights: true, Divergence: walrus.Divergence{Factor: -1}}
	if f.Cached {
		o.Cache = &walrus.Cache{}
	}
	w, _, err := walrus.LoadWeights(f.Path, f.config(), o.LoadOptions())
	if err != nil {
		return err
	}
	e, err := walrus.NewEmulator(w, o)
	if err != nil {
		return err
	}
	defer e.Close()
	window := f.window()
	window.Frames = slices.Clone(window.Frames[:f.Steps])
	for _, err := range e.Rollout(context.Background(), window, 3) {
		if err != nil {
			return err
		}
	}
	usage, err := machine.Used()
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(measurement{b.Name(), usage.Peak})
}

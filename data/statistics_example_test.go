package data_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/gowalrus/gowalrus/data"
)

// The Well's stats.yaml has one value per component. The components of a vector are
// normalised by one shared value, so that the vector keeps its direction.
func ExampleParseStatistics() {
	s, err := data.ParseStatistics([]byte("rms:\n  pressure: 2\n  velocity: [3, 4]\n"))
	if err != nil {
		log.Fatal(err)
	}
	fields := []data.Field{{Name: "pressure"}, {Name: "velocity", Order: 1}}
	values, err := s.Channels("rms", s.RMS, fields)
	fmt.Printf("%.3f %v\n", values, err)
	_, err = s.Channels("rms", s.RMS, []data.Field{{Name: "density"}})
	fmt.Println(err)
	_, err = data.ParseStatistics([]byte("median:\n  pressure: 1\n"))
	fmt.Println(err)
	// Output:
	// [2.000 2.887 2.887 2.887] <nil>
	// data: statistics: rms: expected field "density", which is missing
	// line 1: unknown key "median": expected mean, std, rms or one of these with _delta
}

func ExampleWriteStatistics() {
	dir, err := os.MkdirTemp("", "statistics")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "stats.yaml")
	s := &data.Statistics{
		Mean: map[string][]float64{"velocity": {0.5, -0.25}},
		Std:  map[string][]float64{"velocity": {1.0 / 3, 1}},
	}
	if err := data.WriteStatistics(path, s, []data.Field{{Name: "velocity", Order: 1}}, 2, data.FullPrecision); err != nil {
		log.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(string(text))
	back, err := data.ReadStatistics(path)
	fmt.Println(back.Std["velocity"][0] == 1.0/3, err)
	// Output:
	// mean:
	//   velocity:
	//   - 5.0E-01
	//   - -2.5E-01
	// std:
	//   velocity:
	//   - 3.333333333333333E-01
	//   - 1.0E+00
	// true <nil>
}

// Normalising a field that hardly varies shows only its noise.
func ExampleStatistics_Small() {
	s := &data.Statistics{Std: map[string][]float64{"pressure": {1e-6}, "density": {0.5}}}
	fmt.Println(s.Small(1e-4))
	// Output: [std of pressure]
}

func ExampleMoments() {
	m := data.MomentsOf([]float64{1, 2, 3})
	m.Add(data.MomentsOf([]float64{4, 5}))
	fmt.Printf("%.0f numbers, mean %.1f, variance %.1f, deviation %.3f, rms %.3f\n", m.Count, m.Mean, m.Variance(), m.Std(), m.RMS())
	// Output: 5 numbers, mean 3.0, variance 2.0, deviation 1.414, rms 3.317
}

// Fields with long tails are easier to learn as logarithms (paper §C.1).
func ExampleTransform() {
	log10 := data.Transform{Field: "density", Kind: data.Log10}
	values := []float32{1, 10, 1000}
	fmt.Println(log10.Rename(), log10.Apply(values), values)
	fmt.Println(log10.Apply([]float32{1, 0}))
	// Output:
	// log10_density <nil> [0 1 3]
	// transform torch.log10 of field "density": value 1 is 0: expected positive values
}

func ExampleParseTransform() {
	kind, err := data.ParseTransform("torch.log10")
	fmt.Println(kind == data.Log10, kind, err)
	_, err = data.ParseTransform("sqrt")
	fmt.Println(err)
	// Output:
	// true torch.log10 <nil>
	// data: transform: expected torch.log10 or torch.zeros_like, got "sqrt"
}

func ExampleApplyTransforms() {
	w := &data.Window{
		Name: "cloud", Grid: []int{1, 2}, Fields: []data.Field{{Name: "pressure"}, {Name: "density"}},
		Boundaries: data.Boundaries{data.Both(data.Open), data.Both(data.Open)},
		Frames:     [][]float32{{7, 8, 1, 100}},
	}
	transforms := []data.Transform{{Field: "density", Kind: data.Log10}}
	fields, err := data.TransformFields(w.Fields, transforms)
	fmt.Println(fields[1].Name, err)
	fmt.Println(data.ApplyTransforms(w, transforms), w.Channels(false), w.Frames[0])
	// Output:
	// log10_density <nil>
	// <nil> [pressure log10_density] [7 8 0 2]
}

func ExampleTransformFields() {
	_, err := data.TransformFields([]data.Field{{Name: "pressure"}}, []data.Transform{{Field: "density", Kind: data.Log10}})
	fmt.Println(err)
	// Output: transform torch.log10 of field "density": expected one of the fields [pressure], each once
}

func ExampleFindEntry() {
	e, ok := data.FindEntry("rayleigh_benard")
	fmt.Println(ok, e.Grid, e.Boundaries, e.History(), e.Batch())
	channels, err := e.Channels()
	fmt.Println(channels, err)
	merger, _ := data.FindEntry("post_neutron_star_merger")
	fmt.Println(merger.Downstream, merger.Volume(), merger.Curvilinear(), merger.Unconfirmed)
	// Output:
	// true [512 128] [periodic wall] 6 2
	// [buoyancy pressure velocity_x velocity_y velocity_z] <nil>
	// true true true boundaries
}

func ExampleDownsample() {
	fmt.Println(data.Downsample(6, 0.5), data.Downsample(2, 0.25))
	// Output: 3 1
}

package data_test

import (
	"testing"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/sweep"
)

// TestNonsense: no function panics on bad input.
func TestNonsense(t *testing.T) {
	plane := &data.Window{
		Name:       "tank",
		Fields:     []data.Field{{Name: "density"}, {Name: "velocity", Order: 1}, {Name: data.MaskName, Constant: true}},
		Grid:       []int{3, 2},
		Boundaries: data.Boundaries{data.Both(data.Wall), data.Both(data.Periodic)},
		Constants:  make([]float32, 6),
		Times:      []float32{0, 1, 2, 3},
		Scalars:    []data.Scalar{{Name: "energy", Values: make([]float32, 4)}, {Name: "Re", Constant: true, Values: make([]float32, 1)}},
	}
	for range 4 {
		plane.Frames = append(plane.Frames, make([]float32, 18))
	}
	set, err := data.NewMemory("tanks", []*data.Window{plane, plane})
	if err != nil {
		t.Fatal(err)
	}
	cut := data.Cut{Input: 2, Output: 1, MaxStride: 1}
	windows, err := data.NewWindows(set, cut)
	if err != nil {
		t.Fatal(err)
	}
	sweep.Run(t, sweep.Package{
		Funcs: []any{data.Catalog, data.ApplyTransforms, data.BCFromCode, data.Both, data.Coarsen, data.ComputeStatistics, data.Downsample, data.Drop, data.FindEntry, data.FullTrajectories,
			data.MomentsOf, data.MustRegistry, data.NewLoader, data.NewMemory, data.NewMixture, data.NewRegistry, data.NewWindows,
			data.ParseBC, data.ParseBoundaries, data.ParseFields, data.ParseGrid, data.ParseStatistics, data.ParseTransform, data.ReadStatistics, data.ReleasedRegistry,
			data.SplitByRatios, data.SplitFiles, data.SplitTrajectories, data.StatisticsOf, data.Steps, data.Subset, data.TransformFields, data.WriteStatistics},
		Types: []any{new(data.BC), new(data.Boundaries), new(data.Boundary), new(data.Cut), new(data.Entry), new(data.Field),
			new(data.Memory), new(data.Metadata), new(data.Moments), new(data.Origin), new(data.Ratios), new(data.Registry), new(data.Statistics),
			new(data.Transform), new(data.TransformKind), new(data.UnknownFieldsError), new(data.Volume), new(data.Window), new(data.WindowError)},
		Made:    []any{(*data.Loader)(nil), (*data.Mixture)(nil), (*data.Windows)(nil)},
		Values:  []any{plane, set, cut, windows, plane.Volume(), set.Metadata(), data.Transform{Field: "density", Kind: data.Log10}, data.Span{Stride: 1, Frames: 2}},
		Strings: []string{"density", "velocity", data.MaskName, "wall/open", "periodic", "8x4", "p,v:vector", "torch.log10"},
	})
}

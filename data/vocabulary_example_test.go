package data_test

import (
	"encoding/json"
	"fmt"
	"log"
	"math"

	"github.com/gowalrus/gowalrus/data"
)

// flow returns a window of two frames on 2×4 points, periodic along x, with a wall at the
// low end of y and an open boundary at the high end.
func flow() *data.Window {
	return &data.Window{
		Name: "flow", Grid: []int{2, 4},
		Fields: []data.Field{{Name: "pressure"}, {Name: "velocity", Order: 1}, {Name: data.MaskName, Constant: true}},
		Boundaries: data.Boundaries{
			data.Both(data.Periodic),
			{Low: data.Wall, High: data.Open},
		},
		Frames:    [][]float32{make([]float32, 3*8), make([]float32, 3*8)},
		Constants: make([]float32, 8),
	}
}

// Validate names the part that does not fit.
func ExampleWindow_Validate() {
	w := flow()
	fmt.Println(w.Validate())
	w.Frames[1][8] = float32(math.NaN())
	fmt.Println(w.Validate())
	w.Frames[1] = make([]float32, 2*8)
	fmt.Println(w.Validate())
	w.Boundaries[1].High = data.BCUnset
	fmt.Println(w.Validate())
	// Output:
	// <nil>
	// window flow: frame 1: field velocity_x is NaN at [0 0]: expected finite values
	// window flow: frame 1: expected 24 values (3 channels [pressure velocity_x velocity_y] × grid [2 4]), got 16
	// window flow: axis 1: boundary of the high end is not set: expected wall, open or periodic
}

func ExampleWindow_Channels() {
	w := flow()
	fmt.Println(w.Channels(false), w.Channels(true), w.AxisNames(), w.Points())
	// Output: [pressure velocity_x velocity_y] [mask] [x y] 8
}

// The frames are shared, not copied.
func ExampleWindow_Slice() {
	first, err := flow().Slice(0, 1)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(first.Frames))
	_, err = flow().Slice(1, 5)
	fmt.Println(err)
	// Output:
	// 1
	// window flow has 2 frames: cannot take [1, 5)
}

// The network receives a 2D window with a third axis of length 1. Components along that axis
// are padding and not real.
func ExampleWindow_Volume() {
	v := flow().Volume()
	fmt.Println(v.Shape, v.Variable, v.Real, v.Constant)
	ids, err := v.IDs(data.MustRegistry("pressure", "velocity_x", "velocity_y", "velocity_z", data.MaskName))
	fmt.Println(ids, err)
	_, err = v.IDs(data.MustRegistry("pressure", "velocity_x"))
	fmt.Println(err)
	// Output:
	// [2 4 1] [pressure velocity_x velocity_y velocity_z] [true true true false] [mask]
	// [3 4 5 6 7] <nil>
	// data: the field registry has no velocity_y, velocity_z, mask; it knows pressure, velocity_x; to leave out a field that the forecast can do without, give its name: --drop NAME to gowalrus, drop: [NAME] in a recipe, Window.Drop in Go; a new field joins by finetuning: gowalrus finetune --data FOLDER
}

func ExampleVolume_Spread() {
	v := (&data.Window{Fields: []data.Field{{Name: "velocity", Order: 1}}, Grid: []int{1, 2}}).Volume()
	dst := make([]float32, 3*v.Points())
	if err := v.Spread(dst, []float32{1, 2, 3, 4}, v.Source); err != nil {
		log.Fatal(err)
	}
	own, err := v.Gather(dst)
	fmt.Println(v.Variable, dst, own, err)
	// Output: [velocity_x velocity_y velocity_z] [1 2 3 4 0 0] [1 2 3 4] <nil>
}

func ExampleField() {
	velocity, stress := data.Field{Name: "velocity", Order: 1}, data.Field{Name: "D", Order: 2}
	fmt.Println(velocity.Components(2), velocity.ComponentsOf([]string{"theta", "phi"}))
	fmt.Println(stress.Components(2), stress.ComponentCount(3))
	fmt.Println(data.Field{Name: "x", Order: 3}.Validate())
	// Output:
	// [velocity_x velocity_y] [velocity_theta velocity_phi]
	// [D_xx D_xy D_yx D_yy] 9
	// field "x": expected tensor order 0, 1 or 2, got 3
}

func ExampleParseBC() {
	for _, name := range []string{"wall", "closed", "open", "periodic", "sponge"} {
		b, err := data.ParseBC(name)
		fmt.Println(b, b.Code(), err)
	}
	// Output:
	// wall 0 <nil>
	// wall 0 <nil>
	// open 1 <nil>
	// periodic 2 <nil>
	// unset -1 data: boundary: expected wall, open or periodic, got "sponge"
}

func ExampleBCFromCode() {
	b, err := data.BCFromCode(2)
	fmt.Println(b, err)
	_, err = data.BCFromCode(3)
	fmt.Println(err)
	// Output:
	// periodic <nil>
	// data: boundary code: expected 0 (wall), 1 (open) or 2 (periodic), got 3
}

func ExampleParseBoundaries() {
	bs, err := data.ParseBoundaries("periodic,wall/open")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(bs, bs[0].IsPeriodic(), bs.Validate(2))
	fmt.Println(bs.Validate(3))
	// Output:
	// [periodic wall/open] true <nil>
	// boundaries: expected one per axis (3), got 2; there is no default
}

func ExampleBoundary_Validate() {
	fmt.Println(data.Both(data.Open).Validate())
	fmt.Println(data.Boundary{Low: data.Wall}.Validate())
	fmt.Println(data.Boundary{Low: data.Periodic, High: data.Wall}.Validate())
	// Output:
	// <nil>
	// boundary of the high end is not set: expected wall, open or periodic
	// boundary periodic/wall: an axis is periodic at both ends or at none
}

func ExampleBoth() {
	fmt.Println(data.Both(data.Wall) == data.Boundary{Low: data.Wall, High: data.Wall})
	// Output: true
}

// New names are appended to those of the weights; no index changes.
func ExampleRegistry_Extend() {
	r := data.ReleasedRegistry()
	more, err := r.Extend("pressure", "salinity")
	if err != nil {
		log.Fatal(err)
	}
	index, known := more.Index("salinity")
	fmt.Println(r.Len(), more.Len(), index, known)
	_, err = data.MustRegistry("pressure").Indices([]string{"pressure", "salinity", "humidity"})
	fmt.Println(err)
	// Output:
	// 67 68 67 true
	// data: the field registry has no salinity, humidity; it knows pressure
}

func ExampleMustRegistry() {
	r := data.MustRegistry("density", "velocity_x")
	fmt.Println(r.Names(), r.States())
	// Output: [closed_boundary open_boundary bias_correction density velocity_x] 5
}

// The indices of the boundary channels are fixed; the others may have gaps.
func ExampleNewRegistry() {
	r, err := data.NewRegistry(map[string]int{data.ClosedBoundary: 0, data.OpenBoundary: 1, data.BiasCorrection: 2, "density": 5})
	fmt.Println(r.Len(), r.States(), err)
	text, err := json.Marshal(r)
	fmt.Println(string(text), err)
	_, err = data.NewRegistry(map[string]int{"density": 0})
	fmt.Println(err)
	// Output:
	// 4 6 <nil>
	// {"closed_boundary":0,"open_boundary":1,"bias_correction":2,"density":5} <nil>
	// data: registry: expected "closed_boundary" at index 0, as in the release
}

func ExampleReleasedRegistry() {
	index, ok := data.ReleasedRegistry().Index("velocity_x")
	fmt.Println(index, ok)
	// Output: 4 true
}

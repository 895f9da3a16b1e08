package augment_test

import (
	"fmt"
	"log"
	"math/rand/v2"

	"github.com/gowalrus/gowalrus/augment"
	"github.com/gowalrus/gowalrus/data"
)

// channel returns a flow on 2×3 points between two walls. Its pressure counts the points,
// its velocity is 1 along x.
func channel() *data.Window {
	return &data.Window{
		Name: "channel", Grid: []int{2, 3},
		Fields:     []data.Field{{Name: "pressure"}, {Name: "velocity", Order: 1}},
		Boundaries: data.Boundaries{data.Both(data.Periodic), data.Both(data.Wall)},
		Frames:     [][]float32{{1, 2, 3, 4, 5, 6, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0}},
	}
}

// Embed makes a 2D window 3D; Unembed undoes it.
func ExampleEmbed() {
	volume, err := augment.Embed(channel())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(volume.Grid, volume.Channels(false), volume.Embedded)
	plane, err := augment.Unembed(volume, 2)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(plane.Grid, plane.Channels(false))
	// Output:
	// [2 3 1] [pressure velocity_x velocity_y velocity_z] true
	// [2 3] [pressure velocity_x velocity_y]
}

func ExampleUnembed() {
	volume, err := augment.Embed(channel())
	if err != nil {
		log.Fatal(err)
	}
	upright := augment.Rotation{Axes: [3]int{2, 1, 0}} // exchanges x and z
	turned, err := upright.Apply(volume)
	if err != nil {
		log.Fatal(err)
	}
	_, err = augment.Unembed(turned, 2)
	fmt.Println(err)
	back, err := upright.Inverse().Apply(turned)
	if err != nil {
		log.Fatal(err)
	}
	plane, err := augment.Unembed(back, 2)
	fmt.Println(plane.Grid, err)
	// Output:
	// augment: window channel: expected one point on axis 2 of grid [1 3 2]: turn it back first
	// [2 3] <nil>
}

func ExampleStride() {
	w := channel()
	for t := range 5 {
		w.Frames = append(w.Frames[:t:t], channel().Frames[0])
		w.Times = append(w.Times, 0.5*float32(t))
	}
	thin, err := augment.Stride(w, 2)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(thin.Frames), thin.Times)
	// Output: 3 [0 1 2]
}

// A quarter rotation moves the points and the walls and rotates the velocity.
func ExampleRotation_Apply() {
	quarter := augment.Rotation{Axes: [3]int{1, 0, 2}, Flip: [3]bool{false, true, false}}
	w, err := quarter.Apply(channel())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(quarter, w.Grid, w.Boundaries)
	f := w.Frames[0]
	fmt.Println("pressure", f[:6])
	fmt.Println("velocity", f[6:12], f[12:])
	// Output:
	// +y -x +z [3 2] [wall periodic]
	// pressure [4 1 5 2 6 3]
	// velocity [0 0 0 0 0 0] [-1 -1 -1 -1 -1 -1]
}

// One rotation is drawn for a whole batch. InPlane selects rotations about the third axis, which
// suit 2D windows that are not embedded.
func ExampleRandom() {
	rng := rand.New(rand.NewPCG(1, 2))
	rotation := augment.Random(rng, augment.InPlane(augment.Rotations()))
	for range 2 {
		w, err := rotation.Apply(channel())
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(rotation, w.Grid)
	}
	// Output:
	// -x -y +z [2 3]
	// -x -y +z [2 3]
}

func ExampleRotations() {
	for _, t := range augment.InPlane(augment.Rotations()) {
		fmt.Println(t, t.Proper())
	}
	fmt.Println("of", len(augment.Rotations()))
	// Output:
	// -x -y +z true
	// +x +y +z true
	// -y +x +z true
	// +y -x +z true
	// of 24
}

// The full group contains reflections: do not use it with pseudovectors such as a magnetic
// field.
func ExampleOctahedral() {
	proper := 0
	for _, t := range augment.Octahedral() {
		if t.Proper() {
			proper++
		}
	}
	fmt.Println(len(augment.Octahedral()), "of which rotations:", proper)
	// Output: 48 of which rotations: 24
}

func ExampleInPlane() {
	fmt.Println(len(augment.InPlane(augment.Rotations())), len(augment.InPlane(augment.Octahedral())))
	// Output: 4 8
}

func ExampleRotation_Then() {
	quarter := augment.Rotation{Axes: [3]int{1, 0, 2}, Flip: [3]bool{true, false, false}}
	half := quarter.Then(quarter)
	fmt.Println(half, half.Matrix())
	fmt.Println(half.Then(half) == augment.Identity(), quarter.Then(quarter.Inverse()) == augment.Identity())
	// Output:
	// -x -y +z [[-1 0 0] [0 -1 0] [0 0 1]]
	// true true
}

func ExampleIdentity() {
	w, err := augment.Identity().Apply(channel())
	fmt.Println(w.Frames[0][:6], err)
	fmt.Println(augment.Rotation{}.Validate()) // the zero Rotation is invalid
	// Output:
	// [1 2 3 4 5 6] <nil>
	// augment: rotation: expected a permutation of 0, 1, 2, got [0 0 0]
}

package steer_test

import (
	"fmt"
	"log"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/steer"
)

// A density that stays positive and keeps its integral, and a sensor whose readings of two
// steps are known.
func Example() {
	o := walrus.EmulatorOptions{ /* Backend: … */ }
	o.Between = steer.Sequence(
		steer.Positive("density"),
		steer.RescaleMean("density"),
		steer.Nudge(steer.Observations{Channel: "density", Points: []int{3}, Values: [][]float32{{5}, {6}}}),
	)

	// What the emulator does after the first step:
	history := &data.Window{Grid: []int{4}, Fields: []data.Field{{Name: "density"}}, Boundaries: data.Boundaries{data.Both(data.Periodic)},
		Frames: [][]float32{{1, 2, 3, 4}}}
	frame := *history
	frame.Frames = [][]float32{{-1, 2, 1, 2}}
	if err := o.Between(1, history, &frame); err != nil {
		log.Fatal(err)
	}
	fmt.Println(frame.Frames[0])
	// Output: [0 4 2 5]
}

// The values of an inlet at the low end of the first axis stay those of the history.
func ExampleHold() {
	inlet, err := steer.BoundaryPoints([]int{3, 2}, 0, false, 1)
	if err != nil {
		log.Fatal(err)
	}
	history := &data.Window{Grid: []int{3, 2}, Fields: []data.Field{{Name: "pressure"}}, Boundaries: data.Boundaries{data.Both(data.Open), data.Both(data.Wall)},
		Frames: [][]float32{{1, 1, 0, 0, 0, 0}}}
	frame := *history
	frame.Frames = [][]float32{{0.9, 1.2, 0.5, 0.5, 0, 0}}
	if err := steer.Hold(inlet, "pressure")(1, history, &frame); err != nil {
		log.Fatal(err)
	}
	fmt.Println(inlet, frame.Frames[0])
	// Output: [0 1] [1 1 0.5 0.5 0 0]
}

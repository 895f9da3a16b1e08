package sample_test

import (
	"fmt"
	"log"

	"github.com/gowalrus/gowalrus/data/sample"
)

func ExampleLoad() {
	set, err := sample.Load()
	if err != nil {
		log.Fatal(err)
	}
	w := set.Test[0]
	fmt.Println(len(set.Train), len(set.Valid), len(set.Test))
	fmt.Println(w.Name, w.Grid, len(w.Frames), "frames of", w.Channels(false))
	fmt.Println("x:", w.Boundaries[0], "y:", w.Boundaries[1])
	fmt.Printf("last time %.1f\n", w.Times[len(w.Times)-1])
	// Output:
	// 6 2 2
	// test.0 [48 48] 31 frames of [pressure velocity_x velocity_y]
	// x: wall/open y: wall/open
	// last time 2.0
}

func ExampleSet_Dataset() {
	set, err := sample.Load()
	if err != nil {
		log.Fatal(err)
	}
	ds, err := set.Dataset("train")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(ds.Metadata().Name, len(ds.Trajectories()), "trajectories")
	// Output: acoustic_scattering_inclusions 6 trajectories
}

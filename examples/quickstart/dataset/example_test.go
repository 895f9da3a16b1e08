package dataset_test

import (
	"fmt"

	"github.com/gowalrus/gowalrus/examples/quickstart/dataset"
)

func ExampleLoad() {
	set, err := dataset.Load()
	if err != nil {
		fmt.Println(err)
		return
	}
	tr := set.Test[0]
	fmt.Println(len(set.Train), len(set.Valid), len(set.Test))
	fmt.Println(tr.Name, tr.Shape, len(tr.Frames), "frames of", tr.ChannelNames(false))
	fmt.Println("x:", tr.Boundaries[0], "y:", tr.Boundaries[1])
	fmt.Printf("last time %.1f\n", tr.Times[len(tr.Times)-1])
	// Output:
	// 6 2 2
	// test.0 [48 48] 31 frames of [pressure velocity_x velocity_y]
	// x: wall/open y: wall/open
	// last time 2.0
}

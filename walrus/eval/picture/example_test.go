package picture_test

import (
	"bytes"
	"fmt"
	"log"
	"math"
	"time"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus/eval/picture"
)

// wave returns a wave that moves along x, on a periodic grid.
func wave(grid ...int) *data.Window {
	w := &data.Window{Name: "wave", Grid: grid, Fields: []data.Field{{Name: "height"}}}
	for range grid {
		w.Boundaries = append(w.Boundaries, data.Both(data.Periodic))
	}
	row := w.Points() / grid[0]
	for t := range 4 {
		frame := make([]float32, w.Points())
		for i := range frame {
			frame[i] = float32(math.Sin(2*math.Pi*float64(i/row)/float64(grid[0]) - 0.5*float64(t)))
		}
		w.Frames = append(w.Frames, frame)
	}
	return w
}

func ExampleCompare() {
	truth := wave(16, 8)
	forecast := [][]float32{truth.Frames[0], truth.Frames[0], truth.Frames[0], truth.Frames[0]} // persistence
	panels, err := picture.Compare(truth, forecast, picture.Options{Title: "wave"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(panels), panels[3].Title, panels[3].Columns)
	var gif bytes.Buffer
	if err := picture.EncodeGIF(&gif, panels, 200*time.Millisecond); err != nil {
		log.Fatal(err)
	}
	fmt.Println(gif.String()[:6])
	// Output:
	// 4 wave: step 4 of 4 [truth forecast error]
	// GIF89a
}

// A 3D field has a plane across each axis and a projection.
func ExampleFrames() {
	panels, err := picture.Frames(wave(8, 8, 4), picture.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(panels[0].Columns, panels[0].Rows[0].Label)
	// Output: [x = 4 y = 4 z = 2 max along z] height
}

package picture_test

import (
	"testing"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/sweep"
	"github.com/gowalrus/gowalrus/walrus/eval/picture"
)

// TestNonsense: no function panics on bad input.
func TestNonsense(t *testing.T) {
	w := &data.Window{Fields: []data.Field{{Name: "density"}}, Grid: []int{3, 2}, Boundaries: data.Boundaries{data.Both(data.Wall), data.Both(data.Open)},
		Frames: [][]float32{{1, 2, 3, 4, 5, 6}, {2, 3, 4, 5, 6, 7}}}
	panels, err := picture.Frames(w, picture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	sweep.Run(t, sweep.Package{
		Funcs: []any{picture.Compare, picture.EncodeGIF, picture.EncodePNG, picture.Extent, picture.Frames, picture.GIF,
			picture.PNG, picture.Symmetric},
		Types:   []any{new(picture.ColorMap), new(picture.Panel)},
		Values:  []any{w, w.Frames, panels, panels[0]},
		Strings: []string{"density"},
		Calls:   100,
	})
}

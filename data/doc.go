// Package data holds the vocabulary of the project: fields and the registry
// that gives each its index, boundary conditions per axis and side, and the
// windows of frames that walk between files, training and emulation. It also
// says how windows are drawn: from one data set ([Windows]), from many
// ([Mixture]), and ahead of time ([Loader]).
//
//	windows, err := data.NewWindows(ds, data.Cut{Input: 6, Output: 1})
//	mix, err := data.NewMixture([]data.System{{Name: "flow", Windows: windows, Batch: 2}}, data.MixtureOptions{Seed: 1})
//	for draw, ok := mix.Next(); ok; draw, ok = mix.Next() {
//		for _, span := range draw.Spans {
//			w, err := ds.Read(ctx, span, nil)
//			…
//		}
//	}
//
// Values are host float32 in physical units. Data sets in files are in the
// packages below this one.
package data

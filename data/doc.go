// Package data defines fields and their registry, boundary conditions, and the windows of
// frames that files, training and emulation exchange. It also draws windows: from one data
// set ([Windows]), from a mixture of data sets ([Mixture]), and ahead of their use
// ([Loader]).
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
// Values are float32 on the host, in physical units. The packages below this one read data
// sets from files and generate them.
package data

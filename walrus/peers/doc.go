// Package peers opens the networks that the Walrus paper compares Walrus with (appendix
// B.3), Poseidon, DPOT and MPP, and plain references, as forecasters of windows:
//
//	f, err := peers.Open("Poseidon-T", peers.Options{Backend: b, Statistics: stats})
//	…
//	for frame, err := range f.Rollout(ctx, window, 20) {
//		…
//	}
//
// A [Network] satisfies [walrus.Forecaster], so evaluations, reports and programs take it in
// place of an emulator. The packages below this one hold the networks themselves, for own
// graphs.
//
// A Network is also a [train.Network], so that the library's trainer finetunes it with the
// loss of the original. [OpenFor] adapts it to the fields and the grid of a data set:
//
//	n, fresh, err := peers.OpenFor("Poseidon-T", dataset.Metadata(), peers.Options{Backend: b, Statistics: stats}, 1)
//	…
//	run, err := train.NewRunFor(n, train.RunOptions{
//		Dir: "runs/mine", Trainer: train.Options{Backend: b}, Epochs: 20,
//		Systems: []train.System{{Name: "mine", Train: learn, Valid: valid, Cut: data.Cut{Input: n.History(2)}}},
//	})
//
// Two plain references are trained from scratch, for comparisons: a Fourier neural operator
// (package fno) and a U-Net (package unet). [OpenFor] makes them by their names.
//
// The networks know neither boundaries (MPP and the U-Net know periodic axes) nor masks nor constant
// fields, and each is bound to its channels:
//
//   - Poseidon has named channels: density, two components of velocity, and pressure in the
//     published weights. It continues one frame.
//   - DPOT has a number of channels without names: those of the window in their order. The
//     missing channels are 1. It continues ten frames.
//   - MPP has a column of weights for each field that it knows; see [mpp.Fields]. It continues
//     any number of frames, 16 in its training and 6 in the comparison of the Walrus paper.
//
// Poseidon and DPOT need values of the size that they were trained on. [Options.Statistics]
// normalises each channel by its mean and standard deviation over the data set, as the Walrus
// paper did. Without it Poseidon gets the constants of its pretraining and DPOT the raw
// values, as in the originals. MPP normalises by itself.
package peers

// Package mpp implements the axial vision transformer (AViT) of Multiple Physics
// Pretraining (MPP, arXiv 2310.02994), one of the networks that the Walrus paper compares
// itself with (appendix B.3). The package holds its published variants, builds its graph on
// gomlx, and reads and writes its published weight files.
//
//	w, report, err := mpp.Load("MPP_AViT_Ti", walrus.LoadOptions{})
//	…
//	e, err := mpp.NewEmulator(w, backend)
//	…
//	system := mpp.System{Labels: []int{4, 5}} // activator and inhibitor
//	for frame, err := range e.Rollout(ctx, frames, []int{16, 1, 2, 128, 128}, system, 20) {
//		…
//	}
//
// [Config] describes a network, [Model] builds its graph, [Weights] holds its tensors,
// [Emulator] runs it, and [Loss] is the loss of its training.
//
// The network maps frames of a 2D system to its next frame, in the units of the input. It
// normalises each field by the mean and the standard deviation of the given frames, mixes
// the fields with one column of weights for each known field ("state"), cuts frames into
// patches of 16 × 16 points, and applies blocks of attention over time and of attention
// along both axes of space. Height and width of a frame must be multiples of 16; the number
// of frames and the number of fields may vary.
//
// Parameters have the names and shapes of the original's state dict, and results equal the
// original's to float32 rounding. [Load] reads the published files, which hold a state dict
// alone, and the files of the original's trainer; the configuration follows from the shapes
// of the tensors.
//
// # Peculiarities of the original
//
// The published weights were trained with the following, so this package has them, too:
//
//   - The network predicts the next frame, not the change to it (a comment in the original
//     says the opposite).
//   - The norm of the encoder, of attention over space and of the decoder divides by the
//     standard deviation about the mean but does not subtract the mean. Its bias is in the
//     state dict and has no effect. On a field that is constant over space it divides by
//     1e-8.
//   - Standard deviations are unbiased, but the norm of attention over time has the biased
//     one.
//   - The mixing of fields, its bias included, is multiplied by √(States/C) for C fields.
//     If weights get more states ([Weights.Expand]), the forecasts of all fields change.
//   - Attention over time sees all frames, earlier and later. Only the last frame's
//     prediction is returned.
//   - On a periodic axis with an odd number of tokens, distances above half the axis do not
//     wrap to the shortest way; with an even number, half the axis has two biases, one for
//     each direction. Walls and open boundaries are not distinguished.
//   - The MLP of a block acts on its input without a norm; the norm comes after it.
//
// The letters of shapes are T time, B batch, C channels, H W space, E the width of a token,
// N heads, K = E/N the head width, and h w the token grid.
package mpp

// Package poseidon implements Poseidon's network scOT (arXiv 2405.19101), one of the networks
// that the Walrus paper compares itself with (appendix B.3). The package holds its published
// variants, builds its graph on gomlx, and reads and writes its published folders.
//
//	w, report, err := poseidon.Load("Poseidon-T", walrus.LoadOptions{})
//	…
//	em, err := poseidon.NewEmulator(w, backend)
//	…
//	for frame, err := range em.Rollout(ctx, x, []int{1, 4, 128, 128}, 20) {
//		…
//	}
//
// [Config] describes a network, [Model] builds its graph, [Weights] holds its tensors,
// [Emulator] runs it, and [Config.Loss] is the loss of its training.
//
// The network maps one frame of a 2D system and a lead time to the frame after that time. It
// cuts the frame into patches and applies a U-shaped SwinV2: stages of attention within
// windows, on token grids that become coarser in the encoder and finer in the decoder,
// with ConvNeXt blocks in between. The lead time sets scale and shift of every norm. The
// published weights have four channels, density, horizontal velocity, vertical velocity and
// pressure, and squares of 128 points. [Config.CheckGrid] says which other grids a network
// takes; [Weights.WithGrid] and [Weights.WithChannels] make networks for other data.
//
// Parameters have the names and shapes of the original's state dict, and results equal the
// original's to float32 rounding. [Load] reads config.json with model.safetensors or
// pytorch_model.bin, the files of camlab-ethz/Poseidon-T, -B and -L on the model hub. The
// original's repository states no licence.
//
// # Peculiarities of the original
//
// The published weights were trained with the following, so this package has them, too:
//
//   - The mask of shifted windows is added twice: −200 instead of −100, which matters where
//     the factor of the cosines is at its limit of 100.
//   - The decoder has the blocks of a stage in reverse order: the first of an even number of
//     blocks has shifted windows.
//   - The input of an encoder stage is added again before its tokens are joined for the next
//     stage, but not to the output for the decoder.
//   - Tokens that pad the grid to whole windows take part in the attention.
//   - The size of the windows follows the rows of the token grid, and windows are shifted
//     if (rows, columns) is greater than (window, window) in lexicographic order.
//   - The variance in conditioned norms is mean(x²) − mean(x)², which loses digits if the mean
//     is large.
//   - Keys have no bias. The convolution after the recovery of patches has none either.
//   - Resampling loses half of the highest frequency of grids that it refines; see [Resample].
//   - On a grid that is not a square the original fails. The adaptation of the Walrus paper
//     follows rows and columns separately and leaves the rules for windows as they are. With
//     a larger grid, stages whose windows were cut to the training grid get larger windows,
//     and their position bias is computed for other offsets than in training.
//
// Drop path and dropout are not implemented: all published configurations have rates of 0.
//
// The letters of shapes are B batch, C channels, H W space, h w the token grid, D the width of
// a token, E that of the first stage, L = h·w tokens, N heads, K = D/N the head width, and S
// the tokens of a window.
package poseidon

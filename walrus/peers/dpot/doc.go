// Package dpot implements DPOT, the auto-regressive denoising pre-training operator
// transformer (arXiv 2403.03542), one of the networks that the Walrus paper compares itself
// with (appendix B.3). The package holds its published variants in 2D and the 3D network of
// the comparison, builds their graphs on gomlx, and reads and writes the published weight
// files.
//
//	w, report, err := dpot.Load("model_Ti.pth", walrus.LoadOptions{})
//	…
//	m, err := dpot.NewModel(w.Config())
//	…
//	// In a graph: x [B, X, Y, T, C], ten frames of four channels.
//	next := m.Forward(m.Weights(vars), x).Y
//
// The network cuts each frame, with the coordinates of its points and its time, into
// patches, merges the frames' tokens by a learned function of time, mixes the tokens with an
// MLP on their Fourier transform (AFNO), and returns the next frame: the field itself, not
// its change. A system with fewer channels than the network gets channels of the constant 1
// ([PadChannels]).
//
// Parameters have the names and shapes of the original's state dict. Results equal the
// original's to float32 rounding, with one extension: grids other than that of the weights
// interpolate the position embedding, as the Walrus paper does for its comparison.
//
// The letters of shapes are B batch, X Y Z space (X… for two or three axes), n… the axes of
// the token grid, T time, C channels, and E the width of a token.
package dpot

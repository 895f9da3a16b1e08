// Package mpp implements the axial vision transformer (AViT) of Multiple Physics
// Pretraining (MPP, arXiv 2310.02994), one of the networks that the Walrus paper compares
// itself with (appendix B.3). The package holds its published variants, builds its graph on
// gomlx, and reads and writes its published weight files.
//
//	w, report, err := mpp.Load("MPP_AViT_Ti", walrus.LoadOptions{})
//	…
//	m, err := mpp.NewModel(w.Config())
//	…
//	// In a graph: x [T, B, C, H, W] in physical units, labels [C] the columns of its fields.
//	next := m.Forward(m.Weights(vars), mpp.Inputs{X: x, Labels: labels, Periodic: [2]bool{true, true}})
//
// The network maps frames of a 2D system to its next frame, in the units of the input. It
// normalises each field by the mean and the standard deviation of the given frames, mixes
// the fields with one column of weights for each known field ("state"), cuts frames into
// patches of 16 × 16 points, and applies blocks of attention over time and of attention
// along both axes of space. Height and width of a frame must be multiples of 16; the number
// of frames and the number of fields may vary.
//
// Parameters have the names and shapes of the original's state dict. Results equal the
// original's to float32 rounding; docs/peers.md lists the peculiarities of the original
// that this takes.
//
// The letters of shapes are T time, B batch, C channels, H W space, E the width of a token,
// N heads, K = E/N the head width, and h w the token grid.
package mpp

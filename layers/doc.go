// Package layers holds the building blocks of Walrus (arXiv 2511.15684) as
// functions on gomlx graph nodes.
//
// Every block comes in two forms. The pure function takes its parameters as
// explicit nodes and can be tested with five lines:
//
//	y := layers.RMSGroupNorm(x, weight, layers.NormConfig{})
//
// and a builder in the manner of gomlx creates its variables in a scope, under
// the names the released weights use:
//
//	y := layers.NewRMSGroupNorm(scope, x).Done()
//
// Names, shapes and initial values of a block's parameters are stated once, in
// its Weights method, which asks a [Vars] for each of them. The same method
// serves gomlx scopes, explicit parameter nodes, and listing by shape alone.
//
// # Shapes
//
// T time, B batch, F = T·B frames, C channels, H W D space, S = H·W·D tokens,
// G norm groups, N heads, K head width. Fields of the user are
// [T, B, C, H, W, D] as in the release. Tokens are kept channels last,
// [F, S, C] or [F, H, W, D, C], because every operation on tokens is a matrix
// product over C; only the edges of the model transpose.
//
// # Errors
//
// As is gomlx's habit these functions panic with an error while a graph is
// being built when shapes do not fit. The packages that build and run whole
// programs turn that into a returned error.
package layers

// Package layers implements the building blocks of Walrus (arXiv 2511.15684) as functions
// on gomlx graph nodes.
//
// Every block has two forms. The pure function receives its parameters as nodes, which
// makes it easy to test:
//
//	y := layers.RMSGroupNorm(x, weight, layers.NormConfig{})
//
// The builder, in the manner of gomlx, creates the parameters as variables in a scope,
// under the release's names:
//
//	y := layers.NewRMSGroupNorm(scope, x).Done()
//
// The Weights method of a block states the names, shapes and initial values of its
// parameters once: it gets each of them from a [Vars]. The same method serves gomlx scopes,
// explicit parameter nodes, and lists of shapes.
//
// # Shapes
//
// T time, B batch, F = T·B frames, C channels, H W D the spatial axes, S = H·W·D tokens, G
// norm groups, N heads, K head width. The user's fields are [T, B, C, H, W, D] as in the
// release. Tokens have channels last, [F, S, C] or [F, H, W, D, C], because every operation
// on tokens is a matrix product over C; only the model's input and output are transposed.
//
// # Errors
//
// Like gomlx, these functions panic with an error if shapes do not fit while a graph is
// built. The packages that build and run whole programs return that error.
package layers

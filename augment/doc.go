// Package augment transforms windows of training data in ways that the physics allows
// (paper §4.1): it embeds 1D and 2D windows in 3D, rotates them by multiples of 90 degrees,
// reflects them, and leaves out frames.
//
//	w, err = augment.Embed(w)                     // a plane as a thin volume
//	turn := augment.Random(rng, augment.Rotations()) // one for the whole batch
//	w, err = turn.Apply(w)
//
// A turn moves the points of the grid and transforms the components by the tensor laws:
// scalars stay, vectors become R·u, tensors of order 2 become R·T·Rᵀ. Boundaries, masks and
// constant fields are transformed like the fields. As in the release, pseudovectors
// (vorticity, magnetic field) are treated as vectors, so their sign is wrong after a
// reflection. The release draws from [Rotations], which contains no reflections.
//
// The network is not equivariant by construction: it learns from rotated data. In
// experiments/rotation, rotating the input changes the forecast of a small network by 36 to
// 42 % of the forecast change, and by 19 to 22 % after training on rotated windows.
package augment

// Package augment changes windows of training data in ways that the physics
// allows (paper §4.1): planes become thin volumes, volumes are turned by
// multiples of 90 degrees and reflected, frames are left out.
//
//	w, err = augment.Embed(w)                     // a plane as a thin volume
//	turn := augment.Random(rng, augment.Rotations()) // one for the whole batch
//	w, err = turn.Apply(w)
//
// A turn moves the grid and, by the tensor laws, the components: scalars stay,
// vectors become R·u, tensors of order 2 become R·T·Rᵀ. Boundaries, masks and
// constant fields turn with the fields. Pseudovectors (vorticity, a magnetic
// field) are vectors here as in the release, so their sign is wrong after a
// reflection; [Rotations], which the release draws from, holds none.
//
// The network is not equivariant by construction: it learns from turned data. In
// experiments/rotation a small one changes its forecast by 36 to 42 % of the
// forecast change when its input is turned, and by 19 to 22 % after training on
// turned windows.
package augment

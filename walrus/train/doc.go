// Package train trains a network of package walrus.
//
// The work of one update is cut into programs that compile once each
// (DESIGN: gradients and updates are separate):
//
//	grads(params, batch) → loss, grads     once per shape class
//	accumulate(sum, grads) → sum           once per set of parameters
//	update(params, m, v, grads) → …        once per set of parameters
//
// A shape class is a grid with its boundaries, the numbers of steps, samples
// and channels. Micro-batches of different classes, 2D beside 3D, accumulate
// into the same update.
//
// Every random number, jitter shifts, latent rolls, dropped paths and fields, is drawn
// on the host from a seeded generator and fed to the programs.
package train

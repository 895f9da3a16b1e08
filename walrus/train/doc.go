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
//
// A [Trainer] makes single updates, for loops of one's own. A [Run] is the loop: it
// draws micro-batches of several data sets (data.Mixture), reads ahead, follows a
// [Schedule], judges by forecasts of validation data, logs and saves:
//
//	run, err := train.NewRun(weights, train.RunOptions{
//		Dir: "runs/mine", Trainer: train.Options{Backend: b}, Epochs: 20,
//		Systems: []train.System{{Name: "mine", Train: learn, Valid: valid}},
//	})
//	…
//	err = run.Go(ctx)
//
// Its folder holds the checkpoints last and best (see walrus.SaveCheckpoint),
// log.jsonl with one line per update and validation, and TensorBoard's event files.
// A run of the same options on the same backend that was interrupted or killed at
// any moment goes on bit for bit.
package train

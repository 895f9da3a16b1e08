// Package train trains networks: those of package walrus, and any other that is a [Network].
//
// Three kinds of programs compute one update. Gradients and updates are separate programs,
// so that one update can use micro-batches of different shapes:
//
//	grads(params, batch) → loss, grads     once per shape class
//	accumulate(sum, grads) → sum           once per set of parameters
//	update(params, m, v, grads) → …        once per set of parameters
//
// A shape class is a grid with its boundaries and the numbers of steps, samples and
// channels. Micro-batches of different classes, for example 2D and 3D, accumulate into the
// same update.
//
// All random numbers (jitter shifts, latent rolls, dropped paths and fields) are drawn on
// the host from a seeded generator and are inputs of the programs.
//
// A [Trainer] computes single updates, for custom training loops. A [Run] is the library's
// loop: it draws micro-batches of several data sets (data.Mixture), reads ahead, follows a
// [Schedule], validates by forecasts of validation data, logs and saves:
//
//	run, err := train.NewRun(weights, train.RunOptions{
//		Dir: "runs/mine", Trainer: train.Options{Backend: b}, Epochs: 20,
//		Systems: []train.System{{Name: "mine", Train: learn, Valid: valid}},
//	})
//	…
//	err = run.Train(ctx)
//
// Its folder holds the checkpoints last and best (see walrus.SaveCheckpoint),
// log.jsonl with one line per update and validation, and TensorBoard's event files.
// A run that was interrupted or killed at any moment can be resumed with the same options
// on the same backend; its results are the same bit for bit.
package train

// Package recipe turns a YAML file into a training run: it opens the data sets and
// the weights that the file names and fills train.RunOptions. Everything it does can
// be done in Go with package walrus/train; it is what the example programs share.
//
//	name: shear
//	seed: 1
//	network: {preset: tiny, hidden: 96}   # a preset and what differs from it
//	data:
//	  - path: datasets/shear_flow
//	epochs: 20
//	updates: 500                          # of an epoch
//	schedule: {base: 1e-3, warmup: 2, cooldown: 4}
//
// A key that is not known is an error, and so is a value of the wrong kind; both
// name the line. Keys left out have the release's values where it has any.
package recipe

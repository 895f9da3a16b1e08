// Package recipe builds a training run from a YAML file: it opens the data sets and the
// weights that the file names and fills train.RunOptions. The subcommands train and
// finetune of cmd/gowalrus use it; programs can do the same in Go with package
// walrus/train.
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
// weights names a checkpoint to start from, in place of network. Weights of Poseidon, DPOT and
// MPP are adapted to the one data set of the recipe; fno and unet are new networks for it.
//
// A data set can be simulated while the training runs, by a system of package
// data/solve:
//
//	data:
//	  - simulate: euler_periodic
//	    grids: [[32, 32], [64, 64], [48, 32]]             # default: the system's variety
//	    boundaries: ["periodic,periodic", "wall,open"]    # default: the system's variety
//	    combinations: 4        # of the 6 pairs of grid and boundaries; -1: all; default: 3,
//	                           # with which each grid and each boundaries come
//	    weight: 1              # divided equally among the pairs
//	    rotations: mirrors
//	    frames: 24             # of a trajectory
//	    windows_per_run: 4     # drawn from a trajectory before it is left for ever
//	    runs: 0                # trajectories of each pair, which then repeat; 0: without end
//	    valid: 2               # trajectories of each pair to judge the run by; -1: none
//	    # start: vortices      # initial states of one kind; default: drawn
//	    # interval: 0.05       # time between frames; default: drawn
//	    # parameters: {gamma: 1.4}                        # default: drawn
//	simulation:                # for all entries together
//	  seed: 3                  # default: the seed of the recipe
//	  workers: 2               # simulations at the same time; default: processors
//	  ahead: 32                # micro-batches by which they run ahead of training
//	  memory_bytes: 1073741824 # of trajectories in memory
//	  cache: trajectories      # folder of simulated trajectories; default: none
//	  cache_bytes: 4294967296  # the oldest files are removed above this size
//
// Each pair of a grid and boundaries is a data set with a name such as
// euler_periodic_48x32_wall-open, and needs an XLA compilation. Simulated entries also
// have the keys name, batch and history. An interrupted run resumes with the
// trajectories that it would have seen.
//
// An unknown key and a value of the wrong kind are errors that name the line. Missing
// keys have the release's values if it has any.
package recipe

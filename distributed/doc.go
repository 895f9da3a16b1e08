// Package distributed describes how one network is trained on many devices of one or several
// hosts (paper §4.2). Package train does the training.
//
// Devices form a [Mesh] of groups. Inside a group parameters, gradients and moments are
// sharded; every group holds a whole copy. Groups are independent: each draws its own
// data sets and runs its own programs, so one group can train in 2D while another
// trains in 3D. Groups meet once per update, in an all-reduce of their gradients.
//
//	run, err := train.NewRun(weights, train.RunOptions{
//		Trainer: train.Options{Backend: b, Mesh: distributed.Hybrid(2, 4)},
//		…
//	})
//
// trains on eight devices of a host. Recipe, log and checkpoints are those of one device,
// and a run can resume on any other mesh. A custom training loop calls
// train.Trainer.StepFrom.
//
// Groups of several processes meet through an [Engine]; package distributed/mpi
// implements it. Every process has the same mesh and draws batches for its groups;
// process 0 writes.
//
// [Estimate] computes the memory that a training needs on each device, and [Smallest]
// the smallest mesh that it fits on. Package distributed/ladder simulates the
// throughput of a cluster.
//
// # Invariants
//
// An update equals that of one device that runs the micro-batches of all groups one
// after the other. The tensors of the blocks are flattened, padded with zeros and cut
// into equal pieces, so that any number of devices works; encoders and decoders are
// whole on every device. Inside a group XLA inserts the communication between devices
// (AutoSharding); between groups gradients are summed on the host. Several devices
// exist on XLA only; the mesh of one device works on every backend.
package distributed

// Package distributed trains one network on many devices: the devices of a host, or
// those of many hosts (paper §4.2).
//
// Devices form a [Mesh] of groups. Inside a group parameters, gradients and moments
// are sharded; every group holds a whole copy. Groups work on their own: each draws
// its own data sets and runs its own programs, 2D beside 3D, and meets the others once
// per update, when gradients are added up.
//
//	run, err := train.NewRun(weights, train.RunOptions{
//		Trainer: train.Options{Backend: b},
//		Machine: distributed.Machine(distributed.Options{Mesh: distributed.Hybrid(2, 4)}),
//		…
//	})
//
// trains on eight devices of a host as [train.NewRun] does on one: the same recipe, log
// and checkpoints, which any other mesh can go on from. A loop of one's own calls
// [Trainer.Step].
//
// Groups of several processes meet through an [Engine]; package distributed/mpi is one.
// Every process has the same mesh and draws for its own groups; process 0 writes.
//
// [Estimate] says what a training takes of each device, [Smallest] which mesh it fits;
// package distributed/ladder simulates what a cluster makes of it.
//
// # Invariants
//
// An update is that of one device that runs the micro-batches of all groups one after
// the other. Tensors of the blocks are flat and cut into equal pieces, padded with
// zeros, so that any number of devices fits; encoders and decoders are whole on every
// device. Inside a group XLA inserts what devices must tell each other (AutoSharding);
// between groups gradients are added up on the host. Several devices exist on XLA only;
// the mesh of one works on every backend.
package distributed

// Package distributed trains one network on many devices: the devices of a host, or
// those of many hosts (paper §4.2).
//
// Devices form a [Mesh] of groups. Inside a group parameters, gradients and moments
// are sharded; every group holds a whole copy. Groups work on their own: each draws
// its own data sets and runs its own programs, 2D beside 3D, and meets the others once
// per update, when gradients are added up.
//
// Groups of several processes meet through an [Engine]; package distributed/mpi is
// one.
package distributed

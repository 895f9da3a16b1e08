// Package mpi connects the processes of a run through MPI. Its [Engine] is a
// distributed.Engine for programs that mpirun, srun or a cluster's own command starts
// once per rank:
//
//	engine, err := mpi.Start()
//	if err != nil {
//		return err
//	}
//	if err := work(engine); err != nil {
//		engine.Abort(err) // ends all ranks, this one included
//	}
//	return engine.Close()
//
// Started without any of these, a program is the only rank of its run.
//
// # Building
//
// The package needs cgo, an MPI library and the build tag mpi; without them it builds
// all the same, and Start returns an error that says so. Open MPI is found through
// pkg-config (on Debian: packages libopenmpi-dev, openmpi-bin and pkg-config; elsewhere
// PKG_CONFIG_PATH may have to name the folder that holds ompi.pc):
//
//	go build -tags mpi ./...
//	mpirun -n 4 ./program
//
// With the second tag mpicc no flags are asked for; they are the compiler's own, or come
// from CGO_CFLAGS and CGO_LDFLAGS. This is for any other MPI of version 3 or later, and
// was tried with MPICH:
//
//	CC=mpicc go build -tags mpi,mpicc ./...
//
// # Failure
//
// All ranks end within seconds when one of them fails. A rank that calls Abort prints
// its number and the cause. One that panics, exits, or is killed is named by Open MPI's
// mpirun: "process rank 2 with PID 812 on node n4 exited on signal 9". For a host that
// crashes mpirun names the host. It looks after one that falls silent, its cable pulled,
// after five minutes; to look every ten seconds, start the run with
//
//	mpirun --mca oob_tcp_keepalive_time 10 --mca oob_tcp_keepalive_intvl 2 --mca oob_tcp_keepalive_probes 3 …
//
// # Threads
//
// One goroutine, locked to its thread, makes all calls to MPI; others hand theirs over
// to it. MPI then needs no more than MPI_THREAD_FUNNELED, which every library offers
// and which costs it no locks. That thread never waits inside MPI: it begins transfers
// and polls them, with pauses of at most 0.1 ms. So sums advance while the caller
// computes, a context can end a wait, and Abort works whatever is under way.
//
// # Order
//
// All ranks must make the same calls in the same order. Before anything is
// transferred, the ranks compare kind, length and root of the call. Where these differ
// every rank gets an error that says what was called; nothing hangs, nothing is summed
// wrongly.
//
// # Memory
//
// Values travel in pieces of 1 to 4 MB, up to 4 at once, through buffers outside Go's
// heap. Go returns heap pages to the system and takes others at the same address
// without MPI's noticing, and network cards that write to memory by themselves would go
// on writing to the old ones.
package mpi

// Package mpi connects the processes of a run through MPI. Its [Engine] is a
// distributed.Engine for programs that mpirun, srun or the command of a cluster starts
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
// A program started without any of these is the only rank of its run.
//
// # Building
//
// The package needs cgo, an MPI library and the build tag mpi. Without them it
// compiles, and Start returns an error that says so. Open MPI is found through
// pkg-config (on Debian: packages libopenmpi-dev, openmpi-bin and pkg-config; elsewhere
// PKG_CONFIG_PATH may have to name the folder that holds ompi.pc):
//
//	go build -tags mpi ./...
//	mpirun -n 4 ./program
//
// With the second tag mpicc the package asks pkg-config for no flags; the compiler
// knows them, or CGO_CFLAGS and CGO_LDFLAGS supply them. Use it for any other MPI of
// version 3 or later; it was tried with MPICH:
//
//	CC=mpicc go build -tags mpi,mpicc ./...
//
// # Failure
//
// All ranks end within seconds when one of them fails. A rank that calls Abort prints
// its number and the cause. If a rank panics, exits, or is killed, Open MPI's mpirun
// names it: "process rank 2 with PID 812 on node n4 exited on signal 9". If a host
// crashes mpirun names the host. mpirun notices a host that falls silent, for example
// because its cable was pulled, after five minutes; to check every ten seconds, start
// the run with
//
//	mpirun --mca oob_tcp_keepalive_time 10 --mca oob_tcp_keepalive_intvl 2 --mca oob_tcp_keepalive_probes 3 …
//
// # Threads
//
// One goroutine, locked to its thread, makes all calls to MPI on behalf of the others.
// MPI then needs only MPI_THREAD_FUNNELED, which every library offers and which needs
// no locks. That thread never blocks inside MPI: it starts transfers and polls them,
// with pauses of at most 0.1 ms. So sums advance while the caller computes, a context
// can end a wait, and Abort works during transfers.
//
// # Order
//
// All ranks must make the same calls in the same order. Before a transfer the ranks
// compare kind, length and root of the call. If these differ every rank gets an error
// that describes the calls; nothing hangs, and no wrong sum is returned.
//
// # Memory
//
// Values are sent in pieces of 1 to 4 MB, up to 4 at once, through buffers outside Go's
// heap. Go returns heap pages to the system and maps others at the same address without
// MPI's noticing; network cards that write to memory directly would keep writing to the
// old pages.
package mpi

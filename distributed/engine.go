package distributed

import "context"

// Engine connects the processes of a run. All its methods but Rank, Size and Abort are
// collective: every process makes the same calls in the same order, and a call returns
// when this process may go on. A process that fails elsewhere makes them return an
// error or ends this process.
type Engine interface {
	// Rank is this process's number, from 0.
	Rank() int
	// Size is the number of processes.
	Size() int
	// Sum replaces values by their sum over all processes. It may return before that
	// is done; values must be left alone until wait returns.
	Sum(values []float32) (wait func() error)
	// Broadcast replaces values by those of the process root.
	Broadcast(root int, values []byte) error
	// Barrier returns when all processes have called it.
	Barrier(ctx context.Context) error
	// Abort ends all processes of the run; cause is printed with the rank.
	Abort(cause error)
}

// Alone is the engine of a single process.
type Alone struct{}

func (Alone) Rank() int                         { return 0 }
func (Alone) Size() int                         { return 1 }
func (Alone) Sum([]float32) func() error        { return func() error { return nil } }
func (Alone) Broadcast(int, []byte) error       { return nil }
func (Alone) Barrier(ctx context.Context) error { return ctx.Err() }
func (Alone) Abort(error)                       {}

package distributed

import "context"

// Engine connects the processes of a run. All its methods but Rank, Size and Abort are
// collective: every process makes the same calls in the same order. When one process
// fails, the calls of the others return an error or end their process.
type Engine interface {
	// Rank returns the number of this process, counted from 0.
	Rank() int
	// Size returns the number of processes.
	Size() int
	// Sum replaces values by their sum over all processes. It may return before the sum
	// is complete; the caller must not touch values until wait has returned.
	Sum(values []float32) (wait func() error)
	// Broadcast replaces values by those of process root.
	Broadcast(root int, values []byte) error
	// Barrier returns when all processes have called it.
	Barrier(ctx context.Context) error
	// Abort ends all processes of the run and prints cause with the rank.
	Abort(cause error)
}

// Alone is the engine of a run of one process.
type Alone struct{}

func (Alone) Rank() int                         { return 0 }
func (Alone) Size() int                         { return 1 }
func (Alone) Sum([]float32) func() error        { return func() error { return nil } }
func (Alone) Broadcast(int, []byte) error       { return nil }
func (Alone) Barrier(ctx context.Context) error { return ctx.Err() }
func (Alone) Abort(error)                       {}

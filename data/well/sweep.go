package well

import (
	"context"
	"iter"
	"runtime"
	"sync"

	"github.com/gowalrus/gowalrus/data"
)

// sweepBytes bounds the frames of a trajectory that sweep holds per processor, in bytes.
// One frame is always allowed.
const sweepBytes = 32 << 20

// sweep calls do for every trajectory, in parallel on all processors. If the context ends,
// it stops early and returns the context's error. progress, if not nil, is called by one
// goroutine at a time.
func (d *Dataset) sweep(ctx context.Context, progress func(done, total int), do func(trajectory int)) error {
	jobs := make(chan int)
	var workers sync.WaitGroup
	var mu sync.Mutex
	done, total := 0, len(d.trajectories)
	for range min(runtime.GOMAXPROCS(0), total) {
		workers.Go(func() {
			for i := range jobs {
				if ctx.Err() != nil {
					continue
				}
				do(i)
				mu.Lock()
				if done++; progress != nil {
					progress(done, total)
				}
				mu.Unlock()
			}
		})
	}
	for i := range total {
		jobs <- i
	}
	close(jobs)
	workers.Wait()
	return ctx.Err()
}

// blocks divides a trajectory into spans of successive frames that are read together.
// Frames that share a chunk are in the same block if sweepBytes allows, so that the chunk
// is decompressed once.
func (d *Dataset) blocks(trajectory int) iter.Seq[data.Span] {
	length, steps := d.blockLength(trajectory), d.trajectories[trajectory].Steps
	return func(yield func(data.Span) bool) {
		for from := 0; from < steps; from += length {
			if !yield(data.Span{Trajectory: trajectory, Start: from, Stride: 1, Frames: min(length, steps-from)}) {
				return
			}
		}
	}
}

// blockLength returns the number of frames of a block.
func (d *Dataset) blockLength(trajectory int) int {
	length := 1
	for _, s := range d.files[d.fileOf[trajectory]].fields {
		length = max(length, s.framesPerChunk())
	}
	return max(1, min(length, sweepBytes/(4*d.channels(false)*d.points())))
}

package well

import (
	"context"
	"errors"
	"fmt"

	"github.com/gowalrus/gowalrus/data"
)

// maxFaults bounds the number of faults that Check reports per file.
const maxFaults = 20

// Check reads every value of the data set and returns the faults that it finds, up to 20
// per file, in the order of the files: chunks that cannot be decoded, values that are not
// finite, values that a transform refuses. It reports the first fault of each frame.
// Trajectories are read in parallel. progress, if not nil, is called after each trajectory
// with the number of trajectories read and their total. If the context ends, Check returns
// only the context's error. Frames that exceed [Options.MemoryBytes] are one [MemoryError]
// per trajectory.
func (d *Dataset) Check(ctx context.Context, progress func(done, total int)) error {
	faults := make([][]error, len(d.trajectories))
	if err := d.sweep(ctx, progress, func(i int) { faults[i] = d.checkTrajectory(ctx, i) }); err != nil {
		return err
	}
	var all []error
	count := map[string]int{}
	for i, t := range d.trajectories {
		for _, err := range faults[i] {
			switch count[t.File]++; {
			case count[t.File] <= maxFaults:
				all = append(all, err)
			case count[t.File] == maxFaults+1:
				all = append(all, fmt.Errorf("well: %s: more than %d faults, the rest is not listed", t.File, maxFaults))
			}
		}
	}
	return errors.Join(all...)
}

// checkTrajectory returns the faults of one trajectory, at most one more than Check
// reports. It reads a block with a fault again frame by frame.
func (d *Dataset) checkTrajectory(ctx context.Context, trajectory int) (faults []error) {
	if err := d.checkMemory(d.files[d.fileOf[trajectory]], d.blockLength(trajectory), 0); err != nil {
		return []error{err}
	}
	w := new(data.Window)
	for block := range d.blocks(trajectory) {
		if ctx.Err() != nil || len(faults) > maxFaults {
			break
		}
		if _, err := d.Read(ctx, block, w); err == nil {
			continue
		}
		for step := range block.Frames {
			span := data.Span{Trajectory: trajectory, Start: block.Start + step, Stride: 1, Frames: 1}
			if _, err := d.Read(ctx, span, w); err != nil {
				faults = append(faults, err)
			}
		}
	}
	return faults
}

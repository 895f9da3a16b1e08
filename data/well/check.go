package well

import (
	"context"
	"errors"
	"fmt"

	"github.com/gowalrus/gowalrus/data"
)

// maxFaults bounds the faults that Check reports for each file.
const maxFaults = 20

// Check reads every value of the data set and returns all damaged frames it
// finds, up to 20 for each file, in the order of the files: chunks that cannot be
// decoded, values that are not finite, values that a transform refuses. Of a
// frame with several faults it names the first. Trajectories are read in
// parallel; progress, if not nil, is told after each how many of how many are
// done. If the context ends, its error is all that is returned.
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

// checkTrajectory returns the faults of one trajectory, at most one more than
// are reported. A block with a fault is read again frame by frame.
func (d *Dataset) checkTrajectory(ctx context.Context, trajectory int) (faults []error) {
	w := new(data.Window)
	for _, block := range d.blocks(trajectory) {
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

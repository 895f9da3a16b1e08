package well

import (
	"context"
	"errors"
	"fmt"

	"github.com/gowalrus/gowalrus/data"
)

// maxFaults bounds the faults that Check reports for each file.
const maxFaults = 20

// Check reads every value of the data set and returns all faults it finds, up
// to 20 for each file: chunks that cannot be decoded, values that are not
// finite, values that a transform refuses. progress, if not nil, is told after
// each trajectory how many of how many are done.
func (d *Dataset) Check(ctx context.Context, progress func(done, total int)) error {
	var all error
	faults := map[string]int{}
	w := new(data.Window)
	for i, t := range d.trajectories {
		for step := range t.Steps {
			if err := ctx.Err(); err != nil {
				return err
			}
			if faults[t.File] >= maxFaults {
				break
			}
			if _, err := d.Read(ctx, data.Span{Trajectory: i, Start: step, Stride: 1, Frames: 1}, w); err != nil {
				faults[t.File]++
				all = errors.Join(all, err)
				if faults[t.File] == maxFaults {
					all = errors.Join(all, fmt.Errorf("well: %s: more than %d faults, the rest is not listed", t.File, maxFaults))
				}
			}
		}
		if progress != nil {
			progress(i+1, len(d.trajectories))
		}
	}
	return all
}

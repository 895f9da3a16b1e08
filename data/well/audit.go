package well

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/gowalrus/gowalrus/data"
)

// Audit is [Describe] with two more checks: stats.yaml must exist and agree with the
// training split, and no trajectory may be in the data set twice, since a copy of a training
// trajectory in another split makes its scores too good. Trajectories are compared by their
// first frames, constant fields and scalars.
func Audit(ctx context.Context, path string) (*Description, error) {
	d, all := Describe(ctx, path)
	seen := map[[sha256.Size]byte]string{}
	for _, s := range d.Splits {
		if err := d.audit(ctx, s.Split, seen); err != nil {
			all = errors.Join(all, err)
			for _, fault := range faults(err) {
				d.Problems = append(d.Problems, fault.Error())
			}
		}
	}
	return d, all
}

// audit checks a split, unless its values cannot be read.
func (d *Description) audit(ctx context.Context, split string, seen map[[sha256.Size]byte]string) error {
	ds, err := Open(d.Path, Options{Split: split, NonFinite: KeepNonFinite})
	if err != nil {
		return err
	}
	defer ds.Close()
	var all []error
	for i, t := range ds.trajectories {
		place := fmt.Sprintf("%s, trajectory %d", t.File, t.Index)
		w, err := ds.Read(ctx, data.Span{Trajectory: i, Stride: 1, Frames: 1}, nil)
		if err != nil {
			continue // Describe reports it
		}
		key := fingerprint(w)
		if first, ok := seen[key]; ok {
			all = append(all, fmt.Errorf("well: %s: it starts as %s does: remove one of them", place, first))
			continue
		}
		seen[key] = place
	}
	if split == "train" && len(d.Problems) == 0 {
		all = append(all, ds.auditStatistics(ctx, ds.place.show(ds.place.join(ds.root, StatisticsFile))))
	}
	return errors.Join(all...)
}

// fingerprint returns a hash of the values of a window.
func fingerprint(w *data.Window) (sum [sha256.Size]byte) {
	h := sha256.New()
	for _, v := range append(slices.Clone(w.Frames), w.Constants) {
		_ = binary.Write(h, binary.LittleEndian, v) // a hash returns no error
	}
	for _, s := range w.Scalars {
		_ = binary.Write(h, binary.LittleEndian, s.Values)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// statisticsTolerance is the largest difference between stats.yaml and the training split
// relative to the root mean square of the component. Statistics of The Well are means of
// float32 sums and agree to about 1e-5.
const statisticsTolerance = 1e-2

// auditStatistics compares stats.yaml with the values of the training split.
func (d *Dataset) auditStatistics(ctx context.Context, path string) error {
	have := d.Statistics()
	if have == nil {
		return fmt.Errorf("well: %s: the file is missing: gowalrus inspect --stats writes it", path)
	}
	want, err := ComputeStatistics(ctx, d, nil)
	if err != nil {
		return err
	}
	var all []error
	for _, table := range []struct {
		kind             string
		have, want, unit map[string][]float64
	}{
		{"mean", have.Mean, want.Mean, want.RMS}, {"std", have.Std, want.Std, want.RMS}, {"rms", have.RMS, want.RMS, want.RMS},
		{"mean_delta", have.MeanDelta, want.MeanDelta, want.RMSDelta}, {"std_delta", have.StdDelta, want.StdDelta, want.RMSDelta}, {"rms_delta", have.RMSDelta, want.RMSDelta, want.RMSDelta},
	} {
		for _, f := range d.meta.Fields {
			got := table.have[f.Name]
			for i, v := range table.want[f.Name] {
				if i >= len(got) {
					all = append(all, fmt.Errorf("well: %s: %s of %s: expected %d values, got %d", path, table.kind, f.Name, len(table.want[f.Name]), len(got)))
					break
				}
				if math.Abs(got[i]-v) > statisticsTolerance*table.unit[f.Name][i] {
					all = append(all, fmt.Errorf("well: %s: %s of component %d of %s: expected %g, as in the split train, got %g: remove the file and compute it again (gowalrus inspect --stats)", path, table.kind, i, f.Name, v, got[i]))
				}
			}
		}
	}
	return errors.Join(all...)
}

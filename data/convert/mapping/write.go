package mapping

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/internal/atomicfile"
)

// WriteOptions selects where and how Write writes a data set.
type WriteOptions struct {
	// Out is the folder in which Write creates the folder of the data set, which has the
	// mapping's name. Empty means the working directory.
	Out string
	// Deflate is the compression level of [well.Header].
	Deflate int
	// Progress, if not nil, is called with the number of frames written and their total.
	Progress func(done, total int)
}

// Report describes what Write wrote.
type Report struct {
	// Dir is the folder of the data set, Files lists the files of data in it.
	Dir   string
	Files []string
	// Trajectories counts the trajectories of each split, Frames all frames.
	Trajectories map[string]int
	Frames       int
	// Notes lists the assumptions that were made.
	Notes []string
}

// CopyName is the name of the file in which Write keeps a copy of the mapping.
const CopyName = "import.yaml"

// Write writes the files of the mapping as a data set of The Well, with stats.yaml of the
// training split and a copy of the mapping's text. A folder that exists is an error, and
// after an error no folder is left. Memory is that of [Dataset.Read] for up to 64 MiB of
// frames.
func (m *Mapping) Write(ctx context.Context, o WriteOptions) (*Report, error) {
	d, err := m.Open(Options{})
	if err != nil {
		return nil, err
	}
	r, err := d.write(ctx, o)
	if closed := d.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// write writes the data set to a temporary folder and renames it.
func (d *Dataset) write(ctx context.Context, o WriteOptions) (r *Report, err error) {
	out := cmp.Or(o.Out, ".")
	dir := filepath.Join(out, d.meta.Name)
	if _, err := os.Lstat(dir); err == nil {
		return nil, fmt.Errorf("mapping: %s: the folder exists: remove it, or change the name in the mapping", dir)
	}
	if err := os.MkdirAll(out, 0o777); err != nil {
		return nil, fmt.Errorf("mapping: %w", err)
	}
	r = &Report{Dir: dir, Trajectories: d.Splits(), Notes: slices.Clone(d.notes)}
	if err := atomicfile.Folder(dir, func(part string) error { return d.fill(ctx, part, r, o) }); err != nil {
		return nil, err
	}
	return r, nil
}

// fill writes the files of a data set to a folder.
func (d *Dataset) fill(ctx context.Context, part string, r *Report, o WriteOptions) error {
	total := 0
	for _, p := range d.places {
		total += p.u.frames
	}
	step := func() {
		if r.Frames++; o.Progress != nil {
			o.Progress(r.Frames, total)
		}
	}
	for _, split := range splitNames {
		groups := d.groups(split)
		for i, g := range groups {
			name := d.meta.Name + ".hdf5"
			if len(groups) > 1 {
				name = fmt.Sprintf("%s_%0*d.hdf5", d.meta.Name, len(fmt.Sprint(len(groups)-1)), i)
			}
			inner := filepath.Join("data", split, name)
			h := d.header(d.all[g[0]])
			h.Deflate = o.Deflate
			if err := well.WriteFile(ctx, filepath.Join(part, inner), h, d, g, step); err != nil {
				return err
			}
			r.Files = append(r.Files, filepath.Join(r.Dir, inner))
		}
	}
	if d.Splits()["train"] == 0 {
		r.Notes = append(r.Notes, "no trajectory is in the split train: there are no statistics")
	} else if err := well.UpdateStatistics(ctx, part); err != nil {
		return err
	}
	if d.schema.text != nil {
		if err := os.WriteFile(filepath.Join(part, CopyName), d.schema.text, 0o644); err != nil {
			return fmt.Errorf("mapping: %w", err)
		}
	}
	return nil
}

// groups divides the trajectories of a split into those of one file: neighbours with the
// same times and coordinates. It returns their numbers.
func (d *Dataset) groups(split string) (out [][]int) {
	for i, p := range d.all {
		if d.split[i] != split {
			continue
		}
		if n := len(out); n > 0 && d.all[out[n-1][0]].sameAxes(p) {
			out[n-1] = append(out[n-1], i)
			continue
		}
		out = append(out, []int{i})
	}
	return out
}

// sameAxes reports whether two trajectories have the same times and coordinates.
func (p place) sameAxes(o place) bool {
	if p.u == o.u && len(p.u.times) == 1 {
		return true
	}
	return slices.Equal(row(p.u.times, p.own), row(o.u.times, o.own)) && slices.EqualFunc(p.u.coordinates, o.u.coordinates, slices.Equal)
}

// header returns the header of a file with one trajectory.
func (d *Dataset) header(p place) well.Header {
	h := well.Header{
		Dataset: d.meta.Name, GridType: d.meta.GridType, Axes: d.meta.Axes, Coordinates: p.u.coordinates,
		Times: row(p.u.times, p.own), Trajectories: 1, Fields: d.meta.Fields, Boundaries: d.bounds,
	}
	for _, q := range d.schema.Parameters {
		if q.plain() {
			h.Parameters = append(h.Parameters, well.Parameter{Name: q.Name, Value: q.Value})
		}
	}
	for _, v := range p.u.scalars {
		h.Scalars = append(h.Scalars, well.ScalarSpec{Name: v.name, Constant: v.constant})
	}
	return h
}

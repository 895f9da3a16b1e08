package well

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/atomicfile"
)

// CopyOptions selects what [Copy] writes. The zero value of every field but Out keeps what
// the sources have.
type CopyOptions struct {
	// Out is the folder of the new data set, which must not exist.
	Out string
	// Name is the name of the new data set. Empty means the name of Out's last folder.
	Name string
	// Keep lists the fields to keep, Drop those to leave out. At most one is set.
	Keep, Drop []string
	// From, To and Stride select the frames of every trajectory; see [data.Steps].
	From, To, Stride int
	// Coarsen is the number of points per axis that become one; see [data.Coarsen]. 0 means 1.
	Coarsen int
	// Select, if not nil, reports whether to keep a trajectory. number counts the
	// trajectories of a split over all sources.
	Select func(split string, number int, t data.Trajectory) bool
	// Ratios, if not nil, divides the trajectories of all splits again, at random by Seed. It
	// is needed for sources without splits.
	Ratios *data.Ratios
	Seed   uint64
	// Deflate is the compression level of [Header].
	Deflate int
	// Progress, if not nil, is called with the number of frames written and their total.
	Progress func(done, total int)
}

// CopyReport describes what Copy wrote.
type CopyReport struct {
	// Dir is the folder of the data set, Files lists the files of data in it.
	Dir   string
	Files []string
	// Trajectories counts the trajectories of each split, Frames all frames.
	Trajectories map[string]int
	Frames       int
	// Notes lists what the copy lacks, for example statistics.
	Notes []string
}

// Copy writes a new data set from one or several: it splits (Ratios), takes subsets (Keep,
// Drop, Select, From, To), merges (several sources) and downsamples (Coarsen, Stride). Each
// source is a data set, a folder of files or a file. Sources must have the same fields, grid
// and scalars; the error says which differ. Each source file becomes one file per split, or
// several if its trajectories have different times. Statistics of the training split are
// computed. After an error no folder is left.
func Copy(ctx context.Context, sources []string, o CopyOptions) (*CopyReport, error) {
	if len(sources) == 0 {
		return nil, errors.New("well: copy: expected at least one data set, got none")
	}
	if o.Out == "" {
		return nil, errors.New("well: copy: expected the folder of the new data set, got none")
	}
	if o.Name == "" {
		o.Name = filepath.Base(o.Out)
	}
	if _, err := os.Lstat(o.Out); err == nil {
		return nil, fmt.Errorf("well: copy: %s: the folder exists: remove it, or choose another one", o.Out)
	}
	c := &copier{options: o, names: map[string]bool{}, report: &CopyReport{Dir: o.Out, Trajectories: map[string]int{}}}
	err := c.open(sources)
	if err == nil {
		err = c.assign()
	}
	if err == nil {
		err = os.MkdirAll(filepath.Dir(o.Out), 0o777)
	}
	if err == nil {
		err = atomicfile.Folder(o.Out, func(part string) error { return c.write(ctx, part) })
	}
	if closed := c.close(); err == nil {
		err = closed
	}
	if err != nil {
		return nil, fmt.Errorf("well: copy: %w", err)
	}
	return c.report, nil
}

// copier holds the sources of a copy and where their trajectories go.
type copier struct {
	options CopyOptions
	parts   []*copied
	// items lists the trajectories to copy.
	items  []copiedTrajectory
	names  map[string]bool // of files: split/name
	report *CopyReport
	total  int
}

// copied is an open split of a source, and the view that is written.
type copied struct {
	split string
	ds    *Dataset
	view  data.Dataset
}

// copiedTrajectory is a trajectory of a part and the split that it goes to.
type copiedTrajectory struct {
	part   *copied
	number int
	split  string
}

// open opens all splits of all sources and compares them.
func (c *copier) open(sources []string) error {
	numbers := map[string]int{}
	for _, path := range sources {
		splits, err := Splits(path)
		if err != nil || len(splits) == 0 {
			splits = []string{""}
		}
		for _, split := range splits {
			ds, err := Open(path, Options{Split: split})
			if err != nil {
				return err
			}
			p := &copied{split: split, ds: ds}
			c.parts = append(c.parts, p)
			if p.view, err = c.options.view(ds); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			if err := SameSystem(c.parts[0].view.Metadata(), p.view.Metadata()); err != nil {
				return fmt.Errorf("%s: %w, as in %s", path, err, sources[0])
			}
			for i, t := range p.view.Trajectories() {
				n := numbers[split]
				numbers[split]++
				if c.options.Select == nil || c.options.Select(split, n, t) {
					c.items = append(c.items, copiedTrajectory{p, i, split})
					c.total += t.Steps
				}
			}
		}
	}
	if len(c.items) == 0 {
		return errors.New("expected trajectories, got none: Select keeps none of them")
	}
	return nil
}

// view applies the options to a data set.
func (o CopyOptions) view(ds data.Dataset) (data.Dataset, error) {
	drop := o.Drop
	if len(o.Keep) > 0 {
		if len(drop) > 0 {
			return nil, errors.New("expected fields to keep or to drop, got both")
		}
		var names []string
		for _, f := range ds.Metadata().Fields {
			if names = append(names, f.Name); !slices.Contains(o.Keep, f.Name) {
				drop = append(drop, f.Name)
			}
		}
		for _, name := range o.Keep {
			if !slices.Contains(names, name) {
				return nil, fmt.Errorf("expected some of the fields %s to keep, got %q", strings.Join(names, ", "), name)
			}
		}
	}
	ds, err := data.Drop(ds, drop...)
	if err != nil {
		return nil, err
	}
	if ds, err = data.Steps(ds, o.From, o.To, o.Stride); err != nil {
		return nil, err
	}
	factor := o.Coarsen
	if factor == 0 {
		factor = 1
	}
	return data.Coarsen(ds, factor)
}

// SameSystem returns an error that names the first difference, unless files of two
// descriptions can be in one data set: the same grid, axes, fields and scalars.
func SameSystem(want, got data.Metadata) error {
	for _, c := range []struct {
		what      string
		want, got any
	}{
		{"grid type", want.GridType, got.GridType}, {"axes", want.Axes, got.Axes}, {"grid", want.Grid, got.Grid}, {"fields", want.Fields, got.Fields},
		{"scalars", want.Scalars, got.Scalars}, {"constant scalars", want.ConstantScalars, got.ConstantScalars},
	} {
		if fmt.Sprint(c.want) != fmt.Sprint(c.got) {
			return fmt.Errorf("%s: expected %v, got %v", c.what, c.want, c.got)
		}
	}
	return nil
}

// assign sets the splits of the trajectories.
func (c *copier) assign() error {
	if c.options.Ratios == nil {
		for _, it := range c.items {
			if it.split == "" {
				return fmt.Errorf("%s has no splits: expected Ratios, the shares of train, valid and test", it.part.ds.root)
			}
		}
		return nil
	}
	train, valid, test, err := data.SplitByRatios(len(c.items), *c.options.Ratios, c.options.Seed)
	if err != nil {
		return err
	}
	for split, numbers := range map[string][]int{"train": train, "valid": valid, "test": test} {
		for _, n := range numbers {
			c.items[n].split = split
		}
	}
	return nil
}

// write writes the files to a folder, then the statistics.
func (c *copier) write(ctx context.Context, part string) error {
	for _, g := range c.groups() {
		first := g[0]
		name := c.fileName(first)
		numbers := make([]int, len(g))
		for i, it := range g {
			numbers[i] = it.number
		}
		h, err := c.header(ctx, first)
		if err != nil {
			return err
		}
		inner := filepath.Join("data", first.split, name)
		if err := WriteFile(ctx, filepath.Join(part, inner), h, first.part.view, numbers, c.step); err != nil {
			return err
		}
		c.report.Files = append(c.report.Files, filepath.Join(c.options.Out, inner))
		c.report.Trajectories[first.split] += len(g)
	}
	if c.report.Trajectories["train"] == 0 {
		c.report.Notes = append(c.report.Notes, "no trajectory is in the split train: there are no statistics")
		return nil
	}
	return UpdateStatistics(ctx, part)
}

func (c *copier) step() {
	if c.report.Frames++; c.options.Progress != nil {
		c.options.Progress(c.report.Frames, c.total)
	}
}

// groups divides the trajectories by split, source file and times, in the order of the
// sources.
func (c *copier) groups() (out [][]copiedTrajectory) {
	type key struct {
		part  *copied
		file  int
		split string
		row   int
	}
	at := map[key]int{}
	for _, it := range c.items {
		h, own := it.source()
		k := key{it.part, it.part.ds.fileOf[it.number], it.split, min(own, len(h.times)-1)}
		i, ok := at[k]
		if !ok {
			i = len(out)
			at[k] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], it)
	}
	return out
}

// source returns the file of a trajectory and its number in the file.
func (it copiedTrajectory) source() (*header, int) {
	ds := it.part.ds
	return ds.files[ds.fileOf[it.number]], ds.trajectories[it.number].Index
}

// fileName returns a name that no other file of the split has.
func (c *copier) fileName(it copiedTrajectory) string {
	h, _ := it.source()
	stem := strings.TrimSuffix(filepath.Base(h.path), filepath.Ext(h.path))
	name := stem
	for i := 2; c.names[it.split+"/"+name]; i++ {
		name = fmt.Sprintf("%s_%d", stem, i)
	}
	c.names[it.split+"/"+name] = true
	return name + ".hdf5"
}

// header returns the header of the file of a trajectory.
func (c *copier) header(ctx context.Context, it copiedTrajectory) (Header, error) {
	source, own := it.source()
	view := it.part.view
	w, err := view.Read(ctx, data.Span{Trajectory: it.number, Stride: 1, Frames: 1}, nil)
	if err != nil {
		return Header{}, err
	}
	m := view.Metadata()
	h := Header{Dataset: c.options.Name, GridType: m.GridType, Axes: m.Axes, Coordinates: w.Coordinates, Fields: m.Fields, Boundaries: w.Boundaries, Deflate: c.options.Deflate}
	times := source.times[min(own, len(source.times)-1)]
	for i := range view.Trajectories()[it.number].Steps {
		h.Times = append(h.Times, times[c.options.From+i*max(c.options.Stride, 1)])
	}
	// A parameter that all trajectories of the file share stays one; other scalars have values
	// per trajectory.
	shared := map[string]float64{}
	for _, p := range source.parameters {
		shared[p.Name] = p.Value
	}
	for _, s := range source.scalars {
		v, ok := shared[s.name]
		if ok && s.constant && !s.perSample && s.values[0] == float32(v) {
			h.Parameters = append(h.Parameters, Parameter{s.name, v})
			delete(shared, s.name)
			continue
		}
		h.Scalars = append(h.Scalars, ScalarSpec{s.name, s.constant})
	}
	for _, name := range slices.Sorted(maps.Keys(shared)) {
		if !slices.ContainsFunc(h.Scalars, func(s ScalarSpec) bool { return s.Name == name }) {
			c.note("%s: the parameter %s is no scalar of the file and is left out", source.path, name)
		}
	}
	return h, nil
}

func (c *copier) note(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(c.report.Notes, text) {
		c.report.Notes = append(c.report.Notes, text)
	}
}

func (c *copier) close() error {
	var all []error
	for _, p := range c.parts {
		if err := p.ds.Close(); err != nil {
			all = append(all, err)
		}
	}
	return errors.Join(all...)
}

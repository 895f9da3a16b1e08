package well

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/lifetime"
	"github.com/gowalrus/gowalrus/internal/lru"
)

// Dataset is an open data set of The Well. It implements data.Dataset and is safe for
// concurrent use.
type Dataset struct {
	options      Options
	place        place
	root         string // name of the folder of the data set
	files        []*header
	trajectories []data.Trajectory
	fileOf       []int // trajectory → file
	meta         data.Metadata
	stored       []data.Field // before transforms
	statistics   *data.Statistics
	norms        map[string]norm
	cache        *lru.Cache[cacheKey, []float32]
	quota        *quota
	uses         lifetime.Uses // reads
}

// StatisticsFile is the name of the file that holds a data set's statistics.
const StatisticsFile = "stats.yaml"

// describe sets the properties that all files share.
func (d *Dataset) describe() error {
	first := d.files[0]
	d.stored = first.fieldList()
	fields, err := data.TransformFields(d.stored, d.options.Transforms)
	if err != nil {
		return fmt.Errorf("well: %s: %w", first.path, err)
	}
	d.meta = data.Metadata{
		Name: first.dataset, GridType: first.gridType,
		Axes: slices.Clone(first.axes), Grid: slices.Clone(first.grid), Fields: fields,
	}
	for _, s := range first.scalars {
		if s.constant {
			d.meta.ConstantScalars = append(d.meta.ConstantScalars, s.name)
		} else {
			d.meta.Scalars = append(d.meta.Scalars, s.name)
		}
	}
	return d.readStatistics()
}

// readStatistics reads the statistics. A missing file is an error only if they are needed.
func (d *Dataset) readStatistics() error {
	p, name := d.place, d.place.join(d.root, StatisticsFile)
	if path := d.options.Statistics; path != "" {
		var err error
		if p, name, err = newPlace(path, d.options.Hub); err != nil {
			return err
		}
		defer p.close()
	}
	var err error
	d.statistics, err = p.statistics(name)
	if errors.Is(err, fs.ErrNotExist) && d.options.Normalization == NoNormalization && d.options.Statistics == "" {
		return nil
	}
	if err != nil {
		return fmt.Errorf("well: data set %s: %w", d.meta.Name, err)
	}
	d.norms, err = newNorms(d.options.Normalization, d.statistics, d.meta)
	if err != nil {
		return fmt.Errorf("well: data set %s: %s: %w", d.meta.Name, p.show(name), err)
	}
	return nil
}

// Metadata returns the description of the data set, with the names of fields after
// transforms.
func (d *Dataset) Metadata() data.Metadata { return d.meta }

// Trajectories returns the trajectories file by file, sorted by the files' names.
func (d *Dataset) Trajectories() []data.Trajectory { return d.trajectories }

// Statistics returns the content of stats.yaml, or nil if the data set has none.
func (d *Dataset) Statistics() *data.Statistics { return d.statistics }

// File describes one file of a data set.
type File struct {
	// Path is the path or the address.
	Path         string
	Trajectories int
	Steps        int
	Boundaries   data.Boundaries
	Parameters   []Parameter
	// Bytes is the size of the file in bytes when it was opened.
	Bytes int64
}

// Files returns the files in the order of the trajectories.
func (d *Dataset) Files() []File {
	out := make([]File, len(d.files))
	for i, h := range d.files {
		out[i] = File{Path: h.path, Trajectories: h.trajectories, Steps: h.steps, Boundaries: h.boundaries, Parameters: h.parameters, Bytes: h.bytes}
	}
	return out
}

// Close closes the files. If another goroutine is reading, its read closes them when it
// ends. Later reads return an error that wraps [fs.ErrClosed].
func (d *Dataset) Close() error {
	var all error
	now := d.uses.Close(func() {
		for _, h := range d.files {
			all = errors.Join(all, h.f.Close())
		}
		all = errors.Join(all, d.place.close())
	})
	if !now {
		return nil
	}
	return all
}

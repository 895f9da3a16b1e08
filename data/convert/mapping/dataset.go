package mapping

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"
	"sync"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well/driver"
	"github.com/gowalrus/gowalrus/internal/nonfinite"
)

// Options selects what Open reads.
type Options struct {
	// Split is "train", "valid" or "test". Empty means all trajectories.
	Split string
	// MemoryBytes bounds the memory of a window, together with the coordinates, times and
	// scalars of all files. 0 means 256 times the size of the files, at least 256 MiB and at
	// most half of the machine's memory: a small file may declare arrays of any size without
	// storing them.
	MemoryBytes int64
}

// Dataset is a data set whose values stay in the files that a mapping describes. It
// implements [data.Dataset] and is safe for concurrent use.
//
// Read opens files when it needs them; up to 64 stay open and keep up to 256 MiB in memory.
// Besides the window, Read needs memory for one block of stored values: the frames that are
// read together, up to 32 MiB, or one frame. A compressed array of an NPZ file is unpacked
// when its file is opened; convert such files with [Mapping.Write] for training on windows
// in random order.
type Dataset struct {
	schema *schema
	pool   *pool
	// budget is the memory of a window, used that of coordinates, times and scalars.
	budget, used int64
	units        []*unit
	grid         []int
	meta         data.Metadata
	bounds       data.Boundaries

	// all holds every trajectory, split the name of the split of each.
	all   []place
	split []string
	// trajectories and places hold those of the split that was opened.
	trajectories []data.Trajectory
	places       []place
	notes        []string
}

// place is a trajectory of a unit.
type place struct {
	u   *unit
	own int
	// index counts the trajectories with the same first file.
	index int
}

// Open opens the files of the mapping. It reads the shapes of all arrays, coordinates,
// times and parameters, but no field. Errors are of type [*Error]; they name the line of the
// mapping, file, array and axis.
func (m *Mapping) Open(o Options) (*Dataset, error) {
	if m == nil {
		return nil, errors.New("mapping: expected a mapping, got nil")
	}
	s, err := m.check()
	if err != nil {
		return nil, err
	}
	if o.MemoryBytes < 0 {
		return nil, fmt.Errorf("mapping: options: MemoryBytes: expected a number of bytes, or 0 for the default, got %d", o.MemoryBytes)
	}
	d := &Dataset{schema: s, budget: o.MemoryBytes, pool: &pool{raw: m.Raw, limit: openFiles, files: map[string]*handle{}}}
	if err := d.load(o.Split); err != nil {
		if closed := d.Close(); closed != nil {
			err = errors.Join(err, closed)
		}
		return nil, err
	}
	return d, nil
}

// load finds and inspects the files.
func (d *Dataset) load(split string) error {
	s := d.schema
	var err error
	if d.units, err = d.findUnits(); err != nil {
		return err
	}
	if d.budget == 0 {
		d.budget = defaultBudget(d.units)
	}
	grid := lengths{}
	trajectories := 0
	for _, u := range d.units {
		if err := d.inspect(u, grid); err != nil {
			return err
		}
		if trajectories += u.trajectories; trajectories > maxTrajectories {
			return s.fault("files", "expected at most %d trajectories, got more", maxTrajectories)
		}
	}
	points := 1
	for _, axis := range s.grid {
		n := grid[axis].n
		if n < 1 {
			return s.fault("axes", "expected a field with the axis %s, got none", axis)
		}
		if points > maxFrame/n/max(s.channels[0]+s.channels[1], 1) {
			return s.fault("fields", "expected frames of at most %d values, got a grid of %v", maxFrame, grid)
		}
		points *= n
		if b := s.Boundaries[axis]; n == 1 && b.Low != b.High {
			return s.fault("boundaries."+axis, "expected the same boundary at both ends of an axis with one point, got %s", b)
		}
		d.grid = append(d.grid, n)
		d.bounds = append(d.bounds, s.Boundaries[axis])
	}
	for _, u := range d.units {
		if err := d.details(u); err != nil {
			return err
		}
	}
	if err := d.divide(); err != nil {
		return err
	}
	d.describe()
	// The header of a file repeats the checks of names that the data set shares.
	if err := d.header(d.all[0]).Validate(); err != nil {
		return s.fault("parameters", "%w", err)
	}
	return d.choose(split)
}

// maxFrame bounds the values of a frame, maxTrajectories the trajectories.
const (
	maxFrame        = 1 << 31
	maxTrajectories = 1 << 20
)

// details reads coordinates, times and parameters of a unit.
func (d *Dataset) details(u *unit) error {
	if err := d.keep(u, u.frames); err != nil {
		return err
	}
	for i, axis := range d.schema.grid {
		if err := d.keep(u, d.grid[i]); err != nil {
			return err
		}
		x, err := d.coordinate(u, axis, d.grid[i])
		if err != nil {
			return err
		}
		u.coordinates = append(u.coordinates, x)
	}
	if err := d.readTimes(u); err != nil {
		return err
	}
	return d.readScalars(u)
}

// describe sets the metadata.
func (d *Dataset) describe() {
	s := d.schema
	d.meta = data.Metadata{Name: s.Name, GridType: s.GridType, Axes: slices.Clone(s.grid), Grid: slices.Clone(d.grid), Fields: slices.Clone(s.fields)}
	if d.meta.GridType == "" {
		d.meta.GridType = data.CartesianGrid
	}
	for _, q := range s.Parameters {
		if q.plain() {
			d.meta.ConstantScalars = append(d.meta.ConstantScalars, q.Name)
		}
	}
	for _, v := range d.units[0].scalars {
		if v.constant {
			d.meta.ConstantScalars = append(d.meta.ConstantScalars, v.name)
		} else {
			d.meta.Scalars = append(d.meta.Scalars, v.name)
		}
	}
}

// plain reports whether a parameter is a number in the mapping.
func (q Parameter) plain() bool { return q.Source == nil && q.Attribute == "" && q.Placeholder == "" }

// choose keeps the trajectories of one split, or all.
func (d *Dataset) choose(split string) error {
	if split != "" && !slices.Contains(splitNames, split) {
		return fmt.Errorf("mapping: options: expected the split train, valid or test, or none, got %q", split)
	}
	for i, p := range d.all {
		if split != "" && d.split[i] != split {
			continue
		}
		d.places = append(d.places, p)
		d.trajectories = append(d.trajectories, data.Trajectory{File: p.u.first(), Index: p.index, Steps: p.u.frames})
	}
	if len(d.places) == 0 {
		return d.schema.fault("split", "expected trajectories in the split %s, got none of %d: change the shares or lists of split", split, len(d.all))
	}
	return nil
}

// note adds a note once.
func (d *Dataset) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !slices.Contains(d.notes, text) {
		d.notes = append(d.notes, text)
	}
}

// Notes lists the assumptions that were made, for example missing coordinates.
func (d *Dataset) Notes() []string { return d.notes }

// Metadata returns the description of the data set.
func (d *Dataset) Metadata() data.Metadata { return d.meta }

// Trajectories returns the trajectories in the order of the files. File is the first file
// of a trajectory.
func (d *Dataset) Trajectories() []data.Trajectory { return d.trajectories }

// Splits returns the number of trajectories of each split.
func (d *Dataset) Splits() map[string]int {
	out := map[string]int{}
	for _, s := range d.split {
		out[s]++
	}
	return out
}

// Close closes the files. Reads that run end as usual; later reads return an error that
// wraps [fs.ErrClosed].
func (d *Dataset) Close() error {
	if d.pool == nil {
		return nil
	}
	return d.pool.close()
}

// buffers holds blocks of stored values.
var buffers = sync.Pool{New: func() any { return new([]float32) }}

// Read reads the frames of span; see [data.Dataset]. Coordinates are shared, and callers must
// not modify them. A value that is not finite is an error that names field, frame and point,
// unless the field states fill.
func (d *Dataset) Read(ctx context.Context, span data.Span, into *data.Window) (*data.Window, error) {
	if d.schema == nil {
		return nil, errClosed
	}
	if span.Trajectory < 0 || span.Trajectory >= len(d.places) {
		return nil, fmt.Errorf("mapping: data set %s: expected a trajectory below %d, got %d", d.meta.Name, len(d.places), span.Trajectory)
	}
	p := d.places[span.Trajectory]
	if span.Start < 0 || span.Stride < 1 || span.Frames < 1 || span.Start >= p.u.frames || span.Frames-1 > (p.u.frames-1-span.Start)/span.Stride {
		return nil, fmt.Errorf("mapping: %s: trajectory %d has %d frames: cannot take %d from frame %d with stride %d",
			p.u.first(), p.own, p.u.frames, span.Frames, span.Start, span.Stride)
	}
	channels, points := d.schema.channels, int64(product(d.grid))
	if need := 4 * points * (int64(channels[0])*int64(span.Frames) + int64(channels[1])); need > d.budget-d.used {
		return nil, fmt.Errorf("mapping: %s: expected a window of at most %d bytes (Options.MemoryBytes), got %d for %d frames of a grid of %v with %d channels",
			p.u.first(), d.budget-d.used, need, span.Frames, d.grid, channels[0]+channels[1])
	}
	w := into
	if w == nil {
		w = new(data.Window)
	}
	d.prepare(w, p, span)
	buffer := buffers.Get().(*[]float32)
	defer buffers.Put(buffer)
	for _, plan := range d.schema.plans {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := d.readPlan(plan, p, span, w, buffer); err != nil {
			return nil, err
		}
	}
	return w, d.checkValues(w, p, span)
}

// prepare sets everything in w except the values of the fields, for which it allocates
// arrays.
func (d *Dataset) prepare(w *data.Window, p place, span data.Span) {
	frames, constants, times := w.Frames, w.Constants, w.Times[:0]
	*w = data.Window{
		Origin: data.Origin{Dataset: d.meta.Name, File: p.u.first(), Trajectory: p.index, Start: span.Start, Stride: span.Stride},
		Fields: d.meta.Fields, Grid: d.meta.Grid, Axes: d.meta.Axes, Boundaries: slices.Clone(d.bounds),
		Curvilinear: !d.meta.Cartesian(), Coordinates: p.u.coordinates, Times: times,
	}
	w.Name = w.Origin.String()
	for i := range span.Frames {
		w.Times = append(w.Times, row(p.u.times, p.own)[span.Start+i*span.Stride])
	}
	for _, q := range d.schema.Parameters {
		if q.plain() {
			w.Scalars = append(w.Scalars, data.Scalar{Name: q.Name, Constant: true, Values: []float32{float32(q.Value)}})
		}
	}
	for _, v := range p.u.scalars {
		s := data.Scalar{Name: v.name, Constant: v.constant}
		values := row(v.values, p.own)
		if v.constant {
			s.Values = []float32{values[0]}
		} else {
			for i := range span.Frames {
				s.Values = append(s.Values, values[span.Start+i*span.Stride])
			}
		}
		w.Scalars = append(w.Scalars, s)
	}
	points := product(d.grid)
	for i := range span.Frames {
		var old []float32
		if i < len(frames) {
			old = frames[i]
		}
		w.Frames = append(w.Frames, sized(&old, d.schema.channels[0]*points))
	}
	if d.schema.channels[1] > 0 {
		w.Constants = sized(&constants, d.schema.channels[1]*points)
	}
}

// together is the number of bytes of the frames that are read with one call.
const together = 32 << 20

// readPlan reads the channels of one array.
func (d *Dataset) readPlan(p *plan, at place, span data.Span, w *data.Window, buffer *[]float32) error {
	s := d.schema
	if p.constant {
		return d.open(at.u, 0, p.key, p.source, func(path string, a driver.Dataset) error {
			return d.wrap(p, path, p.read(a, [][]float32{w.Constants}, at.own, 0, s.grid, d.grid, buffer))
		})
	}
	for k := 0; k < span.Frames; {
		frame := span.Start + k*span.Stride
		file, local, left := 0, frame, at.u.frames-frame
		if s.stepwise(p.source) {
			file = sort.SearchInts(at.u.starts, frame+1) - 1
			local, left = frame-at.u.starts[file], at.u.starts[file+1]-frame
		}
		n := 1
		err := d.open(at.u, file, p.key, p.source, func(path string, a driver.Dataset) error {
			if span.Stride == 1 {
				_, count := p.box(a.Shape(), 0, 0, 1)
				n = max(1, min(left, span.Frames-k, together/max(4*product(count), 1)))
			}
			return d.wrap(p, path, p.read(a, w.Frames[k:k+n], at.own, local, s.grid, d.grid, buffer))
		})
		if err != nil {
			return err
		}
		k += n
	}
	return nil
}

// wrap adds mapping, file and array to an error.
func (d *Dataset) wrap(p *plan, path string, err error) error {
	if err == nil {
		return nil
	}
	return d.schema.fault(p.key, "%w", err).of(path, p.source)
}

// checkValues converts units and replaces values that are not finite, or returns the error
// of the first.
func (d *Dataset) checkValues(w *data.Window, at place, span data.Span) error {
	points := product(d.grid)
	for _, p := range d.schema.plans {
		for _, c := range p.parts {
			frames := w.Frames
			if p.constant {
				frames = [][]float32{w.Constants}
			}
			for k, frame := range frames {
				values := frame[c.channel*points : (c.channel+1)*points]
				c.of.convert(values)
				i := nonfinite.First(values)
				if i < 0 {
					continue
				}
				if c.of.Fill == nil {
					step := span.Start + k*span.Stride
					e := d.schema.fault(p.key, "%s", d.notFinite(p, c, values[i], i, at.own, step))
					return e.of(at.u.first(), p.source)
				}
				for i, v := range values {
					if !finite(v) {
						values[i] = float32(*c.of.Fill)
					}
				}
			}
		}
	}
	return nil
}

// notFinite describes a value.
func (d *Dataset) notFinite(p *plan, c part, v float32, i, trajectory, step int) string {
	at := make([]int, len(d.grid))
	for a := len(at) - 1; a >= 0; a-- {
		at[a] = i % d.grid[a]
		i /= d.grid[a]
	}
	w := data.Window{Fields: d.meta.Fields, Grid: d.grid, Axes: d.meta.Axes}
	where := fmt.Sprintf("trajectory %d step %d", trajectory, step)
	if p.constant {
		where = fmt.Sprintf("trajectory %d", trajectory)
	}
	return fmt.Sprintf("%s: %s is %v at %v %v: expected finite float32 values: state fill: 0 for the field to replace missing values",
		where, w.Channels(p.constant)[c.channel], v, d.meta.Axes, at)
}

func finite(v float32) bool { return !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0) }

func parseFloat(s string) (float64, error) { return strconv.ParseFloat(s, 64) }

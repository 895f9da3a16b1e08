package well

import (
	"context"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well/driver"
)

// Read reads the frames of span; see data.Dataset. Values of any stored type are converted
// to float32. Times are those in the file. Coordinates are shared, and callers must not
// modify them. Errors name file, trajectory, frame and field.
func (d *Dataset) Read(ctx context.Context, span data.Span, into *data.Window) (*data.Window, error) {
	if err := d.checkSpan(span); err != nil {
		return nil, err
	}
	if !d.uses.Enter() {
		return nil, fmt.Errorf("well: data set %s: expected an open data set: %w", d.meta.Name, fs.ErrClosed)
	}
	defer d.uses.Leave()
	number := d.fileOf[span.Trajectory]
	h, own := d.files[number], d.trajectories[span.Trajectory].Index
	if err := d.checkMemory(h, span.Frames, 0); err != nil {
		return nil, err
	}
	w := into
	if w == nil {
		w = new(data.Window)
	}
	if err := d.prefetch(ctx, h, own, span); err != nil {
		return nil, err
	}
	d.prepare(w, h, own, span)
	if err := d.readFrames(ctx, w, h, own, span); err != nil {
		return nil, err
	}
	var err error
	if w.Constants, err = d.constants(w.Constants, number, own); err != nil {
		return nil, err
	}
	if err := data.ApplyTransforms(w, d.options.Transforms); err != nil {
		return nil, fmt.Errorf("well: %w", err)
	}
	for _, frame := range w.Frames {
		d.normalize(frame, false)
	}
	d.normalize(w.Constants, true)
	return w, nil
}

func (d *Dataset) checkSpan(s data.Span) error {
	if s.Trajectory < 0 || s.Trajectory >= len(d.trajectories) {
		return fmt.Errorf("well: data set %s: expected a trajectory below %d, got %d", d.meta.Name, len(d.trajectories), s.Trajectory)
	}
	t := d.trajectories[s.Trajectory]
	if s.Start < 0 || s.Stride < 1 || s.Frames < 1 || s.Start >= t.Steps || (s.Frames-1) > (t.Steps-1-s.Start)/s.Stride {
		return fmt.Errorf("well: %s: trajectory %d has %d frames: cannot take %d from frame %d with stride %d",
			t.File, t.Index, t.Steps, s.Frames, s.Start, s.Stride)
	}
	return nil
}

// checkMemory returns an error unless the budget has memory for frames of a file, its
// constant fields and extra bytes.
func (d *Dataset) checkMemory(h *header, frames int, extra int64) error {
	var widest int64 // stored values that are read together and reordered
	for _, s := range h.fields {
		if s.components > 1 || !s.plain(d.meta.Grid) || s.framesPerChunk() > 1 {
			widest = max(widest, multiply(int64(s.points()*s.components), int64(min(s.framesPerChunk(), h.steps))))
		}
	}
	points := int64(d.points())
	// The cache has a second copy of constant fields.
	bytes := multiply(4*points, int64(d.channels(false)), int64(frames)) + 8*points*int64(d.channels(true)) + multiply(4, widest) + extra
	if err := d.quota.check(fmt.Sprintf("%d frames of a grid of %v with %d channels", frames, d.meta.Grid, d.channels(false)), bytes); err != nil {
		return fmt.Errorf("well: %s: %w", h.path, err)
	}
	return nil
}

func (d *Dataset) points() int {
	n := 1
	for _, x := range d.meta.Grid {
		n *= x
	}
	return n
}

// prepare sets everything in w except the values of the fields, for which it allocates
// arrays.
func (d *Dataset) prepare(w *data.Window, h *header, own int, span data.Span) {
	frames := w.Frames
	*w = data.Window{
		Origin:     data.Origin{Dataset: d.meta.Name, File: h.path, Trajectory: own, Start: span.Start, Stride: span.Stride},
		Fields:     d.stored,
		Grid:       d.meta.Grid,
		Axes:       d.meta.Axes,
		Boundaries: slices.Clone(h.boundaries), Curvilinear: !d.meta.Cartesian(),
		Coordinates: h.coordinates, Times: w.Times[:0], Constants: w.Constants,
	}
	w.Name = w.Origin.String()
	times := h.times[min(own, len(h.times)-1)]
	for i := range span.Frames {
		w.Times = append(w.Times, times[span.Start+i*span.Stride])
	}
	for _, s := range h.scalars {
		w.Scalars = append(w.Scalars, s.window(own, span))
	}
	n := d.channels(false) * d.points()
	for i := range span.Frames {
		if i < len(frames) && cap(frames[i]) >= n {
			w.Frames = append(w.Frames, frames[i][:n])
		} else {
			w.Frames = append(w.Frames, make([]float32, n))
		}
	}
}

// channels returns the number of variable or of constant channels.
func (d *Dataset) channels(constant bool) int {
	n := 0
	for _, f := range d.stored {
		if f.Constant == constant {
			n += f.ComponentCount(len(d.meta.Grid))
		}
	}
	return n
}

// readFrames reads the variable fields.
func (d *Dataset) readFrames(ctx context.Context, w *data.Window, h *header, own int, span data.Span) error {
	at := 0
	for _, s := range h.fields {
		if s.field.Constant {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		n := s.components * d.points()
		if err := s.read(w.Frames, at, own, span, d.meta.Grid); err != nil {
			return fmt.Errorf("well: trajectory %d: %w", own, err)
		}
		for i, frame := range w.Frames {
			if err := d.options.NonFinite.check(frame[at : at+n]); err != nil {
				return fmt.Errorf("well: %s: trajectory %d frame %d field %s: %w", h.path, own, span.Start+i*span.Stride, s.field.Name, err.at(s, d.meta))
			}
		}
		at += n
	}
	return nil
}

// prefetch waits until the stored values of a span are on this machine. It requests those of
// all fields at the same time, and ends with the context.
func (d *Dataset) prefetch(ctx context.Context, h *header, own int, span data.Span) error {
	if d.place.tree == nil {
		return nil
	}
	all, inner := errgroup.WithContext(ctx)
	all.SetLimit(prefetchFields)
	for _, s := range h.fields {
		ds, ok := s.ds.(driver.Prefetcher)
		if !ok || s.field.Constant {
			continue
		}
		step := s.framesPerChunk()
		if span.Stride <= step { // frames that are next to each other, or in the same chunks
			offset, count := s.block(own, span.Start, (span.Frames-1)*span.Stride+1)
			all.Go(func() error { return ds.Prefetch(inner, offset, count) })
			continue
		}
		for i := range span.Frames {
			offset, count := s.block(own, span.Start+i*span.Stride, 1)
			all.Go(func() error { return ds.Prefetch(inner, offset, count) })
		}
	}
	err := all.Wait()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return fmt.Errorf("well: trajectory %d: %w", own, err)
	}
	return nil
}

// prefetchFields is the number of fields or frames whose values are requested at the same
// time.
const prefetchFields = 8

// scratch holds buffers for stored frames that are not in the order of a window.
var scratch = sync.Pool{New: func() any { return new([]float32) }}

// read reads the frames of a span into frames[i][at:].
func (s *storedField) read(frames [][]float32, at, trajectory int, span data.Span, grid []int) error {
	points := 1
	for _, n := range grid {
		points *= n
	}
	n := s.components * points
	raw := scratch.Get().(*[]float32)
	defer scratch.Put(raw)
	// Read frames that share a chunk together, so that the chunk is decompressed once.
	if s.framesPerChunk() > 1 && span.Frames > 1 {
		return s.readTogether(raw, frames, at, trajectory, span, grid)
	}
	for i, frame := range frames {
		offset, count := s.block(trajectory, span.Start+i*span.Stride, 1)
		if s.components == 1 && s.plain(grid) {
			if err := s.ds.Float32(frame[at:at+n], offset, count); err != nil {
				return err
			}
			continue
		}
		*raw = sized(*raw, s.points()*s.components)
		if err := s.ds.Float32(*raw, offset, count); err != nil {
			return err
		}
		s.unpack(frame[at:at+n], *raw, grid)
	}
	return nil
}

// readTogether reads the frames of a span chunk by chunk, including the frames between
// them, and copies those that belong to the span.
func (s *storedField) readTogether(raw *[]float32, frames [][]float32, at, trajectory int, span data.Span, grid []int) error {
	size := s.points() * s.components
	n := s.components
	for _, x := range grid {
		n *= x
	}
	step := s.framesPerChunk()
	last := span.Start + (span.Frames-1)*span.Stride
	for from := span.Start; from <= last; {
		to := min((from/step+1)*step, last+1) // end of the chunk
		offset, count := s.block(trajectory, from, to-from)
		*raw = sized(*raw, (to-from)*size)
		if err := s.ds.Float32(*raw, offset, count); err != nil {
			return err
		}
		for t := from; t < to; t++ {
			if i := (t - span.Start) / span.Stride; (t-span.Start)%span.Stride == 0 {
				s.unpack(frames[i][at:at+n], (*raw)[(t-from)*size:(t-from+1)*size], grid)
			}
		}
		skip := (to - span.Start) % span.Stride
		from = to + (span.Stride-skip)%span.Stride // skip chunks without a frame of the span
	}
	return nil
}

func sized(b []float32, n int) []float32 {
	if cap(b) < n {
		return make([]float32, n)
	}
	return b[:n]
}

// constants returns the constant channels of a trajectory, in dst if it is large enough.
func (d *Dataset) constants(dst []float32, file, own int) ([]float32, error) {
	n := d.channels(true) * d.points()
	if n == 0 {
		return nil, nil
	}
	h := d.files[file]
	key := cacheKey{file, -1}
	for _, s := range h.fields {
		if s.field.Constant && s.perSample {
			key.trajectory = own
		}
	}
	dst = sized(dst, n)
	if values, ok := d.cache.Get(key); ok {
		copy(dst, values)
		return dst, nil
	}
	at := 0
	for _, s := range h.fields {
		if !s.field.Constant {
			continue
		}
		n := s.components * d.points()
		if err := s.read([][]float32{dst}, at, own, data.Span{Stride: 1, Frames: 1}, d.meta.Grid); err != nil {
			return nil, fmt.Errorf("well: trajectory %d: %w", own, err)
		}
		if err := d.options.NonFinite.check(dst[at : at+n]); err != nil {
			return nil, fmt.Errorf("well: %s: trajectory %d constant field %s: %w", h.path, own, s.field.Name, err.at(s, d.meta))
		}
		at += n
	}
	d.cache.Put(key, append([]float32(nil), dst...), int64(4*len(dst)))
	return dst, nil
}

// nonFinite describes the first value of a field that is not finite.
type nonFinite struct {
	index int
	value float32
}

// check applies the option to values that are not finite. It returns the first one that the
// option refuses.
func (o NonFinite) check(values []float32) *nonFinite {
	const exponent = 0x7f800000
	for i, v := range values {
		if math.Float32bits(v)&exponent != exponent || o == KeepNonFinite {
			continue
		}
		if o == RefuseNonFinite {
			return &nonFinite{i, v}
		}
		switch {
		case v > 0:
			values[i] = math.MaxFloat32
		case v < 0:
			values[i] = -math.MaxFloat32
		default:
			values[i] = 0
		}
	}
	return nil
}

// at returns the error, with the index converted to component and grid coordinates.
func (n *nonFinite) at(s *storedField, meta data.Metadata) error {
	points := 1
	for _, x := range meta.Grid {
		points *= x
	}
	at, i := make([]int, len(meta.Grid)), n.index%points
	for a := len(at) - 1; a >= 0; a-- {
		at[a] = i % meta.Grid[a]
		i /= meta.Grid[a]
	}
	component := s.field.ComponentsOf(meta.Axes)[n.index/points]
	return fmt.Errorf("%s is %v at %v: expected finite values", component, n.value, at)
}

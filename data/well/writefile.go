package well

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"

	"github.com/gowalrus/gowalrus/data"
)

// Metadata returns the description that [Open] gives for a file with this header.
func (h Header) Metadata() data.Metadata {
	h = h.withDefaults()
	m := data.Metadata{Name: h.Dataset, GridType: h.GridType, Axes: slices.Clone(h.Axes), Grid: h.grid(), Fields: slices.Clone(h.Fields)}
	sort.SliceStable(m.Fields, func(i, j int) bool {
		a, b := m.Fields[i], m.Fields[j]
		if a.Constant != b.Constant {
			return b.Constant
		}
		return a.Order < b.Order
	})
	for _, p := range h.Parameters {
		m.ConstantScalars = append(m.ConstantScalars, p.Name)
	}
	for _, s := range h.Scalars {
		if s.Constant {
			m.ConstantScalars = append(m.ConstantScalars, s.Name)
		} else {
			m.Scalars = append(m.Scalars, s.Name)
		}
	}
	return m
}

// blockBytes bounds the frames that WriteFile reads at once. One frame is always allowed.
const blockBytes = 64 << 20

// WriteFile writes trajectories of a data set to a new file, in the given order. h describes
// all of them; its Fields are those of the data set in its order, and WriteFile sets
// Trajectories. The scalars that h declares come from the windows. step, if not nil, is
// called after each frame. WriteFile makes the folder of the file. After an error no file is
// left.
func WriteFile(ctx context.Context, path string, h Header, ds data.Dataset, trajectories []int, step func()) (err error) {
	if ds == nil {
		return errors.New("well: write: expected a data set, got nil")
	}
	h.Trajectories = len(trajectories)
	if h.Fields == nil {
		h.Fields = ds.Metadata().Fields
	}
	all := ds.Trajectories()
	for _, n := range trajectories {
		if n < 0 || n >= len(all) || all[n].Steps != len(h.Times) {
			return fmt.Errorf("well: %s: expected trajectories below %d with %d frames, as the header has times, got number %d", path, len(all), len(h.Times), n)
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return fmt.Errorf("well: %w", err)
	}
	w, err := Create(path, h, WriteOptions{})
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Abort())
		}
	}()
	window := new(data.Window)
	for i, n := range trajectories {
		if err := w.trajectory(ctx, i, ds, n, window, step); err != nil {
			return err
		}
	}
	return w.Close()
}

// trajectory writes trajectory n of a data set as the i-th of the file, block by block.
func (w *Writer) trajectory(ctx context.Context, i int, ds data.Dataset, n int, window *data.Window, step func()) error {
	values := map[string][]float32{}
	channels := 0
	for _, f := range w.variable {
		channels += f.components
	}
	block := max(1, blockBytes/max(4*channels*w.points, 1))
	steps := len(w.header.Times)
	for from := 0; from < steps; from += block {
		if err := ctx.Err(); err != nil {
			return err
		}
		got, err := ds.Read(ctx, data.Span{Trajectory: n, Start: from, Stride: 1, Frames: min(block, steps-from)}, window)
		if err != nil {
			return err
		}
		for k, frame := range got.Frames {
			if err := w.Frame(i, from+k, frame); err != nil {
				return err
			}
			if step != nil {
				step()
			}
		}
		for _, s := range got.Scalars {
			if s.Constant {
				values[s.Name] = s.Values
			} else {
				values[s.Name] = append(values[s.Name], s.Values...)
			}
		}
		if len(w.constant) > 0 && from == 0 {
			if err := w.Constants(i, got.Constants); err != nil {
				return err
			}
		}
	}
	for _, s := range w.header.Scalars {
		if err := w.Scalar(s.Name, i, values[s.Name]); err != nil {
			return err
		}
	}
	return nil
}

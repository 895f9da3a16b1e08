package data

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Drop returns the window without the named fields, variable or constant, so that a network
// that does not know them can forecast the others. The result shares arrays with w where
// possible; w does not change. A name that is not a field of w is an error that lists the
// fields. Dropping every variable field is an error, too.
func (w *Window) Drop(names ...string) (*Window, error) {
	if err := w.ValidateLengths(); err != nil {
		return nil, err
	}
	fields, err := dropFields(w.Fields, names)
	if err != nil {
		return nil, fmt.Errorf("window %s: %w", w.Name, err)
	}
	out := *w
	out.Fields = fields
	if len(w.Constants) > 0 {
		out.Constants = w.keep(w.Constants, true, names)
	}
	out.Frames = make([][]float32, len(w.Frames))
	for i, frame := range w.Frames {
		out.Frames[i] = w.keep(frame, false, names)
	}
	return &out, nil
}

// dropFields returns the fields that names does not contain.
func dropFields(fields []Field, names []string) ([]Field, error) {
	var all []string
	for _, f := range fields {
		all = append(all, f.Name)
	}
	for _, name := range names {
		if !slices.Contains(all, name) {
			return nil, fmt.Errorf("drop: expected names of its fields, which are %s, got %q", strings.Join(all, ", "), name)
		}
	}
	left := slices.DeleteFunc(slices.Clone(fields), func(f Field) bool { return slices.Contains(names, f.Name) })
	if !slices.ContainsFunc(left, func(f Field) bool { return !f.Constant }) {
		return nil, fmt.Errorf("drop: expected at least one field that varies with time to be left of %s, got none", strings.Join(all, ", "))
	}
	return left, nil
}

// keep returns the values of the variable or of the constant fields without the named ones.
// The result is values itself if no field is dropped.
func (w *Window) keep(values []float32, constant bool, names []string) []float32 {
	var out []float32
	points, at := w.Points(), 0
	for _, f := range w.Fields {
		if f.Constant != constant {
			continue
		}
		n := f.ComponentCount(len(w.Grid)) * points
		if !slices.Contains(names, f.Name) {
			out = append(out, values[at:at+n]...)
		}
		at += n
	}
	if len(out) == len(values) {
		return values
	}
	return out
}

// Drop returns a view of ds without the named fields; see [Window.Drop].
func Drop(ds Dataset, names ...string) (Dataset, error) {
	if ds == nil {
		return nil, errNoDataset
	}
	if len(names) == 0 {
		return ds, nil
	}
	m := ds.Metadata()
	fields, err := dropFields(m.Fields, names)
	if err != nil {
		return nil, fmt.Errorf("data: data set %s: %w", m.Name, err)
	}
	m.Fields = fields
	return &dropped{Dataset: ds, meta: m, names: slices.Clone(names)}, nil
}

type dropped struct {
	Dataset
	meta  Metadata
	names []string
}

func (d *dropped) Metadata() Metadata { return d.meta }

func (d *dropped) Read(ctx context.Context, span Span, into *Window) (*Window, error) {
	w, err := d.Dataset.Read(ctx, span, into)
	if err != nil {
		return nil, err
	}
	out, err := w.Drop(d.names...)
	if err != nil || into == nil {
		return out, err
	}
	*into = *out
	return into, nil
}

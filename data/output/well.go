package output

import (
	"github.com/gowalrus/gowalrus/data/npz"
	"github.com/gowalrus/gowalrus/data/well"
)

// wellFile writes The Well's layout.
type wellFile struct{ w *well.Writer }

func createWell(path string, l *layout) (format, error) {
	h := well.Header{Dataset: l.Start.Name, GridType: l.GridType, Axes: l.axes, Coordinates: l.coordinates, Times: l.Times, Trajectories: max(l.Members, 1),
		Fields: l.Start.Fields, Boundaries: l.Start.Boundaries, Deflate: -1, Attributes: map[string]string{}}
	if h.Dataset == "" {
		h.Dataset = "forecast"
	}
	for _, a := range l.attributes() {
		if a[0] != "grid_type" { // the layout has it
			h.Attributes[a[0]] = a[1]
		}
	}
	w, err := well.Create(path, h, well.WriteOptions{})
	if err != nil {
		return nil, err
	}
	for m := range h.Trajectories {
		if len(l.constant) == 0 {
			break
		}
		if err := w.Constants(m, l.Start.Constants); err != nil {
			_ = w.Abort() // the first error says more
			return nil, err
		}
	}
	return wellFile{w}, nil
}

func (f wellFile) step(k int, frames [][]float32) error {
	for m, frame := range frames {
		if err := f.w.Frame(m, k, frame); err != nil {
			return err
		}
	}
	return nil
}

func (f wellFile) commit() error { return f.w.Close() }

func (f wellFile) abort() { _ = f.w.Abort() }

// npzFile writes NumPy's archive.
type npzFile struct{ w *npz.Writer }

func createNPZ(path string, l *layout) (format, error) {
	start := *l.Start
	start.Coordinates = l.coordinates
	provenance := map[string]string{}
	for _, a := range l.attributes() {
		provenance[a[0]] = a[1]
	}
	w, err := npz.Create(path, &start, npz.WriterOptions{Steps: len(l.Times), Times: l.Times, Members: l.Members, Provenance: provenance})
	return npzFile{w}, err
}

func (f npzFile) step(_ int, frames [][]float32) error { return f.w.Step(frames...) }

func (f npzFile) commit() error { return f.w.Close() }

func (f npzFile) abort() { f.w.Abort() }

package well

import (
	"fmt"

	"github.com/gowalrus/gowalrus/data"
)

// norm rescales the components of a field to (x − mean) / scale.
type norm struct{ mean, scale []float32 }

// minScale is the smallest scale of a field, as in The Well.
const minScale = 1e-4

// newNorms returns the statistics of every field, or nil without normalisation.
func newNorms(kind Normalization, s *data.Statistics, meta data.Metadata) (map[string]norm, error) {
	if kind == NoNormalization {
		return nil, nil
	}
	if kind != ZScore && kind != RMS {
		return nil, fmt.Errorf("expected normalisation 0 to 2, got %d", int(kind))
	}
	out := map[string]norm{}
	for _, f := range meta.Fields {
		n := f.ComponentCount(len(meta.Grid))
		v := norm{mean: make([]float32, n), scale: make([]float32, n)}
		table, name := s.RMS, "rms"
		if kind == ZScore {
			table, name = s.Std, "std"
			if err := lookUp(v.mean, s.Mean, "mean", f.Name); err != nil {
				return nil, err
			}
		}
		if err := lookUp(v.scale, table, name, f.Name); err != nil {
			return nil, err
		}
		for i, x := range v.scale {
			v.scale[i] = max(x, minScale)
		}
		out[f.Name] = v
	}
	return out, nil
}

func lookUp(dst []float32, table map[string][]float64, kind, field string) error {
	values, ok := table[field]
	if !ok || len(values) != len(dst) {
		return fmt.Errorf("%s of %q: expected %d values, got %v", kind, field, len(dst), values)
	}
	for i, v := range values {
		dst[i] = float32(v)
	}
	return nil
}

// apply rescales the channels of a field.
func (n norm) apply(values []float32) {
	points := len(values) / len(n.scale)
	for c, scale := range n.scale {
		mean := n.mean[c]
		part := values[c*points : (c+1)*points]
		for i, v := range part {
			part[i] = (v - mean) / scale
		}
	}
}

// normalize rescales the variable or the constant channels.
func (d *Dataset) normalize(values []float32, constant bool) {
	if d.norms == nil {
		return
	}
	for _, f := range d.meta.Fields {
		if f.Constant != constant {
			continue
		}
		n := f.ComponentCount(len(d.meta.Grid)) * d.points()
		d.norms[f.Name].apply(values[:n])
		values = values[n:]
	}
}

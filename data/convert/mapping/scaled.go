package mapping

import (
	"math"
	"slices"

	"github.com/gowalrus/gowalrus/data/well/driver"
)

// scaled is an array whose values the conventions of NetCDF encode: value = stored ·
// scale_factor + add_offset, missing where stored is _FillValue or missing_value. It gives
// NaN for missing values.
type scaled struct {
	driver.Dataset
	scale, offset float64
	linear        bool
	missing       []float64
}

// decoded opens an array of a file and applies its attributes.
func decoded(f file, name string) (driver.Dataset, error) {
	d, err := f.dataset(name)
	if err != nil {
		return nil, err
	}
	attributes := f.arrayAttributes(name)
	s := scaled{Dataset: d, scale: 1}
	if v, ok := scalar(attributes["scale_factor"]); ok {
		s.scale, s.linear = v, true
	}
	if v, ok := scalar(attributes["add_offset"]); ok {
		s.offset, s.linear = v, true
	}
	for _, key := range []string{"_FillValue", "missing_value"} {
		if v, ok := scalar(attributes[key]); ok && !math.IsNaN(v) {
			s.missing = append(s.missing, v)
		}
	}
	if !s.linear && s.missing == nil {
		return d, nil
	}
	return s, nil
}

// scalar returns a number that an attribute holds alone or as a list of one.
func scalar(v any) (float64, bool) {
	switch x := v.(type) {
	case float64:
		return x, true
	case int64:
		return float64(x), true
	case []float64:
		if len(x) == 1 {
			return x[0], true
		}
	case []int64:
		if len(x) == 1 {
			return float64(x[0]), true
		}
	}
	return 0, false
}

// Float32 reads a block. It is computed in float64 and rounded once.
func (s scaled) Float32(dst []float32, offset, count []int) error {
	values := make([]float64, len(dst))
	if err := s.Float64(values, offset, count); err != nil {
		return err
	}
	for i, v := range values {
		dst[i] = float32(v)
	}
	return nil
}

// Float64 reads a block.
func (s scaled) Float64(dst []float64, offset, count []int) error {
	if err := s.Dataset.Float64(dst, offset, count); err != nil {
		return err
	}
	for i, v := range dst {
		switch {
		case slices.Contains(s.missing, v):
			dst[i] = math.NaN()
		case s.linear:
			dst[i] = v*s.scale + s.offset
		}
	}
	return nil
}

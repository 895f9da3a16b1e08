package data

import (
	"fmt"
	"math"
)

// Statistics holds moments of a data set's fields over its training split, as in The Well's
// stats.yaml: for each kind and field one value per component, in row-major order.
type Statistics struct {
	Mean, Std, RMS                map[string][]float64
	MeanDelta, StdDelta, RMSDelta map[string][]float64
}

// tables returns the tables by their names in a stats.yaml.
func (s *Statistics) tables() map[string]*map[string][]float64 {
	return map[string]*map[string][]float64{
		"mean": &s.Mean, "std": &s.Std, "rms": &s.RMS,
		"mean_delta": &s.MeanDelta, "std_delta": &s.StdDelta, "rms_delta": &s.RMSDelta,
	}
}

// Channels returns one value per channel for fields with the components of three axes. As
// in the release, the components of a vector or tensor share one value: the root of their
// sum of squares, divided by √(3^order). Their means therefore lose their sign
// (docs/reference.md §8). Errors name the table by kind.
func (s *Statistics) Channels(kind string, table map[string][]float64, fields []Field) ([]float32, error) {
	var out []float32
	for _, f := range fields {
		values, ok := table[f.Name]
		if !ok {
			return nil, fmt.Errorf("data: statistics: %s: expected field %q, which is missing", kind, f.Name)
		}
		if len(values) == 0 {
			return nil, fmt.Errorf("data: statistics: %s of %q: expected one value per component, got none", kind, f.Name)
		}
		if f.Order == 0 && len(values) == 1 {
			out = append(out, float32(values[0]))
			continue
		}
		if err := f.Validate(); err != nil {
			return nil, fmt.Errorf("data: statistics: %s: %w", kind, err)
		}
		sum, count := 0.0, f.ComponentCount(3)
		if len(values) > count {
			return nil, fmt.Errorf("data: statistics: %s of %q: expected at most %d components, got %d", kind, f.Name, count, len(values))
		}
		for _, v := range values {
			sum += v * v
		}
		for range count {
			out = append(out, float32(math.Sqrt(sum)/math.Sqrt(float64(count))))
		}
	}
	return out, nil
}

package data

import (
	"fmt"
	"math"
	"os"

	"github.com/goccy/go-yaml"
)

// Statistics holds moments of a data set's fields over its training split, as in The Well's
// stats.yaml: for each kind and field one value per component, in row-major order.
type Statistics struct {
	Mean, Std, RMS                map[string][]float64
	MeanDelta, StdDelta, RMSDelta map[string][]float64
}

// ReadStatistics reads a stats.yaml file.
func ReadStatistics(path string) (*Statistics, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("data: statistics: %w", err)
	}
	s, err := ParseStatistics(raw)
	if err != nil {
		return nil, fmt.Errorf("data: statistics %s: %w", path, err)
	}
	return s, nil
}

// ParseStatistics parses the text of a stats.yaml: kind → field → number, list or list of
// lists. The kinds are mean, std, rms and the same with _delta; other keys are errors.
func ParseStatistics(raw []byte) (*Statistics, error) {
	var tree map[string]map[string]any
	if err := yaml.Unmarshal(raw, &tree); err != nil {
		return nil, fmt.Errorf("expected kinds with fields, e.g. rms: {density: 1.2}: %w", err)
	}
	s := &Statistics{}
	kinds := s.tables()
	for kind, fields := range tree {
		into, ok := kinds[kind]
		if !ok {
			return nil, fmt.Errorf("unknown key %q: expected mean, std, rms or one of these with _delta", kind)
		}
		*into = map[string][]float64{}
		for name, v := range fields {
			flat, err := flatten(v, nil)
			if err != nil {
				return nil, fmt.Errorf("%s of %s: %w", kind, name, err)
			}
			if len(flat) == 0 {
				return nil, fmt.Errorf("%s of %s: expected a number or a list of numbers, got %v", kind, name, v)
			}
			(*into)[name] = flat
		}
	}
	if len(tree) == 0 {
		return nil, fmt.Errorf("expected at least one of mean, std, rms, got an empty document")
	}
	return s, nil
}

// tables returns the tables by their names in a stats.yaml.
func (s *Statistics) tables() map[string]*map[string][]float64 {
	return map[string]*map[string][]float64{
		"mean": &s.Mean, "std": &s.Std, "rms": &s.RMS,
		"mean_delta": &s.MeanDelta, "std_delta": &s.StdDelta, "rms_delta": &s.RMSDelta,
	}
}

// flatten appends the numbers of nested lists in order.
func flatten(v any, out []float64) ([]float64, error) {
	switch v := v.(type) {
	case float64:
		return append(out, v), checkFinite(v)
	case int:
		return append(out, float64(v)), nil
	case int64:
		return append(out, float64(v)), nil
	case uint64:
		return append(out, float64(v)), nil
	case []any:
		var err error
		for _, x := range v {
			if out, err = flatten(x, out); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return nil, fmt.Errorf("expected a number or a list of numbers, got %v", v)
}

func checkFinite(v float64) error {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return fmt.Errorf("expected a finite number, got %v", v)
	}
	return nil
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

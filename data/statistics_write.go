package data

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/gowalrus/gowalrus/internal/atomicfile"
)

// Precision selects the digits of the numbers in a stats.yaml.
type Precision int

const (
	// FullPrecision writes the digits that reproduce the float64 exactly.
	FullPrecision Precision = iota
	// WellPrecision writes five digits, 1.2345E-02, as The Well's script does.
	WellPrecision
)

func (p Precision) format(v float64) string {
	if p == WellPrecision {
		return fmt.Sprintf("%.4E", v)
	}
	s := strconv.FormatFloat(v, 'E', -1, 64)
	if mantissa, exponent, _ := strings.Cut(s, "E"); !strings.Contains(mantissa, ".") {
		s = mantissa + ".0E" + exponent // floats in YAML have a point
	}
	return s
}

// Format returns the statistics as the text of a stats.yaml: kinds and fields sorted,
// scalars as numbers, vectors as lists, tensors as lists of lists. fields gives the tensor
// orders. A field of the statistics that fields lacks is an error, and so is a field whose
// number of components does not fit a grid with dims axes.
func (s *Statistics) Format(fields []Field, dims int, p Precision) ([]byte, error) {
	if s == nil {
		return nil, errors.New("data: statistics: expected statistics, got nil")
	}
	order := map[string]int{}
	for _, f := range fields {
		order[f.Name] = f.Order
	}
	var b strings.Builder
	tables := s.tables()
	for _, kind := range slices.Sorted(maps.Keys(tables)) {
		table := *tables[kind]
		if table == nil {
			continue
		}
		fmt.Fprintf(&b, "%s:\n", kind)
		for _, name := range slices.Sorted(maps.Keys(table)) {
			values := table[name]
			o, ok := order[name]
			if want := (Field{Order: o}).ComponentCount(dims); !ok || want == 0 || len(values) != want {
				return nil, fmt.Errorf("data: statistics: %s of %q: expected a field of %v with %d components, got %d", kind, name, fieldNames(fields), want, len(values))
			}
			fmt.Fprintf(&b, "  %s:", name)
			writeValues(&b, values, o, dims, p)
		}
	}
	return []byte(b.String()), nil
}

// writeValues writes the components of a field in block style.
func writeValues(b *strings.Builder, values []float64, order, dims int, p Precision) {
	if order == 0 {
		fmt.Fprintf(b, " %s\n", p.format(values[0]))
		return
	}
	b.WriteString("\n")
	for i, v := range values {
		lead := "  - "
		if order == 2 {
			lead = "    - "
			if i%dims == 0 {
				lead = "  - - "
			}
		}
		fmt.Fprintf(b, "%s%s\n", lead, p.format(v))
	}
}

// WriteStatistics writes a stats.yaml. The path never holds half of the text.
func WriteStatistics(path string, s *Statistics, fields []Field, dims int, p Precision) error {
	text, err := s.Format(fields, dims, p)
	if err != nil {
		return err
	}
	if err := atomicfile.WriteBytes(path, text); err != nil {
		return fmt.Errorf("data: statistics: %w", err)
	}
	return nil
}

// Small lists the standard deviations that do not exceed limit: "std of pressure". The
// Well's script refuses data sets with deviations below 1e-4, because normalising such a
// field only shows its noise.
func (s *Statistics) Small(limit float64) []string {
	var out []string
	for _, t := range []struct {
		kind  string
		table map[string][]float64
	}{{"std", s.Std}, {"std_delta", s.StdDelta}} {
		for _, name := range slices.Sorted(maps.Keys(t.table)) {
			if values := t.table[name]; len(values) > 0 && slices.Min(values) <= limit {
				out = append(out, t.kind+" of "+name)
			}
		}
	}
	return out
}

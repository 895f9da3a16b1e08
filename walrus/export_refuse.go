package walrus

import (
	"fmt"
	"strings"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/data"
)

// ExportError lists why the reference cannot run a network as it was trained.
type ExportError struct{ Reasons []string }

// Error joins the reasons.
func (e *ExportError) Error() string {
	return "walrus: export: the reference cannot run this network: " + strings.Join(e.Reasons, "; ")
}

// exportKernel holds the only kernels that work with every stride of the reference.
var exportKernel = [2]int{8, 4}

// unexportable lists the properties that the reference cannot express, nil for none.
func (w *Weights) unexportable() []string {
	var reasons []string
	refuse := func(is bool, format string, args ...any) {
		if is {
			reasons = append(reasons, fmt.Sprintf(format, args...))
		}
	}
	c := w.config
	refuse(c.Norm != NormChannel, "its norm averages over groups of channels, the reference's over each channel")
	refuse(c.Kernel != exportKernel, "its kernels are %v, the strides of the reference need %v", c.Kernel, exportKernel)
	refuse(c.TimeBias == BiasNone && !c.Causal, "its attention in time has no bias and is not causal, without a bias the reference's is causal")
	for _, dims := range c.Dims {
		refuse(dims == 1, "it has a 1D encoder, the reference fails on 1D fields")
		if dims > 1 {
			want := csm.ReleasedTokens()[dims-1]
			got := c.TokenTarget(dims)
			refuse(got != want, "it aims at %d tokens per axis in %dD, the reference at %d", got, dims, want)
			refuse(len(c.Strides[dims]) > 0, "it was trained with the strides %v in %dD, the reference chooses strides by the grid alone", c.Strides[dims], dims)
		}
	}
	if _, err := scalingFor(EmulatorOptions{}, w.scaling, w.missing); err != nil {
		refuse(true, "its scaling is not complete: %v", err)
	} else if s := w.scaling.Statistics; s != nil {
		for _, t := range tablesOf(s) {
			needed := strings.Contains(t.name, "rms") == (w.scaling.Normalization == NormalizeRMS)
			refuse(needed && len(t.values) == 0, "its statistics have no %s", t.name)
		}
	}
	return reasons
}

// table is one kind of statistics.
type table struct {
	name   string
	values map[string][]float64
}

// tablesOf lists the kinds of statistics.
func tablesOf(s *data.Statistics) []table {
	return []table{{"mean", s.Mean}, {"std", s.Std}, {"rms", s.RMS},
		{"mean_delta", s.MeanDelta}, {"std_delta", s.StdDelta}, {"rms_delta", s.RMSDelta}}
}

// formatStatistics returns statistics as a stats.yaml. The number of components of a
// field tells whether it is a scalar, a vector or a tensor.
func formatStatistics(s *data.Statistics) ([]byte, error) {
	kinds := map[int][2]int{1: {0, 0}, 2: {1, 2}, 3: {1, 3}, 4: {2, 2}, 9: {2, 3}} // order, dimensions
	dims, found := 0, map[string]int{}
	for _, t := range tablesOf(s) {
		for name, values := range t.values {
			kind, ok := kinds[len(values)]
			if !ok || kind[1] != 0 && dims != 0 && kind[1] != dims {
				return nil, fmt.Errorf("statistics: %s of %q: expected the components of a scalar, a vector or a tensor in as many dimensions as the other fields, got %d", t.name, name, len(values))
			}
			dims, found[name] = max(dims, kind[1]), kind[0]
		}
	}
	var fields []data.Field
	for name, order := range found {
		fields = append(fields, data.Field{Name: name, Order: order})
	}
	return s.Format(fields, max(dims, 1), data.FullPrecision)
}

package eval

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/golden"
)

// goldenEps is the eps of every metric in the description of the vectors; the
// reference's VMSE and VRMSE ignore it and use DefaultEps.
const goldenEps = 1e-5

// goldenMetrics maps the reference's names to metrics of this package.
var goldenMetrics = map[string]Metric{
	"MSE": MSE, "RMSE": RMSE, "MAE": MAE, "LInfinity": Linf,
	"NMSE": WithEps(NMSE, goldenEps), "NRMSE": WithEps(NRMSE, goldenEps), "NMAE": WithEps(NMAE, goldenEps),
	"VMSE": WithEps(VMSE, DefaultEps), "VRMSE": WithEps(VRMSE, DefaultEps),
	"PearsonR": WithEps(PearsonR, goldenEps),
}

// TestGoldenMetrics compares every metric with the reference, value by value.
// The reference sums in float32: 5e-6 is 40 of its roundings.
func TestGoldenMetrics(t *testing.T) {
	golden.Every(t, "k_", func(t *testing.T, c golden.Case) {
		f := c.Open(t)
		for i := range c.Items {
			pred, shape := f.Float32(t, fmt.Sprintf("%d.pred", i))
			ref, _ := f.Float32(t, fmt.Sprintf("%d.ref", i))
			tested := 0
			for _, tensor := range f.Names() {
				name, ok := strings.CutPrefix(tensor, fmt.Sprintf("%d.", i))
				if !ok || name == "pred" || name == "ref" {
					continue
				}
				metric, ok := goldenMetrics[name]
				require.True(t, ok, "the reference's metric %s has no counterpart", name)
				t.Run(fmt.Sprintf("%d.%s", i, name), func(t *testing.T) {
					want, _ := f.Float32(t, fmt.Sprintf("%d.%s", i, name))
					got := applyAll(t, metric, pred, ref, shape)
					require.Len(t, got, len(want))
					for k, w := range want {
						require.InDelta(t, w, got[k], 5e-6*math.Abs(float64(w))+1e-7, "value %d", k)
					}
				})
				tested++
			}
			require.Equal(t, len(goldenMetrics), tested)
		}
	})
}

// applyAll applies a metric to [B,T,H,W,D,C] tensors and returns [B,T,C] values.
func applyAll(t *testing.T, metric Metric, pred, ref []float32, shape []int) []float64 {
	channels := shape[len(shape)-1]
	points := shape[2] * shape[3] * shape[4]
	var out []float64
	for bt := range shape[0] * shape[1] {
		for c := range channels {
			x, y := make([]float32, points), make([]float32, points)
			for p := range points {
				at := (bt*points+p)*channels + c
				x[p], y[p] = pred[at], ref[at]
			}
			v, err := metric(x, y)
			require.NoError(t, err)
			out = append(out, v)
		}
	}
	return out
}

// TestGoldenIntervalBounds compares the bounds with the reference's table.
func TestGoldenIntervalBounds(t *testing.T) {
	golden.Every(t, "k_", func(t *testing.T, c golden.Case) {
		var extra struct{ Intervals map[string][]int }
		c.Decode(t, &extra)
		require.NotEmpty(t, extra.Intervals)
		for _, key := range slices.Sorted(maps.Keys(extra.Intervals)) {
			n, err := strconv.Atoi(key)
			require.NoError(t, err)
			got, err := IntervalBounds(n, DefaultIntervals)
			require.NoError(t, err)
			require.Equal(t, extra.Intervals[key], got, "%d steps", n)
		}
	})
}

// TestGoldenSplit compares the averages over the intervals and all steps.
func TestGoldenSplit(t *testing.T) {
	golden.Every(t, "k_", func(t *testing.T, c golden.Case) {
		f := c.Open(t)
		values, shape := f.Float32(t, "split.loss_values")
		steps, channels := shape[1], shape[2]
		got := map[string][]float64{}
		for b := range shape[0] {
			table := make([][]float64, steps)
			for s := range table {
				for _, v := range values[(b*steps+s)*channels : (b*steps+s+1)*channels] {
					table[s] = append(table[s], float64(v))
				}
			}
			parts, all, err := Split(table, DefaultIntervals)
			require.NoError(t, err)
			collect(got, "all", all)
			for _, p := range parts {
				collect(got, fmt.Sprintf("%d:%d", p.From, p.To), p)
			}
		}
		compared := 0
		for _, name := range f.Names() {
			if !strings.HasPrefix(name, "split.out.") {
				continue
			}
			want, _ := f.Float32(t, name)
			key := strings.Replace(strings.TrimPrefix(name, "split.out.dset/"), "_VRMSE_T=", " ", 1)
			require.InDeltaSlice(t, want, got[key], 1e-6, name)
			compared++
		}
		require.Equal(t, len(got), compared)
	})
}

// collect stores a mean under "field interval"; the fields are a, b, c, …
func collect(got map[string][]float64, interval string, m IntervalMean) {
	got["full "+interval] = append(got["full "+interval], m.Full)
	for c, v := range m.Fields {
		key := string(rune('a'+c)) + " " + interval
		got[key] = append(got[key], v)
	}
}

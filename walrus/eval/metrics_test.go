package eval

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pair returns a random truth with mean 3 and a disturbed forecast of it.
func pair(n int) (pred, ref []float32) {
	r := rand.New(rand.NewPCG(uint64(n), 7))
	for range n {
		y := float32(3 + r.NormFloat64())
		ref = append(ref, y)
		pred = append(pred, y+float32(0.3*r.NormFloat64()))
	}
	return pred, ref
}

// naive holds sums of the formulas as they are written, one loop each.
type naive struct{ mse, mae, linf, sq, abs, variance, cov, sx, sy float64 }

func naively(pred, ref []float32) (v naive) {
	n := float64(len(ref))
	mx, my := 0.0, 0.0
	for i := range ref {
		mx += float64(pred[i])
		my += float64(ref[i])
	}
	mx, my = mx/n, my/n
	for i := range ref {
		x, y := float64(pred[i]), float64(ref[i])
		v.mse += (x - y) * (x - y) / n
		v.mae += math.Abs(x-y) / n
		v.linf = math.Max(v.linf, math.Abs(x-y))
		v.sq += y * y / n
		v.abs += math.Abs(y) / n
		v.variance += (y - my) * (y - my) / (n - 1)
		v.cov += (x - mx) * (y - my) / n
		v.sx += (x - mx) * (x - mx) / (n - 1)
	}
	v.sx, v.sy = math.Sqrt(v.sx), math.Sqrt(v.variance)
	return v
}

func TestMetricsMatchNaive(t *testing.T) {
	const eps = 0.25 // large, so that a metric that drops it is caught
	for _, n := range []int{2, 3, 17, 48 * 48} {
		pred, ref := pair(n)
		v := naively(pred, ref)
		for _, c := range []struct {
			name   string
			metric Metric
			want   float64
		}{
			{"MSE", MSE, v.mse}, {"RMSE", RMSE, math.Sqrt(v.mse)}, {"MAE", MAE, v.mae}, {"Linf", Linf, v.linf},
			{"VMSE", WithEps(VMSE, eps), v.mse / (v.variance + eps)},
			{"VRMSE", WithEps(VRMSE, eps), math.Sqrt(v.mse / (v.variance + eps))},
			{"NMSE", WithEps(NMSE, eps), v.mse / (v.sq + eps)},
			{"NRMSE", WithEps(NRMSE, eps), math.Sqrt(v.mse / (v.sq + eps))},
			{"NMAE", WithEps(NMAE, eps), v.mae / (v.abs + eps)},
			{"PearsonR", WithEps(PearsonR, eps), v.cov / (v.sx*v.sy + eps)},
		} {
			t.Run(fmt.Sprintf("%s/%d", c.name, n), func(t *testing.T) {
				got, err := c.metric(pred, ref)
				require.NoError(t, err)
				assert.InEpsilon(t, c.want, got, 1e-12)
			})
		}
	}
}

// A metric that divides by the size of the truth does not depend on units.
func TestScaledMetricsIgnoreUnits(t *testing.T) {
	pred, ref := pair(500)
	x, y := make([]float32, 500), make([]float32, 500)
	for i := range x {
		x[i], y[i] = 1024*pred[i], 1024*ref[i] // a power of two: exact
	}
	for name, m := range map[string]EpsMetric{"VRMSE": VRMSE, "NRMSE": NRMSE, "NMAE": NMAE, "PearsonR": PearsonR} {
		a, err := m(pred, ref, 0)
		require.NoError(t, err)
		b, err := m(x, y, 0)
		require.NoError(t, err)
		assert.InEpsilon(t, a, b, 1e-12, name)
	}
}

// The forecast "mean of the truth" scores √((n-1)/n), just below 1.
func TestVRMSEOfTheMean(t *testing.T) {
	got, err := VRMSE([]float32{2, 2, 2, 2}, []float32{1, 3, 1, 3}, 0)
	require.NoError(t, err)
	assert.InDelta(t, math.Sqrt(3.0/4.0), got, 1e-15)
}

func TestMetricsRefuse(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, c := range []struct {
		name      string
		pred, ref []float32
		want      string
	}{
		{"lengths", []float32{1, 2}, []float32{1, 2, 3}, "got 2 and 3"},
		{"empty", nil, nil, "at least one point"},
		{"nan forecast", []float32{1, nan}, []float32{1, 2}, "forecast: expected finite values, got NaN at point 1"},
		{"inf truth", []float32{1, 2}, []float32{inf, 2}, "truth: expected finite values, got +Inf at point 0"},
	} {
		for name, m := range goldenMetrics {
			_, err := m(c.pred, c.ref)
			require.ErrorContains(t, err, c.want, "%s: %s", c.name, name)
		}
	}
	_, err := VRMSE([]float32{1}, []float32{1}, DefaultEps)
	require.ErrorContains(t, err, "two points")
	_, err = VRMSE([]float32{1, 2}, []float32{1, 3}, -1)
	require.ErrorContains(t, err, "eps")
	_, err = VRMSE([]float32{1, 2}, []float32{1, 3}, math.NaN())
	require.ErrorContains(t, err, "eps")
	_, err = VRMSE([]float32{1, 2}, []float32{5, 5}, 0)
	require.ErrorContains(t, err, "does not vary")
}

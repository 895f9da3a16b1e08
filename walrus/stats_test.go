package walrus_test

import (
	"fmt"
	"math"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
)

// naiveMoments returns the mean and the scale of values (docs/reference.md §8).
func naiveMoments(v []float64, kind walrus.Normalization, eps float64) (mean, scale float64) {
	n := float64(len(v))
	if kind == walrus.NormalizeMeanStd {
		for _, x := range v {
			mean += x / n
		}
		n--
	}
	for _, x := range v {
		scale += (x - mean) * (x - mean)
	}
	return mean, math.Max(math.Sqrt(scale/n), eps)
}

// TestSampleStats compares with loops, for channels of very different scales, a channel
// that does not change and a channel of zeros.
func TestSampleStats(t *testing.T) {
	const batch, channels, h, w, eps = 2, 4, 5, 3, 1e-3
	for _, steps := range []int{1, 2, 4} {
		for kind, name := range map[walrus.Normalization]string{walrus.NormalizeRMS: "rms", walrus.NormalizeMeanStd: "mean and std"} {
			t.Run(fmt.Sprintf("%s T=%d", name, steps), func(t *testing.T) {
				x := make([]float64, steps*batch*channels*h*w)
				at := func(s, b, c, p int) *float64 { return &x[((s*batch+b)*channels+c)*h*w+p] }
				for i, v := range noiseOf(5, len(x)) {
					c := i / (h * w) % channels
					x[i] = []float64{float64(v), 1e4 + 100*float64(v), 7, 0}[c]
				}
				var want [4][]float64
				for b := range batch {
					for c := range channels {
						var v, delta []float64
						for s := range steps {
							for p := range h * w {
								v = append(v, *at(s, b, c, p))
								if s > 0 {
									delta = append(delta, *at(s, b, c, p)-*at(s-1, b, c, p))
								}
							}
						}
						mean, std := naiveMoments(v, kind, eps)
						dMean, dStd := 0.0, 1.0
						if steps > 1 {
							dMean, dStd = naiveMoments(delta, kind, eps)
						}
						for i, m := range []float64{mean, std, dMean, dStd} {
							want[i] = append(want[i], m)
						}
					}
				}
				got := testbackend.RunAs[float64](t, func(in []*Node) []*Node {
					s := walrus.SampleStats(in[0], walrus.Scaling{Normalization: kind, Eps: eps})
					s.Mean.AssertDims(1, batch, channels, 1, 1, 1)
					s.DeltaStd.AssertDims(1, batch, channels, 1, 1, 1)
					return []*Node{s.Mean, s.Std, s.DeltaMean, s.DeltaStd, s.Denormalize(s.Normalize(in[0]))}
				}, testbackend.Tensor(x, steps, batch, channels, h, w, 1))
				for i, what := range []string{"mean", "std", "delta mean", "delta std"} {
					for k, v := range want[i] {
						require.InDelta(t, v, got[i][k], 1e-9*max(1, math.Abs(v)), "%s %d", what, k)
					}
				}
				for i, v := range x {
					require.InDelta(t, v, got[4][i], 1e-9*max(1, math.Abs(v)), "denormalised")
				}
			})
		}
	}
}

// TestStatsCarryNoGradient: gradients treat the statistics as constants.
func TestStatsCarryNoGradient(t *testing.T) {
	got := testbackend.RunAs[float64](t, func(in []*Node) []*Node {
		s := walrus.SampleStats(in[0], walrus.Scaling{Normalization: walrus.NormalizeMeanStd})
		g := Gradient(ReduceAllSum(s.Normalize(in[0])), in[0])[0]
		return []*Node{Mul(g, s.Std)}
	}, testbackend.Tensor([]float64{1, 2, 4, 9}, 2, 1, 1, 2, 1, 1))
	assert.InDeltaSlice(t, []float64{1, 1, 1, 1}, got[0], 1e-12)
}

func TestGlobalStats(t *testing.T) {
	s := &data.Statistics{
		RMS:      map[string][]float64{"density": {2}, "velocity": {3, 4}, "mask": {1e-9}},
		RMSDelta: map[string][]float64{"density": {0.5}, "velocity": {0.3, 0.4}},
	}
	fields := []data.Field{{Name: "mask", Constant: true}, {Name: "density"}, {Name: "velocity", Order: 1}}
	got, err := walrus.GlobalStats(walrus.Scaling{Statistics: s}, fields)
	require.NoError(t, err)
	v, dv := float32(5/math.Sqrt(3)), float32(0.5/math.Sqrt(3))
	assert.Equal(t, []float32{2, v, v, v, walrus.DefaultStatEps}, got.Std, "variable fields first, small scales raised to the floor")
	assert.Equal(t, []float32{0.5, dv, dv, dv}, got.DeltaStd, "changes of the variable fields only")
	assert.Equal(t, make([]float32, 5), got.Mean)
	assert.Equal(t, make([]float32, 4), got.DeltaMean)
}

func TestGlobalStatsErrors(t *testing.T) {
	one := map[string][]float64{"density": {1}}
	density := []data.Field{{Name: "density"}}
	for _, c := range []struct {
		name, want string
		s          *data.Statistics
		fields     []data.Field
		kind       walrus.Normalization
	}{
		{"none", "walrus: statistics: expected those of a data set (rms and rms_delta), got none", nil, density, walrus.NormalizeRMS},
		{"missing field", `data: statistics: rms: expected field "energy", which is missing`, &data.Statistics{RMS: one, RMSDelta: one},
			[]data.Field{{Name: "density"}, {Name: "energy", Constant: true}}, walrus.NormalizeRMS},
		{"missing delta", `data: statistics: rms_delta: expected field "density", which is missing`, &data.Statistics{RMS: one}, density, walrus.NormalizeRMS},
		{"other kind", `data: statistics: mean: expected field "density", which is missing`, &data.Statistics{RMS: one, RMSDelta: one}, density, walrus.NormalizeMeanStd},
		{"negative", "walrus: statistics: std of channel 0: expected a positive number, got -1",
			&data.Statistics{Mean: one, Std: map[string][]float64{"density": {-1}}}, density, walrus.NormalizeMeanStd},
		{"NaN", "walrus: statistics: rms of channel 0: expected a positive number, got NaN",
			&data.Statistics{RMS: map[string][]float64{"density": {math.NaN()}}}, density, walrus.NormalizeRMS},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := walrus.GlobalStats(walrus.Scaling{Normalization: c.kind, Statistics: c.s}, c.fields)
			require.EqualError(t, err, c.want)
		})
	}
}

// TestNextFrameNaive checks the computation of the next frame from the network's output
// y: it is u + y·std, or y·std + mean, with zeros at solid points and in padding
// components.
func TestNextFrameNaive(t *testing.T) {
	for _, prediction := range []walrus.Prediction{walrus.PredictDelta, walrus.PredictFull} {
		c := smallConfig()
		c.Prediction = prediction
		m, err := walrus.NewModel(c)
		require.NoError(t, err)
		plan, err := m.Plan([]int{16, 8}, data.Boundaries{walled, periodic})
		require.NoError(t, err)
		in := graphWeights(t, livelyWeights(t, c))
		in["u"] = testbackend.Tensor(noiseOf(1, 3*1*2*128), 3, 1, 2, 16, 8, 1)
		in["solid"] = testbackend.Tensor(withMask(flow([]int{16, 8}, nil, 1)).Constants, 1, 1, 16, 8, 1)
		in["real"] = testbackend.Tensor([]float32{1, 0}, 2)
		in["ids"] = testbackend.Tensor([]int32{3, 5, 7}, 3)
		got := testbackend.RunNamed(t, in, func(in map[string]*Node, out *testbackend.Outputs) {
			w := m.Weights(varsOf(in))
			s := walrus.StepInputs{History: in["u"], Constants: in["solid"], Real: in["real"], Solid: in["solid"], Net: walrus.Inputs{IDs: in["ids"]}}
			scaling := walrus.Scaling{Normalization: walrus.NormalizeMeanStd}
			out.Add("next", m.NextFrame(w, s, plan, scaling))
			x := walrus.WithConstants(in["u"], in["solid"])
			x.AssertDims(3, 1, 3, 16, 8, 1)
			stats := walrus.SampleStats(x, scaling)
			out.Add("y", m.Forward(w, walrus.Inputs{X: stats.Normalize(x), IDs: in["ids"], LastOnly: true}, plan))
			for name, n := range map[string]*Node{"mean": stats.Mean, "std": stats.Std, "dmean": stats.DeltaMean, "dstd": stats.DeltaStd} {
				out.Add(name, n)
			}
		})
		u, solid := tensors.MustCopyFlatData[float32](in["u"]), tensors.MustCopyFlatData[float32](in["solid"])
		want := make([]float32, 2*128)
		for p := range 128 {
			switch {
			case solid[p] != 0:
			case prediction == walrus.PredictDelta:
				want[p] = u[2*2*128+p] + got["y"][p]*got["dstd"][0] + got["dmean"][0]
			default:
				want[p] = got["y"][p]*got["std"][0] + got["mean"][0]
			}
		}
		requireNear(t, want, got["next"], 1e-6, prediction.String())
	}
}

func TestScalingValidate(t *testing.T) {
	require.NoError(t, walrus.Scaling{}.Validate())
	require.EqualError(t, walrus.Scaling{Normalization: 2}.Validate(), "normalization: expected NormalizeRMS or NormalizeMeanStd, got 2")
	require.EqualError(t, walrus.Scaling{Eps: -1}.Validate(), "eps: expected a positive number or 0 for the default, got -1")
	require.Error(t, walrus.Scaling{Eps: math.NaN()}.Validate())
}

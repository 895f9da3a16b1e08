package train

import (
	"math"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/stretchr/testify/require"
)

// modelTol is the largest error of outputs and gradients, relative to the
// tensor's largest magnitude.
const modelTol = 1e-4

// fixture is a golden training case: model, weights and batch.
type fixture struct {
	model   *walrus.Model
	weights *walrus.Weights
	batch   golden.Batch
	file    *golden.File
}

func load(t *testing.T, c golden.Case, change func(*walrus.Config)) fixture {
	t.Helper()
	cfg, err := walrus.ReadConfig(golden.Path(t, "extended_config.yaml"))
	require.NoError(t, err)
	change(&cfg)
	w, _, err := walrus.LoadWeights(golden.Path(t, c.Weights), cfg, walrus.LoadOptions{AllowMissing: true, AllowUnexpected: true})
	require.NoError(t, err)
	m, err := walrus.NewModel(cfg)
	require.NoError(t, err)
	f := c.Open(t)
	return fixture{m, w, f.Batch(t, cfg.Registry.Map()), f}
}

func asReleased(*walrus.Config) {}

// draws reads the recorded random numbers of forward pass i.
func draws(t *testing.T, f *golden.File, i int) *walrus.Draws {
	t.Helper()
	shift, _ := f.Int32(t, "jitter")
	flat, shape := f.Int32(t, "block_rolls")
	blocks := shape[len(shape)-2]
	d := &walrus.Draws{Shift: [3]int32(shift[3*i:])}
	for b := range blocks {
		d.Rolls = append(d.Rolls, [3]int32(flat[3*(i*blocks+b):]))
	}
	return d
}

// run computes loss, gradients, predictions and targets.
func (x fixture) run(t *testing.T, keys []string) map[string][]float32 {
	t.Helper()
	h, err := prepare(x.model, Objective{}, &Batch{Windows: x.batch.Windows})
	require.NoError(t, err)
	h.draws = *draws(t, x.file, 0)
	batch, err := h.inputs(x.model, h.draws, 0)
	require.NoError(t, err)
	in := map[string]*tensors.Tensor{}
	params, err := x.model.ParamsFor(h.plan)
	require.NoError(t, err)
	for _, p := range params {
		in["w."+p.Key], _ = x.weights.Tensor(p.Key)
	}
	for _, x := range batch {
		in[x.Name] = x.Tensor
	}
	return testbackend.RunNamed(t, in, func(in map[string]*Node, out *testbackend.Outputs) {
		vars := layers.VarsFrom(func(key string, _ layers.Init, _ []int) *Node { return in["w."+key] })
		r := Objective{}.Loss(x.model, x.model.WeightsFor(vars, h.plan), h.nodes(in), h.plan)
		channelsLast := func(n *Node) *Node { return TransposeAllDims(n, 1, 0, 3, 4, 5, 2) }
		out.Add("loss", r.Loss)
		out.Add("y_pred", channelsLast(r.Predictions))
		out.Add("y_ref", channelsLast(r.Targets))
		out.Add("sample_std", r.Stats.Std)
		out.Add("delta_std", r.Stats.DeltaStd)
		error := Abs(Sub(r.Predictions, r.Targets))
		if error.Shape().Dim(0) > 1 {
			error = SliceAxis(error, 0, AxisRange(1))
		}
		out.Add("loss_per_field", TransposeAllDims(ReduceMean(error, 3, 4, 5), 1, 0, 2))
		var wrt []*Node
		for _, k := range keys {
			wrt = append(wrt, in["w."+k])
		}
		for i, g := range Gradient(r.Loss, wrt...) {
			out.Add("grad."+keys[i], g)
		}
	})
}

func isDraw(name string) bool {
	return strings.HasPrefix(name, "batch.") || name == "jitter" || name == "block_rolls"
}

// passes holds the results of the training passes by case, so that the tests of losses and
// of gradients share one run.
var passes = map[string]map[string][]float32{}

// trained runs a training case, gradients included, once per process.
func trained(t *testing.T, c golden.Case) map[string][]float32 {
	t.Helper()
	if got, ok := passes[c.Case]; ok {
		return got
	}
	grads := golden.Load(t).Case(t, strings.Replace(c.Case, "train", "grads", 1))
	passes[c.Case] = load(t, c, asReleased).run(t, grads.Open(t).Names())
	return passes[c.Case]
}

func TestGoldenLoss(t *testing.T) {
	golden.Every(t, "i_train", func(t *testing.T, c golden.Case) {
		got, f := trained(t, c), c.Open(t)
		for _, name := range f.Names() {
			if isDraw(name) {
				continue
			}
			require.Contains(t, got, name, "golden tensor that no test computes")
			want, _ := f.Float32(t, name)
			golden.Compare(t, name, got[name], want, modelTol)
		}
	})
}

// zeroGradient reports whether the gradient of a tensor is rounding noise in every
// implementation (docs/reference.md §16).
func zeroGradient(key string) bool { return strings.HasSuffix(key, "time_mixing.knorm.bias") }

func TestGoldenGradients(t *testing.T) {
	golden.Every(t, "i_grads", func(t *testing.T, c golden.Case) {
		train := golden.Load(t).Case(t, strings.Replace(c.Case, "grads", "train", 1))
		got, f := trained(t, train), c.Open(t)
		var meta struct {
			Subsample *string `json:"kernel_subsample"`
			Norm      float64 `json:"total_grad_norm"`
		}
		c.Decode(t, &meta)
		sum := 0.0
		for _, key := range f.Names() {
			for _, g := range got["grad."+key] {
				sum += float64(g) * float64(g)
			}
		}
		require.InEpsilon(t, meta.Norm, math.Sqrt(sum), modelTol, "global gradient norm")
		compareKernels(t, f, f.Names(), got, "grad.", turning(t, train), meta.Subsample != nil, modelTol, 0)
	})
}

// compareKernels compares tensors by key; convolution kernels may be stored
// thinned. abs, if not 0, is an absolute tolerance.
func compareKernels(t *testing.T, f *golden.File, keys []string, got map[string][]float32, prefix string, turns []bool, thinned bool, tol, abs float64) {
	t.Helper()
	for _, key := range keys {
		want, shape := f.Float32(t, key)
		have := got[prefix+key]
		if thinned && len(shape) == 5 && len(have) != len(want) {
			full := []int{shape[0], shape[1], 2 * shape[2], 2 * shape[3], 2 * shape[4]}
			have, _ = golden.Sub(have, full, 2, 0)
		}
		if zeroGradient(key) {
			continue
		}
		if strings.HasSuffix(key, "space_mixing.k_norm.bias") {
			have, want = only(have, turns), only(want, turns)
		}
		if abs == 0 {
			golden.Compare(t, key, have, want, tol)
			continue
		}
		for i := range want {
			require.InDelta(t, want[i], have[i], abs, "%s at %d", key, i)
		}
	}
}

// turning reports for each dimension of a head whether its rotation differs between the
// tokens of a case's grid. In the other dimensions the gradient of k_norm.bias is rounding
// noise.
func turning(t *testing.T, c golden.Case) []bool {
	t.Helper()
	x := load(t, c, asReleased)
	defer x.weights.Close()
	h, err := prepare(x.model, Objective{}, &Batch{Windows: x.batch.Windows})
	require.NoError(t, err)
	k := x.model.Config().HeadWidth()
	return golden.Turning(layers.RoPEBase(k), k, h.plan.TokenGrid())
}

// only returns the values for which keep is true.
func only(values []float32, keep []bool) (out []float32) {
	for i, v := range values {
		if keep[i] {
			out = append(out, v)
		}
	}
	return out
}

// adamwRun holds the results of a replayed optimiser run.
type adamwRun struct {
	losses, norms []float64
	before, after map[string][]float32
	unchanged     []string
}

// adamwRuns holds the runs of this process by case. The case of the losses and that of the
// final weights use the same run.
var adamwRuns = map[string]adamwRun{}

// TestGoldenAdamW replays whole optimiser runs, accumulation included.
func TestGoldenAdamW(t *testing.T) {
	golden.Every(t, "l_adamw", func(t *testing.T, c golden.Case) {
		if base, ok := strings.CutSuffix(c.Case, "_final"); ok {
			compareFinal(t, c, replay(t, golden.Load(t).Case(t, base)))
			return
		}
		f, run := c.Open(t), replay(t, c)
		norms, _ := f.Float32(t, "grad_norm_before_clip")
		mae, _ := f.Float32(t, "mae_per_microbatch")
		require.Len(t, run.losses, len(mae))
		require.Len(t, run.norms, len(norms))
		for i, loss := range run.losses {
			require.InEpsilon(t, mae[i], loss/100, modelTol, "loss of micro-batch %d", i)
		}
		for i, norm := range run.norms {
			require.InEpsilon(t, norms[i], norm, modelTol, "gradient norm of update %d", i)
		}
	})
}

// replay repeats the run of a case with its recorded draws.
func replay(t *testing.T, c golden.Case) adamwRun {
	t.Helper()
	if r, ok := adamwRuns[c.Case]; ok {
		return r
	}
	var meta struct {
		Accumulate int `json:"grad_acc_steps"`
		Steps      int `json:"optimizer_steps"`
		Unchanged  []string
	}
	c.Decode(t, &meta)
	x := load(t, c, asReleased)
	defer x.weights.Close()
	tr, err := New(x.weights, Options{Backend: testbackend.New(t)})
	require.NoError(t, err)
	r := adamwRun{before: snapshot(t, x.weights), unchanged: meta.Unchanged}
	for step := range meta.Steps {
		for k := range meta.Accumulate {
			loss, err := tr.Accumulate(&Batch{Windows: x.batch.Windows, Draws: draws(t, x.file, step*meta.Accumulate+k)})
			require.NoError(t, err)
			r.losses = append(r.losses, loss)
		}
		norm, err := tr.Update(2e-4)
		require.NoError(t, err)
		r.norms = append(r.norms, norm)
	}
	r.after = snapshot(t, x.weights)
	adamwRuns[c.Case] = r
	return r
}

// compareFinal compares the weights after a run.
func compareFinal(t *testing.T, c golden.Case, run adamwRun) {
	t.Helper()
	f := c.Open(t)
	for _, key := range f.Names() {
		require.Contains(t, run.after, key)
	}
	var stored struct {
		Subsample *string `json:"kernel_subsample"`
	}
	c.Decode(t, &stored)
	// Adam divides a gradient by its own magnitude. If that is small, the rounding of
	// the softmax's sums, whose order differs between backends, becomes a visible part
	// of a step. 4e-6 is 2 % of one step of 2e-4; the Go backend stays below 1 %.
	base := golden.Load(t).Case(t, strings.TrimSuffix(c.Case, "_final"))
	compareKernels(t, f, f.Names(), run.after, "", turning(t, base), stored.Subsample != nil, 0, 4e-6)
	for _, key := range run.unchanged {
		require.Equal(t, run.before[key], run.after[key], "%s has no gradient and must not change", key)
	}
}

// TestGoldenFinetune checks learnable frequencies per axis and the absolute
// position embedding.
func TestGoldenFinetune(t *testing.T) {
	golden.Every(t, "p_", func(t *testing.T, c golden.Case) {
		f := c.Open(t)
		ape, shape := f.Float32(t, "ape")
		x := load(t, c, func(cfg *walrus.Config) {
			cfg.RoPE, cfg.APE = walrus.RoPEPerAxis, shape[3:]
		})
		require.NoError(t, x.weights.Set("ape", testbackend.Tensor(ape, shape...)))
		var keys []string
		for _, name := range f.Names() {
			if key, ok := strings.CutPrefix(name, "w."); ok {
				v, s := f.Float32(t, name)
				require.NoError(t, x.weights.Set(key, testbackend.Tensor(v, s...)))
			}
			if key, ok := strings.CutPrefix(name, "grad."); ok && !strings.HasSuffix(key, "_sub") {
				keys = append(keys, key)
			}
		}
		got := x.run(t, append(keys, "ape"))
		sub, subShape := f.Float32(t, "grad.ape_sub")
		got["grad.ape_sub"], _ = golden.Sub(got["grad.ape"], shape, shape[3]/subShape[3]+min(1, shape[3]%subShape[3]), 8)
		require.Len(t, got["grad.ape_sub"], len(sub))
		for _, name := range f.Names() {
			if isDraw(name) || strings.HasPrefix(name, "w.") || name == "ape" {
				continue
			}
			want, _ := f.Float32(t, name)
			if strings.HasSuffix(name, "freqs.2") && shape[5] == 1 {
				// On an axis of one token all tokens have the same rotation, so
				// the gradient is 0 up to rounding.
				for _, g := range append(want, got[name]...) {
					require.InDelta(t, 0, g, 1e-6, name)
				}
				continue
			}
			golden.Compare(t, name, got[name], want, modelTol)
		}
	})
}

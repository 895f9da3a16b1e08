package walrus_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus"
)

// derivativeCases are windows on which derivatives are tested: 2D with and without
// constant fields, and 3D.
func derivativeCases() map[string]*data.Window {
	return map[string]*data.Window{
		"2D":   withMask(flow([]int{16, 20}, data.Boundaries{periodic, wallOpen}, 3)),
		"3D":   flow([]int{8, 8, 8}, data.Boundaries{periodic, walled, wallOpen}, 2),
		"flat": flow([]int{8, 16}, data.Boundaries{walled, walled}, 1), // one frame has no changes
	}
}

// weightedSum is an objective whose gradient with respect to the frames of all steps is
// given by frames, plus a quadratic term.
func weightedSum(cotangents [][]float32) *walrus.Objective {
	return walrus.NewObjective(func(t walrus.Trajectory) *Node {
		g := t.Forecast[0].Graph()
		sum := ScalarZero(g, dtypes.Float32)
		for i, u := range append(slices.Clone(t.History), t.Forecast...) {
			c := Reshape(Const(g, cotangents[i]), u.Shape().Dimensions...)
			sum = Add(sum, ReduceAllSum(Mul(c, Add(u, Square(u)))))
		}
		return sum
	})
}

// unrolled computes, in float64 and with the draws of each step, the objective weightedSum
// after a forecast by Model.NextFrame, and its gradient.
type unrolled struct {
	exec *Exec
	args []any
	n    int // frames
}

func newUnrolled(t *testing.T, e *walrus.Emulator, weights *walrus.Weights, w *data.Window, draws []walrus.Draws, cotangents [][]float32, frozen bool) *unrolled {
	t.Helper()
	m, v := e.Model(), w.Volume()
	plan, err := m.Plan(w.Grid, w.Boundaries)
	require.NoError(t, err)
	params, err := m.ParamsFor(plan)
	require.NoError(t, err)
	ids, err := v.IDs(m.Config().Registry)
	require.NoError(t, err)
	u := &unrolled{n: len(w.Frames)}
	b, err := compute.NewWithConfig(testbackend.Go) // XLA compiles the unrolled graph for minutes
	require.NoError(t, err)
	u.exec, err = NewExec(b, func(in []*Node) []*Node {
		frames := slices.Clone(in[:u.n])
		var constants *Node
		rest := in[u.n:]
		if len(v.Constant) > 0 {
			constants, rest = rest[0], rest[1:]
		}
		of := slices.Clone(in[:len(in)-len(rest)])
		vars := map[string]*Node{}
		for i, p := range params {
			vars[p.Key] = rest[i]
		}
		mw := m.WeightsFor(layers.VarsFrom(func(key string, _ layers.Init, _ []int) *Node { return vars[key] }), plan)
		for _, d := range draws {
			frames = append(frames, unrolledStep(t, m, mw, frames[len(frames)-u.n:], constants, w, ids, d, plan, e.Scaling(), frozen))
		}
		value := weigh(w, frames, cotangents)
		return append([]*Node{value}, Gradient(value, of...)...)
	})
	require.NoError(t, err)
	t.Cleanup(u.exec.Finalize)
	for _, f := range w.Frames {
		u.args = append(u.args, doubled(spreadOf(t, v, f, v.Source), 1, 1, len(v.Variable), v.Shape[0], v.Shape[1], v.Shape[2]))
	}
	if len(v.Constant) > 0 {
		u.args = append(u.args, doubled(spreadOf(t, v, w.Constants, v.ConstantSource), 1, len(v.Constant), v.Shape[0], v.Shape[1], v.Shape[2]))
	}
	for _, p := range params {
		u.args = append(u.args, doubled(valuesOf(t, weights, p.Key), p.Dims...))
	}
	return u
}

func spreadOf(t *testing.T, v data.Volume, src []float32, source []int) []float32 {
	out := make([]float32, len(source)*v.Points())
	require.NoError(t, v.Spread(out, src, source))
	return out
}

func doubled(v []float32, dims ...int) *tensors.Tensor {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = float64(x)
	}
	return testbackend.Tensor(out, dims...)
}

// unrolledStep is a step of the emulator in float64, written by hand.
func unrolledStep(t *testing.T, m *walrus.Model, mw walrus.ModelWeights, history []*Node, constants *Node, w *data.Window, ids []int32, d walrus.Draws, plan *csm.Plan, s walrus.Scaling, frozen bool) *Node {
	g, v := history[0].Graph(), w.Volume()
	shift, rolls, err := m.Tensors(d, plan)
	require.NoError(t, err)
	in := walrus.StepInputs{History: Concatenate(history, 0), Constants: constants,
		Net: walrus.Inputs{Shift: ConstTensor(g, shift), Rolls: ConstTensor(g, rolls), IDs: Const(g, ids)}}
	real := make([]float64, len(v.Variable))
	for i, ok := range v.Real {
		if ok {
			real[i] = 1
		}
	}
	in.Real = Const(g, real)
	if v.Mask >= 0 {
		in.Solid = StopGradient(SliceAxis(constants, 1, AxisElem(v.Mask)))
	}
	if !frozen {
		in.Stats = statsByHand(walrus.WithConstants(in.History, constants), s)
	}
	return ExpandAxes(m.NextFrame(mw, in, plan, s), 0)
}

// statsByHand are the root mean squares of fields and changes, with gradients. A field of
// zeros has the floor.
func statsByHand(x *Node, s walrus.Scaling) *walrus.Stats {
	eps := s.Eps
	if eps == 0 {
		eps = walrus.DefaultStatEps
	}
	rms := func(x *Node) *Node {
		ms := ReduceAndKeep(Square(x), ReduceMean, 0, 3, 4, 5)
		small := LessOrEqual(ms, Scalar(x.Graph(), ms.DType(), eps*eps))
		return Where(small, MulScalar(OnesLike(ms), eps), Sqrt(Where(small, OnesLike(ms), ms)))
	}
	out := &walrus.Stats{Std: rms(x)}
	out.Mean = ZerosLike(out.Std)
	out.DeltaMean, out.DeltaStd = out.Mean, OnesLike(out.Std)
	if n := x.Shape().Dim(0); n > 1 {
		out.DeltaStd = rms(Sub(SliceAxis(x, 0, AxisRange(1)), SliceAxis(x, 0, AxisRange(0, n-1))))
	}
	return out
}

// weigh is weightedSum of frames [1, 1, Cv, H, W, D].
func weigh(w *data.Window, frames []*Node, cotangents [][]float32) *Node {
	g, v := frames[0].Graph(), w.Volume()
	sum := ScalarZero(g, dtypes.Float64)
	for i, u := range frames {
		c := make([]float32, len(v.Variable)*v.Points())
		if err := v.Spread(c, cotangents[i], v.Source); err != nil {
			panic(err)
		}
		x := Reshape(ConvertDType(Const(g, c), dtypes.Float64), u.Shape().Dimensions...)
		sum = Add(sum, ReduceAllSum(Mul(x, Add(u, Square(u)))))
	}
	return sum
}

// run returns the value and the gradients in the window's layout: frames, then constants.
func (u *unrolled) run(t *testing.T, w *data.Window) (value float64, grads [][]float64) {
	out := u.exec.MustCall(u.args...)
	v := w.Volume()
	for i, x := range out {
		flat := tensors.MustCopyFlatData[float64](x)
		if i == 0 {
			value = flat[0]
			continue
		}
		source := v.Source
		if i > u.n {
			source = v.ConstantSource
		}
		own, points := make([]float64, 0), v.Points()
		for c, s := range source {
			if s >= 0 {
				own = append(own, make([]float64, max(0, (s+1)*points-len(own)))...)
				copy(own[s*points:], flat[c*points:(c+1)*points])
			}
		}
		grads = append(grads, own)
	}
	return value, grads
}

// move adds h·direction to the frames and the constants.
func (u *unrolled) move(t *testing.T, w *data.Window, direction [][]float32, h float64) *unrolled {
	out, v := *u, w.Volume()
	out.args = slices.Clone(u.args)
	for i, d := range direction {
		source := v.Source
		if i >= u.n {
			source = v.ConstantSource
		}
		x := out.args[i].(*tensors.Tensor)
		flat := tensors.MustCopyFlatData[float64](x)
		for k, s := range spreadOf(t, v, d, source) {
			flat[k] += h * float64(s)
		}
		out.args[i] = testbackend.Tensor(flat, x.Shape().Dimensions...)
	}
	return &out
}

// drawsOfSteps returns the draws of a rollout with seed 0.
func drawsOfSteps(t *testing.T, e *walrus.Emulator, w *data.Window, steps int) (out []walrus.Draws) {
	plan, err := e.Model().Plan(w.Grid, w.Boundaries)
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(0, 0x656d756c61746f72))
	for range steps {
		out = append(out, e.Model().Draw(rng, plan))
	}
	return out
}

// randomFrames returns n arrays of random numbers of the given length.
func randomFrames(seed uint64, n, size int) (out [][]float32) {
	for i := range n {
		out = append(out, noiseOf(seed+uint64(i), size))
	}
	return out
}

// directions returns random changes of the frames and the constant fields of a window, where
// the mask stays as it is.
func directions(w *data.Window) [][]float32 {
	out := randomFrames(40, len(w.Frames), len(w.Frames[0]))
	if len(w.Constants) > 0 {
		out = append(out, make([]float32, len(w.Constants)))
	}
	return out
}

func dot[A, B float32 | float64](a []A, b []B) (sum float64) {
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}

// slow reports whether a case is left out on XLA, which compiles each for half a minute.
func slow(t *testing.T, name string, frozen bool) bool {
	return onXLA(t) && (name != "2D" || frozen)
}

func onXLA(t *testing.T) bool { return strings.HasPrefix(testbackend.New(t).Name(), "xla") }

// TestGradient: the value and the gradient of two steps are those of the steps unrolled in
// one graph in float64, whose gradient agrees with finite differences if statistics are
// differentiated.
func TestGradient(t *testing.T) {
	const steps = 2
	weights := livelyWeights(t, smallConfig())
	for name, w := range derivativeCases() {
		for _, frozen := range []bool{false, true} {
			if frozen && name != "2D" || slow(t, name, frozen) {
				continue
			}
			t.Run(fmt.Sprintf("%s frozen %t", name, frozen), func(t *testing.T) {
				e, err := walrus.NewEmulator(weights, walrus.EmulatorOptions{Backend: testbackend.New(t)})
				require.NoError(t, err)
				defer e.Close()
				cotangents := randomFrames(7, len(w.Frames)+steps, len(w.Frames[0]))
				got, err := e.Gradient(context.Background(), w, steps, weightedSum(cotangents), walrus.GradientOptions{FrozenStatistics: frozen})
				require.NoError(t, err)
				ref := newUnrolled(t, e, weights, w, drawsOfSteps(t, e, w, steps), cotangents, frozen)
				value, grads := ref.run(t, w)
				require.InEpsilon(t, value, got.Value, 1e-4)
				all := got.Frames
				if got.Constants != nil {
					all = append(slices.Clone(all), got.Constants)
				}
				require.Len(t, all, len(grads))
				for i := range grads {
					want := make([]float32, len(grads[i]))
					for k, v := range grads[i] {
						want[k] = float32(v)
					}
					requireNear(t, want, all[i], 1e-4, fmt.Sprint("gradient ", i))
				}
				d := directions(w)
				slope := 0.0
				for i := range d {
					slope += dot(grads[i], d[i])
				}
				const h = 1e-5
				up, _ := ref.move(t, w, d, h).run(t, w)
				down, _ := ref.move(t, w, d, -h).run(t, w)
				off := math.Abs((up-down)/(2*h)-slope) / math.Abs(slope)
				if frozen {
					require.Greater(t, off, 1e-4, "frozen statistics have another gradient")
				} else {
					require.Less(t, off, 1e-6, "finite differences")
				}
				frames, err := e.Forecast(context.Background(), w, steps)
				require.NoError(t, err)
				require.Equal(t, frames, got.Forecast)
			})
		}
	}
}

// TestGradientHeld: with weights held in a shorter type, gradients are those of the network
// with the rounded weights, and JVP and VJP belong to one Jacobian.
func TestGradientHeld(t *testing.T) {
	const steps = 2
	ctx, c := context.Background(), smallConfig()
	weights, w := livelyWeights(t, c), derivativeCases()["2D"]
	path := weightFileOf(t, weights)
	cotangents := randomFrames(7, len(w.Frames)+steps, len(w.Frames[0]))
	for i := range w.Frames {
		clear(cotangents[i]) // the objective sees the history through the network only
	}
	d := walrus.Tangent{Frames: randomFrames(40, len(w.Frames), len(w.Frames[0])), Constants: noiseOf(50, len(w.Constants))}
	for _, p := range narrow {
		if onXLA(t) && p != walrus.Int8 {
			continue // saves the compilation of programs that differ by a conversion
		}
		o := walrus.EmulatorOptions{Backend: testbackend.New(t), Weights: p, OwnWeights: true}
		held, _, err := walrus.LoadWeights(path, c, o.LoadOptions())
		require.NoError(t, err)
		e, err := walrus.NewEmulator(held, o)
		require.NoError(t, err)
		defer e.Close()
		got, err := e.Gradient(ctx, w, steps, weightedSum(cotangents), walrus.GradientOptions{})
		require.NoError(t, err)
		gradient := func(weights *walrus.Weights) (value float64, out []float32) {
			value, grads := newUnrolled(t, e, weights, w, drawsOfSteps(t, e, w, steps), cotangents, false).run(t, w)
			for _, v := range grads[0] {
				out = append(out, float32(v))
			}
			return value, out
		}
		value, want := gradient(widened(t, path, c, p))
		require.InEpsilon(t, value, got.Value, 1e-4, "%v", p)
		requireNear(t, want, got.Frames[0], 1e-4, fmt.Sprint(p))
		_, exact := gradient(weights)
		require.Less(t, relative(want, got.Frames[0]), relative(want, exact)/10, "%v: rounding shows", p)

		pulled, err := e.VJP(ctx, w, cotangents[len(w.Frames):], walrus.GradientOptions{})
		require.NoError(t, err)
		pushed, err := e.JVP(ctx, w, steps, d, walrus.GradientOptions{})
		require.NoError(t, err)
		left, right, size := 0.0, dot(pulled.Constants, d.Constants), 0.0
		for k := range pushed {
			v := cotangents[len(w.Frames)+k]
			left += dot(v, pushed[k])
			size += math.Sqrt(dot(v, v) * dot(pushed[k], pushed[k]))
		}
		for i, f := range d.Frames {
			right += dot(pulled.Frames[i], f)
		}
		require.Less(t, math.Abs(left-right)/size, 1e-5, "%v", p)
	}
}

// TestDotProduct: v·(J·t) = (Jᵀ·v)·t.
func TestDotProduct(t *testing.T) {
	const steps = 3
	for name, w := range derivativeCases() {
		for _, o := range []walrus.GradientOptions{{}, {FrozenStatistics: true}} {
			if o.FrozenStatistics && name != "2D" || slow(t, name, o.FrozenStatistics) {
				continue
			}
			t.Run(fmt.Sprint(name, o), func(t *testing.T) {
				members := walrus.EmulatorOptions{Ensemble: 3, Batch: 2}
				if onXLA(t) {
					members = walrus.EmulatorOptions{} // needs half of the programs
				}
				e := newEmulator(t, members)
				defer e.Close()
				v := randomFrames(3, steps, len(w.Frames[0]))
				v[1] = nil
				d := walrus.Tangent{Frames: randomFrames(40, len(w.Frames), len(w.Frames[0]))}
				if len(w.Constants) > 0 {
					d.Constants = noiseOf(50, len(w.Constants))
				}
				pushed, err := e.JVP(context.Background(), w, steps, d, o)
				require.NoError(t, err)
				pulled, err := e.VJP(context.Background(), w, v, o)
				require.NoError(t, err)
				left, right, size := 0.0, 0.0, 0.0
				for k := range v {
					if v[k] != nil {
						left += dot(v[k], pushed[k])
						size += math.Sqrt(dot(v[k], v[k]) * dot(pushed[k], pushed[k]))
					}
				}
				for i, f := range d.Frames {
					right += dot(pulled.Frames[i], f)
				}
				right += dot(pulled.Constants, d.Constants)
				require.Less(t, math.Abs(left-right)/size, 1e-5)
				require.Greater(t, math.Abs(left)/size, 1e-3, "the test sees a product")
			})
		}
	}
}

// TestGradientPrograms: all steps use one program, and an objective is compiled once for each
// number of steps.
func TestGradientPrograms(t *testing.T) {
	if onXLA(t) {
		t.Skip("counts programs, which do not depend on the backend; XLA compiles them for a minute")
	}
	e := newEmulator(t, walrus.EmulatorOptions{})
	defer e.Close()
	w := flow([]int{8, 8}, data.Boundaries{periodic, periodic}, 2)
	built := 0
	o := walrus.NewObjective(func(t walrus.Trajectory) *Node {
		built++
		return ReduceAllSum(t.Channel(len(t.Forecast), "velocity_y"))
	})
	var last *walrus.ForecastGradient
	for range 2 {
		for steps := 1; steps <= 2; steps++ {
			g, err := e.Gradient(context.Background(), w, steps, o, walrus.GradientOptions{})
			require.NoError(t, err)
			want := 0.0
			for _, v := range g.Forecast[steps-1][2*64:] {
				want += float64(v)
			}
			require.InDelta(t, want, g.Value, 1e-4)
			last = g
		}
	}
	require.Equal(t, 2, built, "compiled once for each number of steps")
	require.Equal(t, 3, e.Programs(), "a step and two objectives")

	// Objectives of the window alone need no network.
	first := walrus.NewObjective(func(t walrus.Trajectory) *Node {
		return MulScalar(ReduceAllSum(Square(t.Channel(-1, "density"))), 0.5)
	})
	g, err := e.Gradient(context.Background(), w, 0, first, walrus.GradientOptions{})
	require.NoError(t, err)
	require.Empty(t, g.Forecast)
	requireNear(t, w.Frames[0][:64], g.Frames[0][:64], 1e-6, "gradient")
	require.Equal(t, make([]float32, 128), g.Frames[0][64:])
	require.Equal(t, make([]float32, 192), g.Frames[1])
	require.NotEqual(t, last.Frames, g.Frames)
}

// TestGradientErrors: what cannot be differentiated is an error that says so.
func TestGradientErrors(t *testing.T) {
	ctx, w := context.Background(), plane()
	sum := walrus.NewObjective(func(t walrus.Trajectory) *Node { return ReduceAllSum(t.Frame(1)) })
	gradient := func(e *walrus.Emulator, o *walrus.Objective) error {
		_, err := e.Gradient(ctx, w, 1, o, walrus.GradientOptions{})
		return err
	}
	for want, o := range map[string]walrus.EmulatorOptions{
		"without a cache":     {Cache: &walrus.Cache{}},
		"without corrections": {Between: func(int, *data.Window, *data.Window) error { return nil }},
	} {
		require.ErrorContains(t, gradient(newEmulator(t, o), sum), want)
	}
	e := newEmulator(t, walrus.EmulatorOptions{})
	defer e.Close()
	for want, f := range map[string]func(t walrus.Trajectory) *Node{
		"objective: expected one of the channels [density velocity_x velocity_y], got heat": func(t walrus.Trajectory) *Node { return t.Channel(1, "heat") },
		"objective: expected a step from -2 to 1, got 2":                                    func(t walrus.Trajectory) *Node { return t.Frame(2) },
		"objective: expected a scalar of type Float32":                                      func(t walrus.Trajectory) *Node { return t.Frame(1) },
		"objective: a mistake": func(walrus.Trajectory) *Node { panic("a mistake") },
		"objective: expected a finite value and gradient, got NaN": func(t walrus.Trajectory) *Node { return Sqrt(Neg(ReduceAllSum(Square(t.Frame(1))))) },
	} {
		require.ErrorContains(t, gradient(e, walrus.NewObjective(f)), want)
	}
	require.ErrorContains(t, gradient(e, nil), "expected an objective")
	_, err := e.VJP(ctx, w, [][]float32{{1}}, walrus.GradientOptions{})
	require.ErrorContains(t, err, "window flow: cotangent of step 1: expected 960 values, got 1")
	_, err = e.JVP(ctx, w, 1, walrus.Tangent{}, walrus.GradientOptions{})
	require.ErrorContains(t, err, "expected a tangent of 3 frames, got 0")
	stopped, stop := context.WithCancel(ctx)
	stop()
	_, err = e.VJP(stopped, w, make([][]float32, 1), walrus.GradientOptions{})
	require.ErrorIs(t, err, context.Canceled)
}

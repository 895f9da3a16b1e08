// Command parts trains a network of one's own that is made from parts of the library: jitter,
// encoder and decoder, attention in time, and a plain MLP in place of attention over space.
//
//	GOEXPERIMENT=simd go run ./examples/parts
//
// It learns in seconds to continue waves of unknown speed. Packages layers, csm and jitter
// work in any gomlx program; the example customloop trains a whole Walrus.
package main

import (
	"fmt"
	"io"
	"log"
	"math"
	"math/rand/v2"
	"os"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/train/optimizer"
	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/jitter"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/eval"
)

// Points of a square, known frames, width of a token.
const side, history, hidden = 24, 4, 32

func main() {
	if err := run(400, os.Stdout); err != nil {
		log.Fatal("parts: ", err)
	}
}

// network maps normalised frames [T, B, C, H, W, D] to T predicted changes.
type network struct {
	plan   *csm.Plan
	jitter jitter.Jitterer
	coder  csm.HMLP
	time   layers.TimeAttention
}

func newNetwork() (*network, error) {
	around := data.Boundaries{data.Both(data.Periodic), data.Both(data.Periodic)}
	plan, err := csm.NewPlan([]int{side, side}, around, csm.Options{Tokens: [3]int{6, 6, 6}, Kernel: [2]int{4, 4}})
	if err != nil {
		return nil, err
	}
	return &network{
		plan: plan, jitter: jitter.Jitterer{Plan: plan},
		// Columns of the weights: one for each of three boundary flags, one for the height.
		coder: csm.HMLP{States: 4, Inner: 16, Hidden: hidden, Kernel: [2]int{4, 4}},
		time:  layers.TimeAttention{Channels: hidden, Heads: 2},
	}, nil
}

// build adds the network to a graph; vars makes its weights.
func (n *network) build(vars layers.Vars, x, shift *graph.Node) *graph.Node {
	steps, samples := x.Shape().Dim(0), x.Shape().Dim(1)
	height := graph.Const(x.Graph(), []int32{3})
	columns := graph.Const(x.Graph(), []int32{3, 2, 0, 1}) // height, bias correction, closed, open
	tokens := n.coder.Encode(n.jitter.Apply(x, shift), n.coder.EncoderWeights(vars.In("encoder")), columns, nil, n.plan)
	grid := tokens.Shape().Clone().Dimensions

	y := graph.Reshape(tokens, steps, samples, n.plan.Tokens(), hidden)
	y = n.time.Apply(y, n.time.Weights(vars.In("time")), nil)
	y = graph.Add(y, mlp(vars.In("mlp"), y))

	decoded := n.coder.Decode(graph.Reshape(y, grid...), n.coder.DecoderWeights(vars.In("decoder")), height, n.plan)
	return n.jitter.Invert(decoded, shift, steps, samples)
}

// mlp is the custom layer: a dense layer, SwiGLU, a dense layer.
func mlp(vars layers.Vars, y *graph.Node) *graph.Node {
	up := layers.Dense(y, vars.In("up").Var("weight", layers.FanIn(hidden), 4*hidden, hidden), vars.In("up").Var("bias", layers.Zero, 4*hidden))
	return layers.Dense(layers.SwiGLU(up), vars.In("down").Var("weight", layers.FanIn(2*hidden), hidden, 2*hidden), nil)
}

// run trains and prints the loss of the first and of the last fifty updates: the mean absolute
// error of the predicted changes in units of recent changes. Waves are drawn anew for every
// update, so that it is an error on unseen ones.
func run(updates int, out io.Writer) error {
	b, err := backend.Go()
	if err != nil {
		return err
	}
	net, err := newNetwork()
	if err != nil {
		return err
	}
	store, adam := model.NewStore(), optimizer.Adam().LearningRate(3e-3).Done()
	defer store.Finalize()
	if err := store.SetRNGStateFromSeed(1); err != nil {
		return err
	}
	update, err := model.NewExec(b, store, func(scope *model.Scope, in []*graph.Node) *graph.Node {
		seen, next := graph.SliceAxis(in[0], 0, graph.AxisRange(0, history)), graph.SliceAxis(in[0], 0, graph.AxisRange(1))
		stats := walrus.SampleStats(seen, walrus.Scaling{})
		y := net.build(layers.ScopeVars(scope.At("model"), seen.Graph()), stats.Normalize(seen), in[1])
		off := graph.Abs(graph.Sub(y, graph.StopGradient(stats.NormalizeDelta(graph.Sub(next, seen)))))
		loss := graph.ReduceAllMean(graph.SliceAxis(off, 0, graph.AxisRange(1)))
		adam.UpdateGraph(scope, loss.Graph(), loss)
		return loss
	})
	if err != nil {
		return err
	}
	defer update.Finalize()
	rng := rand.New(rand.NewPCG(1, 1))
	var losses []float64
	for range updates {
		fields := tensors.FromFlatDataAndDimensions(waves(rng), history+1, 1, 1, side, side, 1)
		shift := net.jitter.Draw(rng) // an input, so that one compiled program serves all draws
		loss, err := update.Call(fields, tensors.FromValue(shift[:]))
		if err != nil {
			return err
		}
		losses = append(losses, float64(tensors.ToScalar[float32](loss[0])))
	}
	n := min(50, updates)
	_, err = fmt.Fprintf(out, "loss %.3f, at the end %.3f\n", eval.Mean(losses[:n]), eval.Mean(losses[updates-n:]))
	return err
}

// waves draws frames of waves on deep water: three plane waves, each with the frequency
// √|k|·c. The speed c is random, and only the frames reveal it.
func waves(rng *rand.Rand) []float32 {
	frames, c := make([]float32, (history+1)*side*side), 0.2+0.15*rng.Float64()
	for range 3 {
		kx, ky, phase := float64(1+rng.IntN(2)), float64(rng.IntN(5)-2), 2*math.Pi*rng.Float64()
		omega := c * math.Sqrt(2*math.Pi*math.Hypot(kx, ky))
		for i := range frames {
			t, x, y := i/(side*side), i/side%side, i%side
			frames[i] += float32(math.Cos(2*math.Pi*(kx*float64(x)+ky*float64(y))/side - omega*float64(t) + phase))
		}
	}
	return frames
}

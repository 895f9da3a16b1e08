// Command customloop trains a small Walrus with a custom training loop: the weights are
// variables of a gomlx store, gomlx's Adam updates them, and the loss is written here, not in
// walrus/train.
//
//	GOEXPERIMENT=simd go run ./examples/customloop
//
// The network learns in seconds to continue waves of unknown speed. At the end the library's
// emulator gets its weights and forecasts.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/train/optimizer"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/eval"
)

const side, history = 24, 4 // points of a square, known frames

var around = data.Boundaries{data.Both(data.Periodic), data.Both(data.Periodic)}

func main() {
	if err := run(context.Background(), 400, os.Stdout); err != nil {
		log.Fatal("customloop: ", err)
	}
}

// config is small: a block of width 32, patches of 4×4 points.
func config() walrus.Config {
	c := walrus.Micro()
	c.Name, c.Registry = "waves", data.MustRegistry("height")
	c.Kernel, c.Tokens, c.Intermediate = [2]int{4, 4}, [3]int{6, 6, 6}, 16
	return c
}

// train makes updates of the variables of a store and returns the last loss: the mean absolute
// error of the predicted changes in units of recent changes (docs/reference.md §8).
func train(b compute.Backend, net *walrus.Model, store *model.Store, updates int) (last float32, err error) {
	rng := rand.New(rand.NewPCG(1, 1))
	plan, err := net.Plan([]int{side, side}, around)
	if err = errors.Join(err, store.SetRNGStateFromSeed(1)); err != nil {
		return 0, err
	}
	adam := optimizer.Adam().LearningRate(3e-3).Done()
	// The draws of jitter, in[1] and in[2], are inputs: one compiled program serves all.
	update, err := model.NewExec(b, store, func(scope *model.Scope, in []*graph.Node) *graph.Node {
		fields := in[0] // [T, B, C, H, W, D]
		seen := graph.SliceAxis(fields, 0, graph.AxisRange(0, history))
		stats := walrus.SampleStats(seen, walrus.Scaling{})
		ids := graph.Const(fields.Graph(), []int32{3}) // height follows the three boundary flags
		y := net.Build(layers.ScopeVars(scope.At("model"), fields.Graph()),
			walrus.Inputs{X: stats.Normalize(seen), IDs: ids, Shift: in[1], Rolls: in[2]}, plan)
		changes := stats.NormalizeDelta(graph.Sub(graph.SliceAxis(fields, 0, graph.AxisRange(1)), seen))
		off := graph.Abs(graph.Sub(y, graph.StopGradient(changes)))
		loss := graph.ReduceAllMean(graph.SliceAxis(off, 0, graph.AxisRange(1))) // not after one frame
		adam.UpdateGraph(scope, loss.Graph(), loss)
		return loss
	})
	if err != nil {
		return 0, err
	}
	defer update.Finalize()
	for range updates {
		shift, rolls, err := net.Tensors(net.Draw(rng, plan), plan)
		if err != nil {
			return 0, err
		}
		fields := tensors.FromFlatDataAndDimensions(slices.Concat(waves(rng).Frames...), history+1, 1, 1, side, side, 1)
		l, err := update.Call(fields, shift, rolls)
		if err != nil {
			return 0, err
		}
		last = tensors.ToScalar[float32](l[0])
	}
	return last, nil
}

// run trains, copies the weights to an emulator and scores a forecast of an unseen run.
func run(ctx context.Context, updates int, out io.Writer) error {
	b, err := backend.Go()
	if err != nil {
		return err
	}
	store := model.NewStore()
	defer store.Finalize()
	weights, err := walrus.InitWeights(config(), 1)
	if err != nil {
		return err
	}
	em, err := walrus.NewEmulator(weights, walrus.EmulatorOptions{Backend: b, Seed: 1, OwnWeights: true})
	if err != nil {
		return err
	}
	defer em.Close()
	last, err := train(b, em.Model(), store, updates)
	if err != nil {
		return err
	}
	if _, err := weights.SetFromStore(store, "/model"); err != nil {
		return err
	}
	forecasters := eval.Baselines()
	forecasters["model"] = eval.Model(em)
	r, _, err := eval.EvaluateWindow(ctx, waves(rand.New(rand.NewPCG(2, 2))), forecasters, history)
	if err != nil {
		return err
	}
	s := r.Horizons[0].Scores
	_, err = fmt.Fprintf(out, "loss %.3f; VRMSE of an unseen run %.3f, no change %.3f, linear %.3f\n",
		last, s["model"].Median, s["persistence"].Median, s["linear"].Median)
	return err
}

// waves draws a run of waves on deep water: three plane waves, each with the frequency
// √|k|·c. The speed c is random, and only the frames reveal it.
func waves(rng *rand.Rand) *data.Window {
	w := &data.Window{Name: "waves", Fields: []data.Field{{Name: "height"}}, Grid: []int{side, side}, Boundaries: around}
	for range history + 1 {
		w.Frames = append(w.Frames, make([]float32, side*side))
	}
	c := 0.2 + 0.15*rng.Float64()
	for range 3 {
		kx, ky, phase := float64(1+rng.IntN(2)), float64(rng.IntN(5)-2), 2*math.Pi*rng.Float64()
		omega := c * math.Sqrt(2*math.Pi*math.Hypot(kx, ky))
		for t, frame := range w.Frames {
			for i := range frame {
				at := 2 * math.Pi * (kx*float64(i/side) + ky*float64(i%side)) / side
				frame[i] += float32(math.Cos(at - omega*float64(t) + phase))
			}
		}
	}
	return w
}

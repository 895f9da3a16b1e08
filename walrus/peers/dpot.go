package peers

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/peers/dpot"
	"github.com/gowalrus/gowalrus/walrus/train"
)

type dpotDesign struct {
	weights  *dpot.Weights
	model    *dpot.Model
	emulator *dpot.Emulator
	config   dpot.Config
}

// NewDPOT returns a network that owns the weights.
func NewDPOT(w *dpot.Weights, o Options) (*Network, error) {
	em, err := dpot.NewEmulator(w, o.Backend)
	if err != nil {
		return nil, err
	}
	m, err := dpot.NewModel(w.Config())
	if err != nil {
		em.Close()
		return nil, err
	}
	d := &dpotDesign{w, m, em, w.Config()}
	if c := d.config; c.InChannels != c.OutChannels {
		em.Close()
		return nil, fmt.Errorf("peers: dpot: expected a network that forecasts all its channels, got %d of %d: use dpot.Emulator", c.OutChannels, c.InChannels)
	}
	return (&Network{Kind: DPOT, Name: d.config.Name, Parameters: d.config.Parameters(), design: d}).finish(o)
}

func (d *dpotDesign) frames() (least, usual int) { return d.config.InSteps, d.config.InSteps }

func (d *dpotDesign) own(*data.Window) *scale { return nil }

func (d *dpotDesign) check(w *data.Window) error {
	if have := w.Channels(false); len(have) > d.config.InChannels {
		return fmt.Errorf("expected at most %d channels, got %v: leave fields out with data.Drop (--drop), or finetune a network with more channels (dpot.Transfer)", d.config.InChannels, have)
	}
	return d.config.CheckGrid(w.Grid)
}

// pointwise returns frames [T, C, X…] as [X…, T, channels]. Channels that the frames do not have
// are 1.
func pointwise(frames [][]float32, points, channels int) []float32 {
	t, have := len(frames), len(frames[0])/points
	out := slices.Repeat([]float32{1}, points*t*channels)
	for f, frame := range frames {
		for c := range have {
			for p := range points {
				out[(p*t+f)*channels+c] = frame[c*points+p]
			}
		}
	}
	return out
}

// classifier is the prefix of the tensors of the classifier of data sets, which the loss does
// not train.
const classifier = "cls_head."

// pass predicts the next frame from the last InSteps frames.
func (d *dpotDesign) pass(s samples, _ *rand.Rand) (*train.Pass, error) {
	c, n, points := d.config, len(s.windows), s.windows[0].Points()
	if c.OutSteps != 1 {
		return nil, fmt.Errorf("expected a network that predicts one frame, got one of %d frames", c.OutSteps)
	}
	var x, next []float32
	for i, history := range s.history {
		x = append(x, pointwise(history[len(history)-c.InSteps:], points, c.InChannels)...)
		next = append(next, pointwise(s.next[i:i+1], points, c.OutChannels)...)
	}
	var in train.Inputs
	in.AddSamples("x", tensorOf(x, s.shape([]int{n}, c.InSteps, c.InChannels)), 0)
	in.AddSamples("target", tensorOf(next, s.shape([]int{n}, 1, c.OutChannels)), 0)
	return &train.Pass{Inputs: in, Params: d.trained, Loss: func(weights map[string]*Node, in train.Nodes) *Node {
		y := d.model.Build(vars(weights), in.Get("x")).Y
		return ReduceAllSum(dpot.RelativeL2(y, in.Get("target"), nil))
	}}, nil
}

// trained lists the tensors on which forecasts depend.
func (d *dpotDesign) trained() ([]walrus.Param, error) {
	return slices.DeleteFunc(slices.Clone(d.weights.Params()), func(p walrus.Param) bool { return strings.HasPrefix(p.Key, classifier) }), nil
}

func (d *dpotDesign) on(device compute.DeviceNum) design {
	other := *d
	other.emulator = d.emulator.On(device)
	return &other
}

func (d *dpotDesign) tensors() *walrus.TensorSet { return d.weights.TensorSet }

func (d *dpotDesign) clone(o Options) (*Network, error) {
	w, err := d.weights.Clone()
	if err != nil {
		return nil, err
	}
	return closeOnError(w, NewDPOT, o)
}

func (d *dpotDesign) parts() (string, []walrus.Part) {
	const file = "model.pth"
	return file, []walrus.Part{{Name: file, Write: d.weights.Save}}
}

func (d *dpotDesign) save(path string) error { return d.weights.Save(path) }

func (d *dpotDesign) rollout(ctx context.Context, w *data.Window, history [][]float32, steps int) iter.Seq2[[]float32, error] {
	t, channels, points := d.config.InSteps, len(w.Channels(false)), w.Points()
	x := pointwise(history[len(history)-t:], points, channels)
	shape := append(append([]int{1}, w.Grid...), t, channels)
	return func(yield func([]float32, error) bool) {
		for y, err := range d.emulator.Rollout(ctx, x, shape, steps) {
			if err != nil {
				yield(nil, err)
				return
			}
			out := make([]float32, len(y))
			for p := range points {
				for c := range channels {
					out[c*points+p] = y[p*channels+c]
				}
			}
			if !yield(out, nil) {
				return
			}
		}
	}
}

func (d *dpotDesign) close() { d.emulator.Close(); d.weights.Close() }

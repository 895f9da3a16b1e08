package peers

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"

	"github.com/gomlx/compute"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/nonfinite"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// Kind is the design of a network.
type Kind string

const (
	Poseidon Kind = "Poseidon"
	DPOT     Kind = "DPOT"
	MPP      Kind = "MPP"
)

// Licence returns what the authors state about the licence of the published weights.
func (k Kind) Licence() string {
	switch k {
	case Poseidon:
		return "none stated: neither the repository camlab-ethz/poseidon nor the model card names a licence"
	case DPOT:
		return "none stated in the repository HaoZhongkai/DPOT; others quote the model card of hzk17/DPOT with Apache-2.0"
	case MPP:
		return "MIT (repository PolymathicAI/multiple_physics_pretraining)"
	}
	return ""
}

// Network is a peer's network with its weights. It is safe for concurrent use.
type Network struct {
	// Kind is the design, Name the published variant or the name in the file's
	// configuration. Name may be empty.
	Kind Kind
	Name string
	// Parameters counts the values of all tensors.
	Parameters int64

	design  design
	options Options
	history int
}

var _ walrus.Forecaster = (*Network)(nil)

// design is what differs between the networks.
type design interface {
	// check returns an error unless the network can continue such a window.
	check(w *data.Window) error
	// own returns mean and standard deviation of each channel in the training of the
	// published weights, or nil.
	own(w *data.Window) *scale
	// rollout forecasts one frame or more in the layout of the window, with normalised values.
	// history holds at least one frame.
	rollout(ctx context.Context, w *data.Window, history [][]float32, steps int) iter.Seq2[[]float32, error]
	// frames returns the least and the usual number of frames of history.
	frames() (least, usual int)
	// tensors returns the weights, and clone a network with a copy of them.
	tensors() *walrus.TensorSet
	clone(o Options) (*Network, error)
	// on returns the design on a device. It shares programs and weights.
	on(device compute.DeviceNum) design
	// pass lays out a micro-batch. Network.Pass completes Class and Samples.
	pass(s samples, rng *rand.Rand) (*train.Pass, error)
	// parts returns the files of the published layout in a checkpoint, and the name of that
	// with the tensors. save writes the published layout.
	parts() (weights string, parts []walrus.Part)
	save(path string) error
	close()
}

// History returns the number of frames of history: [Options.History], or else 1 for Poseidon,
// the steps of its input for DPOT and 16 for MPP.
func (n *Network) History(int) int { return n.history }

// Close frees programs and weights.
func (n *Network) Close() {
	if n.design != nil {
		n.design.close()
	}
}

// Rollout forecasts the given number of frames after the window. Poseidon and DPOT use its
// last frames only, MPP uses all. Points in the mask of a window are forecast like others.
// A frame that is not finite is a [walrus.DivergedError].
func (n *Network) Rollout(ctx context.Context, w *data.Window, steps int) iter.Seq2[walrus.Frame, error] {
	return func(yield func(walrus.Frame, error) bool) {
		step := 0
		fail := func(err error) {
			yield(walrus.Frame{}, fmt.Errorf("peers: %s: rollout: step %d: %w", n.Kind, step+1, err))
		}
		history, s, err := n.prepare(w, steps)
		if err != nil {
			yield(walrus.Frame{}, fmt.Errorf("peers: %s: rollout: %w", n.Kind, err))
			return
		}
		if steps == 0 { // the designs need at least one
			return
		}
		for values, err := range n.design.rollout(ctx, w, history, steps) {
			if err != nil {
				fail(err)
				return
			}
			s.restore(values)
			if err := finite(w, values, step+1); err != nil {
				fail(err)
				return
			}
			step++
			if !yield(walrus.Frame{Step: step, Values: values}, nil) {
				return
			}
		}
	}
}

// prepare checks the input of a rollout and returns the normalised frames.
func (n *Network) prepare(w *data.Window, steps int) ([][]float32, *scale, error) {
	if w == nil {
		return nil, nil, errors.New("expected a window, got nil")
	}
	if steps < 0 {
		return nil, nil, fmt.Errorf("expected a number of steps, got %d", steps)
	}
	if err := w.Validate(); err != nil {
		return nil, nil, err
	}
	if c := w.Channels(true); len(c) > 0 && !slices.Equal(c, []string{data.MaskName}) {
		return nil, nil, fmt.Errorf("window %s: expected no constant fields, which %s does not know, got %v: leave them out with data.Drop (--drop)", w.Name, n.Kind, c)
	}
	if least, _ := n.design.frames(); len(w.Frames) < least {
		return nil, nil, fmt.Errorf("window %s: expected at least %d frames of history, got %d", w.Name, least, len(w.Frames))
	}
	if err := n.design.check(w); err != nil {
		return nil, nil, fmt.Errorf("window %s: %w", w.Name, err)
	}
	s := n.design.own(w)
	if n.options.Statistics != nil {
		var err error
		if s, err = scaleOf(n.options.Statistics, w); err != nil {
			return nil, nil, fmt.Errorf("window %s: %w", w.Name, err)
		}
	}
	history := make([][]float32, len(w.Frames))
	for i, frame := range w.Frames {
		history[i] = s.normalized(frame)
	}
	return history, s, nil
}

// finite returns an error for the first value that is not finite.
func finite(w *data.Window, frame []float32, step int) error {
	i := nonfinite.First(frame)
	if i < 0 {
		return nil
	}
	return &walrus.DivergedError{Kind: walrus.NotFinite, Step: step, Field: w.Channels(false)[i/w.Points()], Value: frame[i]}
}

// scale holds mean and standard deviation of each channel; nil leaves values as they are.
type scale struct{ mean, std []float32 }

// scaleOf returns the statistics of the window's channels. Components of vectors and tensors
// have their own.
func scaleOf(st *data.Statistics, w *data.Window) (*scale, error) {
	s := &scale{}
	for _, f := range w.Fields {
		if f.Constant {
			continue
		}
		n := len(f.ComponentsOf(w.AxisNames()))
		mean, std := st.Mean[f.Name], st.Std[f.Name]
		if len(mean) != n || len(std) != n {
			return nil, fmt.Errorf("statistics: expected %d means and standard deviations of field %s, got %d and %d", n, f.Name, len(mean), len(std))
		}
		for k := range n {
			if !(std[k] > 0) {
				return nil, fmt.Errorf("statistics: field %s, component %d: expected a standard deviation above 0, got %v", f.Name, k, std[k])
			}
			s.mean, s.std = append(s.mean, float32(mean[k])), append(s.std, float32(std[k]))
		}
	}
	return s, nil
}

// normalized returns a copy of a frame [C, points], normalised.
func (s *scale) normalized(frame []float32) []float32 {
	out := slices.Clone(frame)
	if s == nil {
		return out
	}
	points := len(frame) / len(s.mean)
	for i := range out {
		c := i / points
		out[i] = (out[i] - s.mean[c]) / s.std[c]
	}
	return out
}

// restore undoes normalized in place.
func (s *scale) restore(frame []float32) {
	if s == nil {
		return
	}
	points := len(frame) / len(s.mean)
	for i := range frame {
		c := i / points
		frame[i] = frame[i]*s.std[c] + s.mean[c]
	}
}

package peers

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/peers/poseidon"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// poseidonChannels are the channels of the published weights.
var poseidonChannels = []string{"density", "velocity_x", "velocity_y", "pressure"}

// poseidonScale holds their mean and standard deviation in the original's pretraining.
var poseidonScale = scale{mean: []float32{0.80, 0, 0, 0}, std: []float32{0.31, 0.391, 0.356, 0.185}}

type poseidonDesign struct {
	weights  *poseidon.Weights
	model    *poseidon.Model
	emulator *poseidon.Emulator
	config   poseidon.Config
	channels []string
	named    bool // channels are those of the published weights
	lead     float32
}

// NewPoseidon returns a network that owns the weights.
func NewPoseidon(w *poseidon.Weights, o Options) (*Network, error) {
	em, err := poseidon.NewEmulator(w, o.Backend)
	if err != nil {
		return nil, err
	}
	m, err := poseidon.NewModel(w.Config())
	if err != nil {
		em.Close()
		return nil, err
	}
	d := &poseidonDesign{weights: w, model: m, emulator: em, config: w.Config(), channels: o.Channels, named: o.Channels == nil, lead: o.LeadTime}
	if d.named {
		d.channels = poseidonChannels
	}
	if d.lead == 0 {
		d.lead = poseidon.LeadTime
	}
	err = d.valid()
	if err != nil {
		em.Close()
		return nil, fmt.Errorf("peers: %w", err)
	}
	return (&Network{Kind: Poseidon, Name: d.config.Name, Parameters: d.config.Parameters(), design: d}).finish(o)
}

// valid returns an error if the network does not return what it gets, or the number of names
// is another one.
func (d *poseidonDesign) valid() error {
	c := d.config
	switch {
	case c.InChannels != c.OutChannels:
		return fmt.Errorf("poseidon: expected a network that forecasts all its channels, got %d of %d: use poseidon.Emulator", c.OutChannels, c.InChannels)
	case len(d.channels) != c.InChannels && d.named:
		return fmt.Errorf("poseidon: expected Options.Channels, because the network has %d channels and the published weights have %d", c.InChannels, len(d.channels))
	case len(d.channels) != c.InChannels:
		return fmt.Errorf("poseidon: expected a name for each of %d channels, got %v", c.InChannels, d.channels)
	case !(d.lead > 0):
		return fmt.Errorf("poseidon: expected a lead time above 0, got %v", d.lead)
	}
	return nil
}

func (d *poseidonDesign) frames() (least, usual int) { return 1, 1 }

func (d *poseidonDesign) check(w *data.Window) error {
	have := w.Channels(false)
	if !sameNames(have, d.channels) {
		return fmt.Errorf("expected the channels %v, got %v: name them by Options.Channels, or finetune a network of poseidon.Weights.WithChannels", d.channels, have)
	}
	return d.config.CheckGrid(w.Grid)
}

// sameNames reports whether two lists hold the same names.
func sameNames(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// own returns the original's constants in the order of the window's channels.
func (d *poseidonDesign) own(w *data.Window) *scale {
	if !d.named {
		return nil
	}
	s := &scale{}
	for _, name := range w.Channels(false) {
		c := slices.Index(poseidonChannels, name)
		s.mean, s.std = append(s.mean, poseidonScale.mean[c]), append(s.std, poseidonScale.std[c])
	}
	return s
}

// ordered returns the channels of a frame in the order of names.
func ordered(names []string, w *data.Window, frame []float32) []float32 {
	points, have := w.Points(), w.Channels(false)
	out := make([]float32, 0, len(frame))
	for _, name := range names {
		c := slices.Index(have, name)
		out = append(out, frame[c*points:(c+1)*points]...)
	}
	return out
}

// pass predicts the next frame from the last one.
func (d *poseidonDesign) pass(s samples, _ *rand.Rand) (*train.Pass, error) {
	n := len(s.windows)
	var x, next []float32
	for i, w := range s.windows {
		history := s.history[i]
		x, next = append(x, ordered(d.channels, w, history[len(history)-1])...), append(next, ordered(d.channels, w, s.next[i])...)
	}
	shape := s.shape([]int{n, d.config.InChannels})
	var in train.Inputs
	in.AddSamples("x", tensorOf(x, shape), 0)
	in.AddSamples("target", tensorOf(next, shape), 0)
	in.AddSamples("time", tensorOf(slices.Repeat([]float32{d.lead}, n), []int{n}), 0)
	return &train.Pass{Inputs: in, Loss: func(weights map[string]*Node, in train.Nodes) *Node {
		y := d.model.Build(vars(weights), poseidon.Inputs{X: in.Get("x"), Time: in.Get("time")})
		return d.config.Loss(y, in.Get("target"))
	}}, nil
}

func (d *poseidonDesign) on(device compute.DeviceNum) design {
	other := *d
	other.emulator = d.emulator.On(device)
	return &other
}

func (d *poseidonDesign) tensors() *walrus.TensorSet { return d.weights.TensorSet }

func (d *poseidonDesign) clone(o Options) (*Network, error) {
	w, err := d.weights.Clone()
	if err != nil {
		return nil, err
	}
	return closeOnError(w, NewPoseidon, o)
}

func (d *poseidonDesign) parts() (string, []walrus.Part) {
	return poseidon.WeightsFile, d.weights.Parts()
}

func (d *poseidonDesign) save(path string) error { return d.weights.Save(path) }

func (d *poseidonDesign) rollout(ctx context.Context, w *data.Window, history [][]float32, steps int) iter.Seq2[[]float32, error] {
	points, have := w.Points(), w.Channels(false)
	x := ordered(d.channels, w, history[len(history)-1])
	shape := append([]int{1, len(have)}, w.Grid...)
	return func(yield func([]float32, error) bool) {
		for y, err := range d.emulator.RolloutAfter(ctx, x, shape, slices.Repeat([]float32{d.lead}, steps)) {
			if err != nil {
				yield(nil, err)
				return
			}
			out := make([]float32, len(y))
			for i, name := range d.channels {
				copy(out[slices.Index(have, name)*points:][:points], y[i*points:])
			}
			if !yield(out, nil) {
				return
			}
		}
	}
}

func (d *poseidonDesign) close() { d.emulator.Close(); d.weights.Close() }

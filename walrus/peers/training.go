package peers

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/train"
)

var _ train.Network = (*Network)(nil)

// Tensors returns the weights. A trainer replaces their values.
func (n *Network) Tensors() *walrus.TensorSet {
	if n.design == nil {
		return nil
	}
	return n.design.tensors()
}

// Clone returns a copy with its own weights in host memory.
func (n *Network) Clone() (train.Network, error) {
	out, err := n.design.clone(n.options)
	if err != nil {
		return nil, fmt.Errorf("peers: %s: %w", n.Kind, err)
	}
	return out, nil
}

// samples are the windows of a micro-batch, with normalised values in the layout of windows.
type samples struct {
	windows []*data.Window // without the last frame
	history [][][]float32
	next    [][]float32
}

// shape returns the lengths of the samples' axes before and after those of the grid.
func (s samples) shape(before []int, after ...int) []int {
	return slices.Concat(before, s.windows[0].Grid, after)
}

// Pass lays out a micro-batch for a [train.Trainer]: every window holds the history and then
// the frame to predict. Values are normalised as in [Network.Rollout], and the loss is that of
// the original, between normalised values:
//
//   - Poseidon: [poseidon.Config.Loss] of one frame after another;
//   - DPOT: [dpot.RelativeL2], added over the samples, with the missing channels, as in the
//     original;
//   - MPP: [mpp.Loss], with dropped paths ([mpp.Config.DropPath]).
//
// Points in the mask of a window count like others.
func (n *Network) Pass(b *train.Batch, rng *rand.Rand) (*train.Pass, error) {
	if err := b.Validate(); err != nil {
		return nil, err
	}
	fail := func(err error) (*train.Pass, error) { return nil, fmt.Errorf("peers: %s: training: %w", n.Kind, err) }
	switch {
	case rng == nil:
		return fail(errors.New("expected a generator of random numbers, got nil"))
	case b.Statistics != nil:
		return fail(errors.New("expected no statistics of the batch, because the network has its own (Options.Statistics), got some"))
	case slices.Contains(b.Present, false):
		return fail(fmt.Errorf("expected a number of windows that the devices of a group divide, got %d of %d that count", count(b.Present), len(b.Present)))
	case b.Draws != nil:
		return fail(errors.New("expected no draws of jitter, which is for Walrus networks, got some"))
	}
	var s samples
	for _, w := range b.Windows {
		last := len(w.Frames) - 1
		if last < 1 {
			return fail(fmt.Errorf("window %s: expected at least two frames, history and target, got %d", w.Name, len(w.Frames)))
		}
		before, err := w.Slice(0, last)
		if err != nil {
			return fail(err)
		}
		history, scale, err := n.prepare(before, 1)
		if err != nil {
			return fail(err)
		}
		s.windows, s.history, s.next = append(s.windows, before), append(s.history, history), append(s.next, scale.normalized(w.Frames[last]))
	}
	p, err := n.design.pass(s, rng)
	if err != nil {
		return fail(err)
	}
	p.Class = fmt.Sprintf("%s grid %v samples %d %s", n.Kind, s.windows[0].Grid, len(s.windows), p.Class)
	p.Samples = len(s.windows)
	return p, nil
}

// count returns the number of windows that count.
func count(present []bool) int {
	n := 0
	for _, counts := range present {
		if counts {
			n++
		}
	}
	return n
}

// vars returns the parameters of a network from the nodes of its tensors.
func vars(weights map[string]*Node) layers.Vars {
	return layers.VarsFrom(func(key string, _ layers.Init, _ []int) *Node { return weights[key] })
}

// tensorOf returns a tensor with the given values.
func tensorOf(values []float32, dims []int) *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(values, dims...)
}

// settings are the options of a network that a checkpoint records.
type settings struct {
	Channels   []string         `json:"channels,omitempty"`
	Labels     map[string]int   `json:"labels,omitempty"`
	LeadTime   float32          `json:"lead_time,omitempty"`
	History    int              `json:"history,omitempty"`
	Statistics *data.Statistics `json:"statistics,omitempty"`
}

// Checkpoint returns what the checkpoint of a training holds of the network: the weights in the
// published layout, which the original reads, and the options, with which [Open] opens the
// checkpoint.
func (n *Network) Checkpoint() (walrus.Checkpoint, error) {
	o := n.options
	text, err := json.Marshal(settings{o.Channels, o.Labels, o.LeadTime, o.History, o.Statistics})
	if err != nil {
		return walrus.Checkpoint{}, fmt.Errorf("peers: %s: checkpoint: %w", n.Kind, err)
	}
	file, parts := n.design.parts()
	return walrus.Checkpoint{Design: &walrus.Design{Kind: string(n.Kind), Weights: file, Settings: text}, Parts: parts}, nil
}

// saved returns the manifest of a checkpoint of a peer, or nil if path is none.
func saved(path string) *walrus.Manifest {
	var other *walrus.DesignError
	if _, err := walrus.FindCheckpoint(path); errors.As(err, &other) {
		return other.Manifest
	}
	return nil
}

// adopt returns the options with those of a checkpoint where they are not set.
func (o Options) adopt(d *walrus.Design) (Options, error) {
	var s settings
	if err := json.Unmarshal(d.Settings, &s); err != nil {
		return o, fmt.Errorf("peers: checkpoint: settings: %w", err)
	}
	if o.Channels == nil {
		o.Channels = s.Channels
	}
	if o.Labels == nil {
		o.Labels = s.Labels
	}
	if o.LeadTime == 0 {
		o.LeadTime = s.LeadTime
	}
	if o.History == 0 {
		o.History = s.History
	}
	if o.Statistics == nil {
		o.Statistics = s.Statistics
	}
	return o, nil
}

// Save writes the weights in the published layout: a folder for Poseidon, a file for DPOT and
// MPP. The original reads it.
func (n *Network) Save(path string) error {
	if err := n.design.save(path); err != nil {
		return fmt.Errorf("peers: %s: %w", n.Kind, err)
	}
	return nil
}

// Forecaster returns the network on a device of its backend, as a forecaster that does not own
// the weights. It has the network's own statistics; others are an error.
func (n *Network) Forecaster(statistics *data.Statistics, device compute.DeviceNum) (walrus.Forecaster, error) {
	b := n.options.Backend
	switch {
	case statistics != nil:
		return nil, fmt.Errorf("peers: %s: forecaster: expected no statistics, because the network has its own (Options.Statistics), got some", n.Kind)
	case device < 0 || int(device) >= b.NumDevices():
		return nil, fmt.Errorf("peers: %s: forecaster: expected one of the %d devices of %s, got %d", n.Kind, b.NumDevices(), b.Name(), device)
	}
	there := *n
	there.design = n.design.on(device)
	return borrowed{&there}, nil
}

// borrowed is a network whose owner closes it.
type borrowed struct{ *Network }

func (borrowed) Close() {}

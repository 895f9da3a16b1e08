package peers

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/peers/mpp"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// mppHistory is the number of frames in the original's training.
const mppHistory = 16

type mppDesign struct {
	weights  *mpp.Weights
	model    *mpp.Model
	emulator *mpp.Emulator
	config   mpp.Config
	labels   map[string]int // nil for those of mpp.Fields
}

// NewMPP returns a network that owns the weights.
func NewMPP(w *mpp.Weights, o Options) (*Network, error) {
	em, err := mpp.NewEmulator(w, o.Backend)
	if err != nil {
		return nil, err
	}
	m, err := mpp.NewModel(w.Config())
	if err != nil {
		em.Close()
		return nil, err
	}
	d := &mppDesign{w, m, em, w.Config(), maps.Clone(o.Labels)}
	for name, label := range d.labels {
		if label < 0 || label >= d.config.States {
			em.Close()
			return nil, fmt.Errorf("peers: options: labels: %s: expected 0 to %d, got %d", name, d.config.States-1, label)
		}
	}
	return (&Network{Kind: MPP, Name: d.config.Name, Parameters: d.config.Parameters(), design: d}).finish(o)
}

func (d *mppDesign) frames() (least, usual int) {
	if d.config.Bias == mpp.BiasContinuous {
		return 2, mppHistory
	}
	return 1, mppHistory
}

func (d *mppDesign) own(*data.Window) *scale { return nil }

func (d *mppDesign) check(w *data.Window) error {
	if len(w.Grid) != 2 {
		return d.config.CheckGrid(w.Grid, [2]bool{})
	}
	s, err := d.system(w)
	if err != nil {
		return err
	}
	return d.config.CheckGrid(w.Grid, s.Periodic)
}

// system returns labels and boundaries of a window on two axes.
func (d *mppDesign) system(w *data.Window) (s mpp.System, err error) {
	s.Periodic = [2]bool{w.Boundaries[0].IsPeriodic(), w.Boundaries[1].IsPeriodic()}
	channels := w.Channels(false)
	if d.labels == nil {
		s.Labels, err = published(channels)
		return s, err
	}
	for _, name := range channels {
		label, ok := d.labels[name]
		if !ok {
			return s, fmt.Errorf("expected a label of channel %s in Options.Labels, got labels of %v", name, slices.Sorted(maps.Keys(d.labels)))
		}
		s.Labels = append(s.Labels, label)
	}
	return s, nil
}

// published returns the labels of channels that belong to one kind of system of the published
// weights, such as compns_density.
func published(channels []string) (labels []int, err error) {
	fields := mpp.Fields()
	var kinds []string
	for _, f := range fields {
		if kind, _, _ := strings.Cut(f, "_"); !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	var found []string
	for _, kind := range kinds {
		var list []int
		for _, name := range channels {
			list = append(list, slices.Index(fields, kind+"_"+name))
		}
		if !slices.Contains(list, -1) {
			labels, found = list, append(found, kind)
		}
	}
	switch len(found) {
	case 1:
		return labels, nil
	case 0:
		return nil, fmt.Errorf("the channels %v are those of no system that the published weights know (%v): expected Options.Labels", channels, fields)
	}
	return nil, fmt.Errorf("the channels %v belong to several systems that the published weights know (%v): expected Options.Labels to choose one", channels, found)
}

// pass predicts the next frame from all others. It draws the dropped paths.
func (d *mppDesign) pass(s samples, rng *rand.Rand) (*train.Pass, error) {
	first, n, t := s.windows[0], len(s.windows), len(s.history[0])
	system, err := d.system(first)
	if err != nil {
		return nil, err
	}
	channels := len(system.Labels)
	var x, next []float32
	for f := range t {
		for _, history := range s.history {
			x = append(x, history[f]...)
		}
	}
	labels := make([]int32, channels)
	for i, l := range system.Labels {
		labels[i] = int32(l)
	}
	for _, frame := range s.next {
		next = append(next, frame...)
	}
	var in train.Inputs
	in.AddSamples("x", tensorOf(x, s.shape([]int{t, n, channels})), 1)
	in.AddSamples("target", tensorOf(next, s.shape([]int{n, channels})), 0)
	in.Add("labels", tensors.FromValue(labels))
	d.drop(&in, t, n, rng)
	return &train.Pass{Class: fmt.Sprintf("frames %d channels %d periodic %v", t, channels, system.Periodic), Inputs: in,
		Loss: func(weights map[string]*Node, in train.Nodes) *Node {
			y := d.model.Build(vars(weights), mpp.Inputs{X: in.Get("x"), Labels: in.Get("labels"), Periodic: system.Periodic,
				KeepTime: in.Optional("keep time"), KeepAttention: in.Optional("keep attention"), KeepMLP: in.Optional("keep MLP")})
			return mpp.Loss(y, in.Get("target"))
		}}, nil
}

// drop draws the dropped paths of t frames of n samples, block after block: attention over
// time, attention over space, MLP. A network without drop path draws no random numbers.
func (d *mppDesign) drop(in *train.Inputs, t, n int, rng *rand.Rand) {
	if d.config.DropPath == 0 {
		return
	}
	blocks := d.config.Blocks
	time, attention, hidden := make([]float32, blocks*t), make([]float32, blocks*t*n), make([]float32, blocks*t*n)
	for i, rate := range d.config.DropPathRates() {
		layers.DrawKeep(rng, rate, time[i*t:(i+1)*t])
		layers.DrawKeep(rng, rate, attention[i*t*n:(i+1)*t*n])
		layers.DrawKeep(rng, rate, hidden[i*t*n:(i+1)*t*n])
	}
	in.Add("keep time", tensorOf(time, []int{blocks, t}))
	in.AddSamples("keep attention", tensorOf(attention, []int{blocks, t, n}), 2)
	in.AddSamples("keep MLP", tensorOf(hidden, []int{blocks, t, n}), 2)
}

func (d *mppDesign) on(device compute.DeviceNum) design {
	other := *d
	other.emulator = d.emulator.On(device)
	return &other
}

func (d *mppDesign) tensors() *walrus.TensorSet { return d.weights.TensorSet }

func (d *mppDesign) clone(o Options) (*Network, error) {
	w, err := d.weights.Clone()
	if err != nil {
		return nil, err
	}
	return closeOnError(w, NewMPP, o)
}

func (d *mppDesign) parts() (string, []walrus.Part) {
	const file = "model.pt"
	return file, []walrus.Part{{Name: file, Write: d.weights.Save}}
}

func (d *mppDesign) save(path string) error { return d.weights.Save(path) }

func (d *mppDesign) rollout(ctx context.Context, w *data.Window, history [][]float32, steps int) iter.Seq2[[]float32, error] {
	shape := append([]int{len(history), 1, len(w.Channels(false))}, w.Grid...)
	return func(yield func([]float32, error) bool) {
		s, err := d.system(w)
		if err != nil {
			yield(nil, err)
			return
		}
		for y, err := range d.emulator.Rollout(ctx, slices.Concat(history...), shape, s, steps) {
			if !yield(y, err) || err != nil {
				return
			}
		}
	}
}

func (d *mppDesign) close() { d.emulator.Close(); d.weights.Close() }

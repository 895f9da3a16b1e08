package peers

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus/peers/mpp"
)

// mppHistory is the number of frames in the original's training.
const mppHistory = 16

type mppDesign struct {
	weights  *mpp.Weights
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
	d := &mppDesign{w, em, w.Config(), maps.Clone(o.Labels)}
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

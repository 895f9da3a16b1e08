package peers

import (
	"context"
	"fmt"
	"iter"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus/peers/dpot"
)

type dpotDesign struct {
	weights  *dpot.Weights
	emulator *dpot.Emulator
	config   dpot.Config
}

// NewDPOT returns a network that owns the weights.
func NewDPOT(w *dpot.Weights, o Options) (*Network, error) {
	em, err := dpot.NewEmulator(w, o.Backend)
	if err != nil {
		return nil, err
	}
	d := &dpotDesign{w, em, w.Config()}
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

func (d *dpotDesign) rollout(ctx context.Context, w *data.Window, history [][]float32, steps int) iter.Seq2[[]float32, error] {
	t, channels, points := d.config.InSteps, len(w.Channels(false)), w.Points()
	history = history[len(history)-t:]
	x := make([]float32, points*t*channels) // [X…, T, C]
	for f, frame := range history {
		for c := range channels {
			for p := range points {
				x[(p*t+f)*channels+c] = frame[c*points+p]
			}
		}
	}
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

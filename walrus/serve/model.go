package serve

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/gomlx/compute"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/nano"
)

// Model is a network to serve.
type Model struct {
	// Name is shown to users.
	Name   string
	Config walrus.Config
	// Parameters counts the weights.
	Parameters int64
	// Forecaster forecasts; [Model.Close] closes it.
	Forecaster Forecaster

	plan *walrus.Model
}

// Forecaster is the part of a walrus.Emulator that the server uses. A rollout checks its
// context before every step.
type Forecaster interface {
	Rollout(ctx context.Context, w *data.Window, steps int) iter.Seq2[walrus.Frame, error]
	Close()
}

// NewModel returns a model of a network whose forecasts f makes.
func NewModel(name string, c walrus.Config, f Forecaster) (*Model, error) {
	if f == nil {
		return nil, errors.New("serve: expected a forecaster, got nil")
	}
	m, err := walrus.NewModel(c)
	if err != nil {
		return nil, fmt.Errorf("serve: %w", err)
	}
	params, err := c.Params()
	if err != nil {
		return nil, fmt.Errorf("serve: %w", err)
	}
	out := &Model{Name: name, Config: c, Forecaster: f, plan: m}
	for _, p := range params {
		if p.Init.Buffer {
			continue
		}
		n := int64(1)
		for _, d := range p.Dims {
			n *= int64(d)
		}
		out.Parameters += n
	}
	return out, nil
}

// OpenModel opens walrus-nano for the name "nano", an older version of it for one of
// [nano.Names], and otherwise a checkpoint, as [walrus.Load] does. o.Programs bounds the
// memory for compiled programs: clients may ask for ever new grids.
func OpenModel(weights string, o walrus.EmulatorOptions) (*Model, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	w, name, err := loadWeights(weights, o.Backend)
	if err != nil {
		return nil, err
	}
	o.OwnWeights = true
	em, err := walrus.NewEmulator(w, o)
	if err != nil {
		w.Close()
		return nil, err
	}
	m, err := NewModel(name, w.Config(), em)
	if err != nil {
		em.Close()
	}
	return m, err
}

// loadWeights loads weights, which know how their fields are normalised, and returns
// them with their name.
func loadWeights(path string, b compute.Backend) (*walrus.Weights, string, error) {
	lo := walrus.LoadOptions{Backend: b}
	if v, ok := nano.Find(path); ok {
		w, err := v.Weights(lo)
		return w, "walrus-" + v.Name, err
	}
	found, err := walrus.FindCheckpoint(path)
	if err != nil {
		return nil, "", err
	}
	w, _, err := found.Load(lo)
	name := found.Config.Name
	if name == "" {
		name = "network"
	}
	return w, name, err
}

// Close closes the forecaster, which ends running forecasts.
func (m *Model) Close() {
	if m != nil && m.Forecaster != nil {
		m.Forecaster.Close()
	}
}

// history returns the number of frames with which such networks are trained.
func (m *Model) history(axes int) int {
	if axes == 3 {
		return 3
	}
	return 6
}

// unknown returns the channels that the network does not know.
func (m *Model) unknown(channels []string) []string {
	var out []string
	for _, c := range channels {
		if _, ok := m.Config.Registry.Index(c); !ok {
			out = append(out, c)
		}
	}
	return out
}

package server

import (
	"fmt"

	"github.com/gomlx/compute"
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
	// Open returns an emulator. It is called again after one has met too many shapes.
	Open func() (Forecaster, error)

	plan  *walrus.Model
	close func()
}

// NewModel returns a model of a network whose emulators open returns. [Model.Close]
// calls close if it is not nil.
func NewModel(name string, c walrus.Config, open func() (Forecaster, error), close func()) (*Model, error) {
	m, err := walrus.NewModel(c)
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	params, err := c.Params()
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	out := &Model{Name: name, Config: c, Open: open, plan: m, close: close}
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
// [nano.Names], and otherwise a checkpoint, as [walrus.Load] does. All emulators of the
// model have the options o.
func OpenModel(weights string, o walrus.EmulatorOptions) (*Model, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	w, name, err := loadWeights(weights, o.Backend)
	if err != nil {
		return nil, err
	}
	o.OwnWeights = false // the weights outlive the emulators
	return NewModel(name, w.Config(), func() (Forecaster, error) { return walrus.NewEmulator(w, o) }, w.Finalize)
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

// Close frees the weights. No emulator may be in use.
func (m *Model) Close() {
	if m.close != nil {
		m.close()
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

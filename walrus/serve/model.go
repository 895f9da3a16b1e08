package serve

import (
	"cmp"
	"errors"
	"fmt"

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
	Forecaster walrus.Forecaster

	plan *walrus.Model
}

// NewModel returns a model of a network whose forecasts f makes.
func NewModel(name string, c walrus.Config, f walrus.Forecaster) (*Model, error) {
	if f == nil {
		return nil, errors.New("serve: expected a forecaster, got nil")
	}
	m, err := walrus.NewModel(c)
	if err != nil {
		return nil, fmt.Errorf("serve: %w", err)
	}
	n, err := c.Count()
	if err != nil {
		return nil, fmt.Errorf("serve: %w", err)
	}
	return &Model{Name: name, Config: c, Parameters: n.Parameters, Forecaster: f, plan: m}, nil
}

// OpenModel opens walrus-nano for the name "nano", an older version of it for one of
// [nano.Names], and otherwise a checkpoint, as [walrus.Load] does. Networks of package walrus/peers
// are bound to the fields and the grid of one data set and cannot be served. o.Programs bounds the
// memory for compiled programs: clients may ask for ever new grids.
func OpenModel(weights string, o walrus.EmulatorOptions) (*Model, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	em, err := nano.Open(weights, o)
	if err != nil {
		return nil, err
	}
	c := em.Model().Config()
	m, err := NewModel(nameOf(weights, c), c, em)
	if err != nil {
		em.Close()
	}
	return m, err
}

// nameOf returns the name of weights that were opened by a name or a path.
func nameOf(weights string, c walrus.Config) string {
	if v, ok := nano.Find(weights); ok {
		return "walrus-" + v.Name
	}
	return cmp.Or(c.Name, "network")
}

// Close closes the forecaster, which ends running forecasts.
func (m *Model) Close() {
	if m != nil && m.Forecaster != nil {
		m.Forecaster.Close()
	}
}

// intervals reports whether frames may have calibrated intervals.
func (m *Model) intervals() bool {
	c, ok := m.Forecaster.(interface{ Calibration() *walrus.Calibration })
	return ok && c.Calibration() != nil
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

package ladder

import (
	"fmt"
	"strings"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
)

// Setup is a run to simulate.
type Setup struct {
	Config  walrus.Config
	Systems []data.Entry
	// Devices is the number of devices, which form groups of Group devices.
	Devices, Group int
	// Accumulate is the number of micro-batches per update on rungs that accumulate;
	// the release has 4.
	Accumulate int
	// Micro is the number of micro-batches that every device trains.
	Micro   int
	Network Network
	Rates   Rates
	// Memory is the bandwidth of a device's memory in bytes per second. It decides how
	// long an update takes.
	Memory float64
	// Times, if not nil, replace the times of classes that were measured.
	Times *Times
	Seed  uint64
	// UnitBlocks is the number of blocks whose weights are gathered at once. PyTorch
	// gathers each block separately. Units of 4 make the simulation fast; their
	// transfer has the latency of four.
	UnitBlocks int
}

// Paper returns the paper's run: 1.3 billion parameters, the 19 data sets of
// pretraining, 96 H100 in groups of 4 (Table 2, §B.1).
func Paper() Setup {
	s := Setup{Config: walrus.Walrus(), Devices: 96, Group: 4, Accumulate: 4, Micro: 800,
		Network: H100Network(), Rates: PaperRates(), Memory: 3.35e12, Seed: 1, UnitBlocks: 4}
	for _, e := range data.Catalog() {
		if !e.Downstream {
			s.Systems = append(s.Systems, e)
		}
	}
	return s
}

// Validate returns an error for numbers that contradict each other.
func (s Setup) Validate() error {
	if err := s.Config.Validate(); err != nil {
		return err
	}
	if err := s.Network.Validate(); err != nil {
		return err
	}
	if err := s.Rates.Validate(); err != nil {
		return err
	}
	for _, e := range s.Systems {
		if len(e.Axes) == 0 || len(e.Axes) != len(e.Grid) {
			return fmt.Errorf("ladder: %s: expected a name for each axis of the grid, got %q and %v", e.Name, e.Axes, e.Grid)
		}
	}
	switch {
	case len(s.Systems) == 0:
		return fmt.Errorf("ladder: expected at least one system, got none")
	case s.Group < 1 || s.Devices < 1 || s.Devices%s.Group != 0:
		return fmt.Errorf("ladder: expected groups that divide the devices, got groups of %d and %d devices", s.Group, s.Devices)
	case s.Accumulate < 1 || s.Micro < 1 || s.Micro%s.Accumulate != 0:
		return fmt.Errorf("ladder: expected micro-batches in whole updates, got %d and %d per update", s.Micro, s.Accumulate)
	case s.UnitBlocks < 1 || !(s.Memory > 0):
		return fmt.Errorf("ladder: expected at least 1 block per unit and a positive bandwidth of memory, got %d and %v", s.UnitBlocks, s.Memory)
	}
	return nil
}

// classes returns the classes of the systems in a form.
func (s Setup) classes(form Form) ([]Class, error) {
	out := make([]Class, len(s.Systems))
	for i, e := range s.Systems {
		c, err := NewClass(s.Config, e, form, s.Rates)
		if err != nil {
			return nil, err
		}
		if seconds, ok := s.Times.find(c); ok {
			c.scale(seconds)
		}
		out[i] = c
	}
	return out, nil
}

// sizes are the bytes of the parts of the network in float32.
type sizes struct{ encoder, blocks, decoder float64 }

func (s Setup) sizes() (out sizes, err error) {
	params, err := s.Config.Params()
	if err != nil {
		return out, err
	}
	for _, p := range params {
		n := 4 * float64(p.Size())
		switch {
		case p.Init.Buffer:
		case strings.HasPrefix(p.Key, "blocks."):
			out.blocks += n
		case strings.HasPrefix(p.Key, "debed."):
			out.decoder += n
		default:
			out.encoder += n
		}
	}
	return out, nil
}

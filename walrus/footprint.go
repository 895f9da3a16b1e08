package walrus

import (
	"fmt"
	"strings"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/unfold"
)

// ForecastShape describes a forecast to [EstimateForecast].
type ForecastShape struct {
	// Grid is the grid of the network, on one to three axes, with a boundary for every axis.
	Grid       []int
	Boundaries data.Boundaries
	// Steps is the number of frames of the history.
	Steps int
	// Variable and Constant count the channels that the network sees. A vector counts as
	// three.
	Variable, Constant int
	// Draws is the number of draws or members that pass the network together
	// ([EmulatorOptions.Batch]); 0 means 1.
	Draws int
	// Cache, Precision and Weights are those of [EmulatorOptions].
	Cache              *Cache
	Precision, Weights Precision
}

// Validate returns an error if the forecast has no frames or channels or negative numbers.
// The planner checks grid and boundaries.
func (s ForecastShape) Validate() error {
	if s.Steps < 1 || s.Variable < 1 || s.Constant < 0 || s.Draws < 0 || s.Draws > maxDraws {
		return fmt.Errorf("walrus: forecast: expected at least 1 step and 1 variable channel, 0 to %d draws and no negative numbers, got %d steps, %d+%d channels, %d draws",
			maxDraws, s.Steps, s.Variable, s.Constant, s.Draws)
	}
	if s.Precision < Float32 || s.Precision > BFloat16 {
		return fmt.Errorf("walrus: forecast: precision: expected Float32 or BFloat16, got %d", int(s.Precision))
	}
	if s.Cache != nil {
		if err := s.Cache.Validate(); err != nil {
			return fmt.Errorf("walrus: forecast: %w", err)
		}
	}
	if err := s.Weights.checkWeights(); err != nil {
		return fmt.Errorf("walrus: forecast: %w", err)
	}
	return nil
}

// Footprint is the memory that a forecast needs, in bytes. The memory of the process itself
// and of the backend and its compiler comes on top: 0.3 to 0.5 GiB with XLA for CPUs.
type Footprint struct {
	// Weights are all weights of the network in the type in which they are held.
	Weights int64
	// Wide is the largest part of the network, a block, the encoder or the decoder, converted
	// to the type of the arithmetic, and the copies of its matrices in another order.
	Wide int64
	// Activations is the peak inside the program.
	Activations int64
	// Cache is the KV cache.
	Cache int64
	// Frames are the frames of the window, with constants, on host and device.
	Frames int64
}

// Total returns the sum of all bytes.
func (f Footprint) Total() int64 { return f.Weights + f.Wide + f.Activations + f.Cache + f.Frames }

// EstimateForecast computes the memory that a forecast needs on one device. Weights, cache
// and frames are exact. Activations follow a model of how the programs of this library hold
// them on XLA for CPUs, which benchmarks/memory compares with measurements. It allocates
// nothing. For training see package distributed.
func EstimateForecast(c Config, s ForecastShape) (Footprint, error) {
	if err := s.Validate(); err != nil {
		return Footprint{}, err
	}
	m, err := NewModel(c)
	if err != nil {
		return Footprint{}, err
	}
	plan, err := m.Plan(s.Grid, s.Boundaries)
	if err != nil {
		return Footprint{}, err
	}
	points := 1.0
	for _, n := range s.Grid {
		points *= float64(n)
	}
	return s.footprint(m, plan, points), nil
}

// footprint is the estimate for a plan of the network's grid and fields of the given number
// of points.
func (s ForecastShape) footprint(m *Model, plan *csm.Plan, points float64) Footprint {
	c, draws := m.config, float64(max(s.Draws, 1))
	held, bytes := max(s.Weights, s.Precision), 4.0
	if s.Precision == BFloat16 {
		bytes = 2
	}
	var f Footprint
	parts := map[string]int64{}
	for _, p := range m.params() {
		f.Weights += held.bytes(p)
		if _, narrow := held.narrows(p); narrow && held != s.Precision {
			parts[partOf(p.Key)] += int64(bytes) * int64(p.Size())
		}
	}
	for _, n := range parts {
		f.Wide = max(f.Wide, n)
	}
	f.Wide += int64(bytes * reordered * float64(c.Hidden*c.Hidden))
	frames := draws * float64(s.Steps)
	slots := 0.0
	if s.Cache != nil {
		frames = draws
		slots = float64(max(s.Steps, s.Cache.Frames) - 1)
	}
	f.Activations = whole(bytes * s.activations(c, plan, frames))
	f.Cache = whole(bytes * 2 * slots * draws * float64(c.Blocks*plan.Tokens()*c.Hidden))
	f.Frames = whole(4 * points * (2*float64(s.Steps)*float64(s.Variable) + float64(2*s.Constant)))
	return f
}

// whole converts bytes, of which there may be more than an int64 holds.
func whole(bytes float64) int64 { return int64(min(bytes, 1<<60)) }

// partOf names the part of the network whose weights are wide at the same time.
func partOf(key string) string {
	words := strings.SplitN(key, ".", 3)
	return strings.Join(words[:min(len(words), 2)], ".")
}

// The model of activations assumes that a forecast peaks while the encoder unfolds its
// input, inside a block, or while the decoder folds its output. It counts numbers; C is the
// width, M that of the MLP. The coefficients were fitted to the allocations of XLA for CPUs,
// which computes the scores of space attention without storing them
// (benchmarks/memory_forecast_2026-11-30.md).
const (
	// A block holds blockWidth·C + blockMLP·M numbers per token.
	blockWidth, blockMLP = 8.7, 2.0
	// The encoder holds its unfolded values twice while it unfolds all of them before the
	// product, and otherwise them and the product, at more positions than the product has.
	unfoldedTwice, unfoldedWithProduct = 2.0, 1.2
	// The decoder holds its operand and the product twice while it folds.
	folding = 2.0
	// A block copies reordered·C² numbers of its matrices into another order.
	reordered = 8
)

// activations counts the numbers that the program holds at its peak, for as many frames as
// pass the network together.
func (s ForecastShape) activations(c Config, plan *csm.Plan, frames float64) float64 {
	draws, channels := float64(max(s.Draws, 1)), s.Variable+s.Constant
	perFrame := float64(plan.Tokens())
	padded := float64(channels)
	for _, n := range plan.PaddedGrid() {
		padded *= float64(n)
	}
	first := unfold.Of(plan, 0)
	operand, result := first.Widths(channels+3, c.Intermediate, false)
	encoder := frames * (padded + first.Places*max(unfoldedTwice*operand, unfoldedWithProduct*(operand+result)))
	operand, result = first.Widths(c.Intermediate, channels, true)
	decoder := draws * folding * (first.Wrapped*result + first.Reached*operand)
	block := frames*perFrame*(blockWidth*float64(c.Hidden)+blockMLP*float64(c.MLPWidth())) +
		draws*perFrame*float64(c.Heads)*(frames/draws)*float64(s.Steps) // the scores in time
	return max(encoder, block, decoder)
}

package walrus

import (
	"fmt"
	"log/slog"
	"math"

	"github.com/gomlx/compute"
)

// EmulatorOptions configure an Emulator. Only Backend is required.
type EmulatorOptions struct {
	Backend compute.Backend
	// Scaling says how fields are normalised; nil means the scaling that the weights
	// were trained with ([Weights.Scaling]).
	Scaling *Scaling
	// Resize is the grid to which fields are interpolated before the network; the zero
	// value keeps the grid of the fields.
	Resize Resize
	// Ensemble is the number of draws over which each forecast frame is averaged
	// before the next frame is forecast; 0 means 1. [Emulator.Ensemble] forecasts members
	// that stay apart.
	Ensemble int
	// Batch is the number of draws, for example of an ensemble, that pass the network
	// together; 0 means 1. The memory of activations is proportional to Batch. A larger
	// batch uses a GPU better; on CPUs it takes as long as the same draws one by one.
	Batch int
	// Precision is the arithmetic of the network; the zero value is float32.
	Precision Precision
	// Weights is the type in which the matrices and kernels of the network are held in
	// memory; the zero value is float32. The network converts the weights of a block to the
	// type of its arithmetic when it reaches the block, so that the weights of one block at a
	// time are wide. Arithmetic in bfloat16 holds weights in bfloat16 or int8.
	// [Load] reads weights straight into this type. An emulator of float32 weights makes its
	// own copies.
	Weights Precision
	// Device is the number, from 0, of the backend's device that computes. Weights are on
	// one device at a time: emulators on several devices need copies ([Weights.Clone]).
	Device int
	// Devices, if there are several, compute each forecast together (XLA): the weights of
	// blocks are cut into as many equal pieces, one on each device, and XLA divides the
	// products. A network that is too large for a device so fits on several. The host keeps
	// the weights, too. An emulator with a cache, or with weights in a shorter type, needs a
	// single device. Devices replaces Device.
	Devices []int
	// Cache configures the KV cache; nil means none: every step computes the whole window,
	// with new draws, as the release does.
	Cache *Cache
	// Seed seeds the draws. The same seed gives the same forecast on the same
	// backend.
	Seed uint64
	// JitterOff pads without random shifts and rolls, so that the forecast does not
	// depend on the seed. This is the release's jitter_patches: false; the padding is
	// slightly narrower than with jitter.
	JitterOff bool
	// NoRolls omits the latent rolls between blocks and keeps the jitter of the input,
	// for weights that were trained without rolls.
	NoRolls bool
	// Programs is the number of compiled programs that the emulator keeps, one for each
	// combination of fields, grid, boundaries and number of frames. When there are more,
	// the least recently used is freed. 0 means 16.
	Programs int
	// MemoryLimit is the number of bytes that a rollout may need. A rollout that needs more,
	// by the estimate of [EstimateForecast], is refused with a [MemoryError] before anything
	// is allocated. 0 means the memory of the machine, a negative number no limit.
	MemoryLimit int64
	// Divergence says when a forecast ends with [ErrDiverged]; the zero value checks every
	// field.
	Divergence Divergence
	// Between, if set, corrects every forecast frame before the next step starts from it.
	// Package walrus/steer has corrections. Concurrent rollouts call it concurrently.
	Between Correction
	// Calibration, if set, gives the frames of rollouts an interval. It must have been made
	// with these weights and settings. [Load] reads the [CalibrationFile] next to the weights;
	// if that was made with other settings, Load warns in the log and leaves it out.
	Calibration *Calibration
	// Level is the level of the intervals, one of the calibration's; 0 means 0.9.
	Level float64
	// Familiarity, if set, gives advice on windows that are unlike those of the training.
	// [Load] reads the [FamiliarityFile] next to the weights.
	Familiarity *Familiarity
	// OwnWeights makes Close free the weights, too; [Load] sets it.
	OwnWeights bool
	// Log receives a record for every compiled program, and a warning for every
	// [Advice] on a window; nil means no log.
	Log *slog.Logger
}

// LoadOptions returns the options that load weights for an emulator: on its backend, in the
// type of [EmulatorOptions.Weights], or in host memory for several devices.
func (o EmulatorOptions) LoadOptions() LoadOptions {
	if len(o.Devices) > 1 {
		return LoadOptions{}
	}
	return LoadOptions{Backend: o.Backend, Weights: o.held()}
}

// held returns the precision in which the weights are held.
func (o EmulatorOptions) held() Precision { return max(o.Weights, o.Precision) }

// takes returns an error unless an emulator with these options can use the weights.
func (o EmulatorOptions) takes(w *Weights) error {
	if p := w.Precision(); p != Float32 && p != o.held() {
		return fmt.Errorf("expected weights in float32 or %v (EmulatorOptions.Weights), got weights held in %v", o.held(), p)
	}
	return nil
}

// maxDraws bounds ensembles and batches.
const maxDraws = 1 << 20

// Validate checks the options.
func (o EmulatorOptions) Validate() error {
	if o.Backend == nil {
		return fmt.Errorf("walrus: emulator options: expected a backend (see package walrus/backend), got none")
	}
	if o.Ensemble < 0 || o.Ensemble > maxDraws {
		return fmt.Errorf("walrus: emulator options: expected an ensemble of at least 1 and at most %d, got %d", maxDraws, o.Ensemble)
	}
	if o.Batch < 0 || o.Batch > maxDraws {
		return fmt.Errorf("walrus: emulator options: expected a batch of at least 1 and at most %d, got %d", maxDraws, o.Batch)
	}
	if o.Programs < 0 {
		return fmt.Errorf("walrus: emulator options: expected at least 1 program, got %d", o.Programs)
	}
	if err := o.Resize.Validate(); err != nil {
		return fmt.Errorf("walrus: emulator options: %w", err)
	}
	if err := o.checkDevices(); err != nil {
		return fmt.Errorf("walrus: emulator options: %w", err)
	}
	if err := o.Precision.check(o.Backend); err != nil {
		return fmt.Errorf("walrus: emulator options: %w", err)
	}
	if err := o.Weights.checkWeights(); err != nil {
		return fmt.Errorf("walrus: emulator options: %w", err)
	}
	if o.Cache != nil {
		if err := o.Cache.Validate(); err != nil {
			return fmt.Errorf("walrus: emulator options: %w", err)
		}
	}
	if err := o.Divergence.Validate(); err != nil {
		return fmt.Errorf("walrus: emulator options: %w", err)
	}
	if o.Familiarity != nil {
		if err := o.Familiarity.Validate(); err != nil {
			return fmt.Errorf("walrus: emulator options: %w", err)
		}
	}
	if o.Scaling != nil {
		if err := o.Scaling.complete(); err != nil {
			return fmt.Errorf("walrus: emulator options: scaling: %w", err)
		}
	}
	return nil
}

// Cache configures the KV cache of a rollout: the rollout keeps the keys and values that
// attention in time computed for earlier frames, per block and token, and each new frame
// passes the network once, alone. (Paper §6 calls such a cache vital; the release has
// none.)
//
// Statistics, jitter and latent rolls are fixed until the next refresh, because the
// cached keys and values depend on them. While every frame is still in the cache, the
// forecast equals that of the network on all frames so far with the same statistics and
// draws, up to rounding. After the first frame is discarded the forecast is an
// approximation: the cached keys and values of a frame were computed while it attended to
// frames that have since been discarded.
type Cache struct {
	// Frames is the number of frames that a new frame attends to, itself included. 0
	// means the length of the window. If it is the number of frames of history and
	// forecast together, no frame is ever discarded, but the network was trained with
	// short histories.
	Frames int
	// Refresh is the number of steps after which the cache is recomputed, with new
	// statistics and draws, from the latest frames (as many as the window had). 0 means
	// DefaultRefresh; a negative number never refreshes.
	Refresh int
}

// DefaultRefresh is the default of Cache.Refresh. In experiments/cache this number of
// steps gives the forecasts closest to those without a cache.
const DefaultRefresh = 3

// refresh returns the number of steps between refreshes, or 0 for none.
func (c Cache) refresh() int {
	if c.Refresh == 0 {
		return DefaultRefresh
	}
	return max(c.Refresh, 0)
}

// Validate checks the ranges.
func (c Cache) Validate() error {
	if c.Frames < 0 {
		return fmt.Errorf("cache: expected a number of frames of at least 0, got %d", c.Frames)
	}
	return nil
}

// Divergence says when a forecast counts as diverged and ends its rollout with a
// [DivergedError]. Values that are not finite always do.
//
// The history sets the scale of each field: the range from its smallest to its largest
// value, over all frames and components, and its variance over the grid, averaged over the
// frames. A forecast has diverged
//
//   - if a value is outside the range by more than Factor times the width of the range
//     (times the largest magnitude for a field of one constant value), or
//   - if the power of the shortest waves is more than Factor times the variance: along one
//     axis, the mean square of u[i−1] − 2u[i] + u[i+1], divided by 16, which weighs a wave of
//     frequency f (in cycles per point) by sin⁴(πf).
//
// A field that is 0 throughout the history has no scale and is not checked.
type Divergence struct {
	// Factor is the factor for all fields; 0 means 10, a negative number switches both
	// checks off.
	Factor float64
	// Fields overrides Factor for fields by name, for example "velocity". A field that
	// starts from nearly nothing and grows, like an instability, needs a larger factor.
	Fields map[string]float64
}

// DefaultDivergence is the default of Divergence.Factor.
const DefaultDivergence = 10

// Validate returns an error for a factor that is NaN.
func (d Divergence) Validate() error {
	if math.IsNaN(d.Factor) {
		return fmt.Errorf("divergence: expected a factor, 0 for the default or a negative number for no check, got NaN")
	}
	for name, f := range d.Fields {
		if math.IsNaN(f) {
			return fmt.Errorf("divergence: field %s: expected a factor, 0 for the default or a negative number for no check, got NaN", name)
		}
	}
	return nil
}

// factor returns the factor of a field, a negative number for none.
func (d Divergence) factor(field string) float64 {
	f, ok := d.Fields[field]
	if !ok {
		f = d.Factor
	}
	if f == 0 {
		return DefaultDivergence
	}
	return f
}

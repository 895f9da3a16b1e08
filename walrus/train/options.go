package train

import (
	"fmt"
	"log/slog"

	"github.com/gomlx/compute"

	"github.com/gowalrus/gowalrus/distributed"
	"github.com/gowalrus/gowalrus/walrus"
)

// Options configure a Trainer. Only Backend is required; the other zero values are the
// release's objective and optimiser on one device.
type Options struct {
	Backend   compute.Backend
	Objective Objective
	AdamW     AdamW
	// Seed seeds the generator of jitter and latent rolls.
	Seed uint64
	// NoRolls omits the latent rolls between blocks and keeps the jitter of the input,
	// an ablation (paper §3.2).
	NoRolls bool
	// Freeze lists the tensors that are not trained, by name or by a pattern in
	// which * matches any characters: "blocks.*", "embed.2.*". A pattern that matches
	// no tensor is an error.
	Freeze []string
	// LoRA, if not nil, trains adapters in place of some tensors. The other tensors are
	// trained directly unless frozen.
	LoRA *LoRA
	// EMA, if above 0, keeps an exponential moving average of the weights,
	// averaged ← EMA·averaged + (1−EMA)·weights after every update.
	EMA float64
	// SkipNonFinite leaves out micro-batches whose loss or gradient is not finite, and
	// updates whose gradient is not finite, and logs them as warnings. Otherwise they end
	// [Trainer.StepFrom] with a [NonFiniteError].
	SkipNonFinite bool
	// Mesh arranges the devices of this process; every process has the same. The zero
	// value is one device.
	Mesh distributed.Mesh
	// Devices are the backend's devices to use: Mesh.Devices of them in the order of the
	// mesh. If nil, the first devices are used.
	Devices []compute.DeviceNum
	// Engine connects processes; nil means distributed.Alone.
	Engine distributed.Engine
	// Done, if not nil, is called after each micro-batch of a group in StepFrom, before
	// the group asks for its next one. Groups call it concurrently.
	Done func(group, micro int)
	// Log receives one record per compiled program; nil means no log.
	Log *slog.Logger
}

// fillFor sets defaults and checks the options for training a Walrus network.
func (o *Options) fillFor(w *walrus.Weights) error {
	if err := o.fill(&w.TensorSet); err != nil {
		return err
	}
	if o.Objective.BFloat16 && !isXLA(o.Backend) {
		return fmt.Errorf("train: bfloat16: expected XLA, got backend %s", o.Backend.Name())
	}
	var err error
	o.Objective, err = o.Objective.For(w)
	return err
}

// fill sets defaults and checks the options that all networks have.
func (o *Options) fill(w *walrus.TensorSet) error {
	if o.Backend == nil {
		return fmt.Errorf("train: options: expected a backend, got none")
	}
	if p := w.Precision(); p != walrus.Float32 {
		return fmt.Errorf("train: weights: expected float32, got weights held in %v: load them with LoadOptions.Weights Float32", p)
	}
	if err := o.AdamW.Validate(); err != nil {
		return err
	}
	o.AdamW = o.AdamW.withDefaults()
	if !(o.EMA >= 0 && o.EMA < 1) {
		return fmt.Errorf("train: options: moving average: expected a decay between 0 and 1, got %v", o.EMA)
	}
	if o.Engine == nil {
		o.Engine = distributed.Alone{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := o.Mesh.Validate(); err != nil {
		return err
	}
	o.Mesh = o.Mesh.WithDefaults()
	return o.fillDevices()
}

func (o *Options) fillDevices() error {
	there := o.Backend.NumDevices()
	if o.Devices == nil {
		for i := range o.Mesh.Devices() {
			o.Devices = append(o.Devices, compute.DeviceNum(i))
		}
	}
	if len(o.Devices) != o.Mesh.Devices() {
		return fmt.Errorf("train: options: mesh %v: expected %d devices, got %v", o.Mesh, o.Mesh.Devices(), o.Devices)
	}
	seen := map[compute.DeviceNum]bool{}
	for _, d := range o.Devices {
		if int(d) >= there || d < 0 || seen[d] {
			return fmt.Errorf("train: options: mesh %v: expected %d different devices of the %d that %s has, got %v",
				o.Mesh, o.Mesh.Devices(), there, o.Backend.Name(), o.Devices)
		}
		seen[d] = true
	}
	return nil
}

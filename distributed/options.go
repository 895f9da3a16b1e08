package distributed

import (
	"fmt"
	"log/slog"

	"github.com/gomlx/compute"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// Options configure a Trainer. Only Trainer.Backend is required.
type Options struct {
	// Trainer holds the options of training on a single device. LoRA must be empty:
	// adapters are small enough to train on one device.
	Trainer train.Options
	// Mesh arranges the devices of this process; every process has the same.
	Mesh Mesh
	// Devices are the backend's devices to use: Mesh.Devices of them in the order of
	// the mesh. If nil, the first devices are used.
	Devices []compute.DeviceNum
	// Engine connects processes; nil means Alone.
	Engine Engine
	// Log receives a record for every compiled program; nil means Trainer.Log.
	Log *slog.Logger
	// Done, if not nil, is called after each micro-batch of a group, before the group
	// asks for its next one. Groups call it concurrently.
	Done func(group, micro int)

	frozen map[string]bool
}

// fill sets defaults and checks the options.
func (o *Options) fill(w *walrus.Weights) error {
	if o.Trainer.Backend == nil {
		return fmt.Errorf("distributed: options: expected a backend, got none")
	}
	if w == nil {
		return fmt.Errorf("distributed: expected weights, got none")
	}
	if o.Trainer.LoRA != nil {
		return fmt.Errorf("distributed: options: LoRA: expected none on a mesh; adapters are trained by train.New on one device")
	}
	if err := o.Mesh.Validate(); err != nil {
		return err
	}
	o.Mesh = o.Mesh.normal()
	if err := o.Trainer.AdamW.Validate(); err != nil {
		return err
	}
	if e := o.Trainer.EMA; e < 0 || e >= 1 {
		return fmt.Errorf("distributed: options: moving average: expected a decay between 0 and 1, got %v", e)
	}
	if o.Engine == nil {
		o.Engine = Alone{}
	}
	if o.Log == nil {
		o.Log = o.Trainer.Log
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	var err error
	if o.Trainer.Objective, err = o.Trainer.Objective.For(w); err != nil {
		return err
	}
	if o.frozen, err = train.Frozen(w.Params(), o.Trainer.Freeze); err != nil {
		return err
	}
	return o.fillDevices()
}

func (o *Options) fillDevices() error {
	there := o.Trainer.Backend.NumDevices()
	if o.Devices == nil {
		for i := range o.Mesh.Devices() {
			o.Devices = append(o.Devices, compute.DeviceNum(i))
		}
	}
	if len(o.Devices) != o.Mesh.Devices() {
		return fmt.Errorf("distributed: options: mesh %v: expected %d devices, got %v", o.Mesh, o.Mesh.Devices(), o.Devices)
	}
	seen := map[compute.DeviceNum]bool{}
	for _, d := range o.Devices {
		if int(d) >= there || d < 0 || seen[d] {
			return fmt.Errorf("distributed: options: mesh %v: expected %d different devices of the %d that %s has, got %v",
				o.Mesh, o.Mesh.Devices(), there, o.Trainer.Backend.Name(), o.Devices)
		}
		seen[d] = true
	}
	return nil
}

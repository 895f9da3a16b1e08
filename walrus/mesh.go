package walrus

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gowalrus/gowalrus/internal/shard"
)

// checkDevices returns an error unless the options allow a forecast on several devices.
func (o EmulatorOptions) checkDevices() error {
	n := o.Backend.NumDevices()
	if o.Device < 0 || o.Device >= n {
		return fmt.Errorf("expected a device from 0 to %d, got %d", n-1, o.Device)
	}
	if len(o.Devices) == 0 {
		return nil
	}
	sorted := slices.Sorted(slices.Values(o.Devices))
	if sorted[0] < 0 || sorted[len(sorted)-1] >= n || len(slices.Compact(sorted)) != len(o.Devices) {
		return fmt.Errorf("devices: expected different numbers from 0 to %d, got %v", n-1, o.Devices)
	}
	switch {
	case len(o.Devices) == 1:
		return nil
	case o.Cache != nil:
		return fmt.Errorf("devices: expected no cache with several devices, got devices %v", o.Devices)
	case o.held() != Float32:
		return fmt.Errorf("devices: expected weights and arithmetic in float32 with several devices, got %v", o.held())
	}
	return nil
}

// layout returns the layout of several devices, or nil for one.
func (o EmulatorOptions) layout() (*shard.Layout, error) {
	if len(o.Devices) < 2 {
		return nil, nil
	}
	devices := make([]compute.DeviceNum, len(o.Devices))
	for i, d := range o.Devices {
		devices[i] = compute.DeviceNum(d)
	}
	return shard.New(o.Backend, devices)
}

// pieces are the parts of a tensor on the devices of an emulator.
type pieces []*tensors.Tensor

func (p pieces) free() { shard.Free(p) }

// cut copies a tensor to the devices.
func cut(layout *shard.Layout, slot shard.Slot, t *tensors.Tensor) (parts pieces, err error) {
	err = withValues(t, func(v []float32) (err error) {
		parts, err = layout.Place(slot, v)
		return err
	})
	return parts, err
}

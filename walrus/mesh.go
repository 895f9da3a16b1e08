package walrus

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gowalrus/gowalrus/internal/inputs"
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

// shards holds the weights on the devices of an emulator, each with the tensor that it was
// copied from. Training replaces tensors; a tensor that was not replaced is not copied again.
type shards map[narrowedKey]shardedTensor

type shardedTensor struct {
	from  *tensors.Tensor
	parts []*tensors.Tensor
}

// slotOf says how the devices store a tensor: those of blocks in equal pieces, the others,
// which are small, whole on every device (paper §4.2).
func slotOf(p Param) shard.Slot {
	return shard.Slot{Key: p.Key, Dims: p.Dims, Sharded: strings.HasPrefix(p.Key, "blocks.") && !p.Init.Buffer}
}

// add appends a tensor of the weights to l and places it on the devices if necessary.
func (s shards) add(l *inputs.List, layout *shard.Layout, w *Weights, p Param, t *tensors.Tensor) error {
	at, slot := narrowedKey{w, p.Key}, slotOf(p)
	old, ok := s[at]
	if ok && old.from == t {
		l.AddParts(p.Key, old.parts, slot)
		return nil
	}
	shard.Free(old.parts)
	delete(s, at)
	var parts []*tensors.Tensor
	err := withValues(t, func(v []float32) (err error) {
		parts, err = layout.Place(slot, v)
		return err
	})
	if err != nil {
		return err
	}
	s[at] = shardedTensor{t, parts}
	l.AddParts(p.Key, parts, slot)
	return nil
}

func (s shards) close() {
	for _, t := range s {
		shard.Free(t.parts)
	}
	clear(s)
}

// Package shard stores tensors on the devices of a group and runs programs there.
package shard

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/distributed"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// shardAxis is the only axis of a group's device mesh.
const shardAxis = "shard"

// Layout describes how the devices of a group store tensors. A sharded tensor is
// flattened, padded with zeros to a multiple of the number of devices and cut into
// equal pieces, so that any number of devices works for any shape. A replicated tensor
// is whole on every device.
type Layout struct {
	Backend compute.Backend
	Devices []compute.DeviceNum
	mesh    *distributed.DeviceMesh // nil for a single device
}

// New returns the layout of a group of devices of a backend.
func New(b compute.Backend, devices []compute.DeviceNum) (*Layout, error) {
	l := &Layout{Backend: b, Devices: devices}
	if len(devices) == 1 {
		return l, nil
	}
	var err error
	l.mesh, err = distributed.NewDeviceMesh([]int{len(devices)}, []string{shardAxis})
	return l, err
}

// Slot is a tensor's name and shape and the way a group stores it.
type Slot struct {
	Key     string
	Dims    []int
	Sharded bool
}

// SlotOf returns the slot of a tensor of a network. Tensors of blocks are cut over the devices:
// those of Walrus, DPOT and MPP ("blocks.0.…") and of Poseidon ("encoder.layers.0.blocks.0.…",
// "residual_blocks.0.0.…"). Encoder, decoder, the tensors outside the blocks and buffers are small
// and whole on every device (paper §4.2).
func SlotOf(key string, dims []int, buffer bool) Slot {
	inBlock := strings.Contains("."+key, ".blocks.") || strings.HasPrefix(key, "residual_blocks.")
	return Slot{Key: key, Dims: dims, Sharded: inBlock && !buffer}
}

// Size returns the number of values.
func (s Slot) Size() int {
	n := 1
	for _, d := range s.Dims {
		n *= d
	}
	return n
}

// Piece returns the number of values that one device holds.
func (l *Layout) Piece(s Slot) int {
	if !s.Sharded {
		return s.Size()
	}
	return (s.Size() + len(l.Devices) - 1) / len(l.Devices)
}

// Axis returns the axis along which the stored tensor is cut, or −1 if it is replicated.
func (s Slot) Axis() int {
	if s.Sharded {
		return 0
	}
	return -1
}

// Place copies a tensor to the devices. It does not keep values.
func (l *Layout) Place(s Slot, values []float32) ([]*tensors.Tensor, error) {
	n := l.Piece(s)
	out := make([]*tensors.Tensor, len(l.Devices))
	for i, device := range l.Devices {
		part := values
		if s.Sharded {
			part = make([]float32, n)
			if at := i * n; at < len(values) {
				copy(part, values[at:])
			}
		}
		dims := s.Dims
		if s.Sharded {
			dims = []int{n}
		}
		out[i] = tensors.FromFlatDataAndDimensions(part, dims...)
		if err := out[i].MaterializeOnDevice(l.Backend, true, device); err != nil {
			Free(out[:i+1])
			return nil, fmt.Errorf("placing %s on device %d: %w", s.Key, device, err)
		}
		out[i].FinalizeLocal()
	}
	return out, nil
}

// Gather copies a tensor from the devices into values.
func (l *Layout) Gather(s Slot, parts []*tensors.Tensor, values []float32) error {
	if !s.Sharded {
		parts = parts[:1]
	}
	for _, x := range parts {
		flat, err := tensors.CopyFlatData[float32](x)
		if err != nil {
			return fmt.Errorf("copying %s from its devices: %w", s.Key, err)
		}
		values = values[copy(values, flat):]
	}
	return nil
}

// Whole restores the shape of a tensor from a program's input.
func (s Slot) Whole(x *Node) *Node {
	if !s.Sharded {
		return x
	}
	if n := x.Shape().Size(); n > s.Size() {
		x = SliceAxis(x, 0, AxisRange(0, s.Size()))
	}
	return Reshape(x, s.Dims...)
}

// Flat converts a tensor to the form of a program's output.
func (l *Layout) Flat(s Slot, x *Node) *Node {
	if !s.Sharded {
		return x
	}
	x = Reshape(x, s.Size())
	if pad := l.Piece(s)*len(l.Devices) - s.Size(); pad > 0 {
		x = Concatenate([]*Node{x, Zeros(x.Graph(), shapes.Make(x.DType(), pad))}, 0)
	}
	return x
}

// along returns the sharding that cuts one axis, or none if axis is −1.
func (l *Layout) along(axis int) *distributed.ShardingSpec {
	if axis < 0 {
		return distributed.NewReplicatedShardingSpec(l.mesh)
	}
	axes := make([]distributed.AxisSpec, axis+1)
	axes[axis] = distributed.AxisSpec{shardAxis}
	return &distributed.ShardingSpec{Mesh: l.mesh, Axes: axes}
}

// Program compiles a graph for the group. in and out are the axes along which its inputs
// and outputs are cut, −1 for those that are replicated.
func (l *Layout) Program(name string, f func(in []*Node) []*Node, in, out []int) (*Exec, error) {
	exec, err := NewExec(l.Backend, f)
	if err != nil {
		return nil, fmt.Errorf("building the program %s: %w", name, err)
	}
	if l.mesh != nil {
		exec.WithDeviceAssignment(l.Devices).AutoSharding(l.mesh).WithInputShardingSpecs(l.specs(in)...).WithOutputShardingSpecs(l.specs(out)...)
	}
	return exec, nil
}

func (l *Layout) specs(axes []int) []*distributed.ShardingSpec {
	out := make([]*distributed.ShardingSpec, len(axes))
	for i, axis := range axes {
		out[i] = l.along(axis)
	}
	return out
}

// Call runs a program on inputs [device][input] and returns its outputs
// [output][device]. Donated inputs must already be buffers.
func (l *Layout) Call(exec *Exec, in [][]any) ([][]*tensors.Tensor, error) {
	args := make([]any, 0, len(in)*len(l.Devices))
	for d := range l.Devices {
		for _, x := range in {
			args = append(args, x[d])
		}
	}
	flat, _, err := exec.CallWithGraphOnDevice(l.Devices[0], args...)
	if err != nil {
		return nil, err
	}
	n := len(flat) / len(l.Devices)
	out := make([][]*tensors.Tensor, n)
	for i := range out {
		out[i] = make([]*tensors.Tensor, len(l.Devices))
		for d := range l.Devices {
			out[i][d] = flat[d*n+i]
		}
	}
	return out, nil
}

// Split copies a tensor in host memory to the devices: cut along axis, or whole on each if
// axis is −1. free frees the copies. A single device uses the tensor itself.
func (l *Layout) Split(x *tensors.Tensor, axis int) (parts []*tensors.Tensor, free func(), err error) {
	if l.mesh == nil {
		return []*tensors.Tensor{x}, func() {}, nil
	}
	for d, device := range l.Devices {
		var part *tensors.Tensor
		if axis >= 0 {
			part, err = piece(x, axis, d, len(l.Devices))
		} else {
			part, err = x.LocalClone()
		}
		if err == nil {
			parts = append(parts, part)
			err = part.MaterializeOnDevice(l.Backend, true, device)
		}
		if err != nil {
			Free(parts)
			return nil, nil, fmt.Errorf("placing an input on device %d: %w", device, err)
		}
	}
	return parts, func() { Free(parts) }, nil
}

// piece copies the i-th of n equal pieces of a float32 tensor along an axis.
func piece(x *tensors.Tensor, axis, i, n int) (*tensors.Tensor, error) {
	dims := slices.Clone(x.Shape().Dimensions)
	if dims[axis]%n != 0 {
		return nil, fmt.Errorf("expected a multiple of %d along axis %d, got %v", n, axis, dims)
	}
	flat, err := tensors.CopyFlatData[float32](x)
	if err != nil {
		return nil, err
	}
	inner, outer := 1, 1
	for k, d := range dims {
		switch {
		case k < axis:
			outer *= d
		case k > axis:
			inner *= d
		}
	}
	all, part := dims[axis]*inner, dims[axis]/n*inner
	out := make([]float32, 0, outer*part)
	for o := range outer {
		out = append(out, flat[o*all+i*part:o*all+(i+1)*part]...)
	}
	dims[axis] /= n
	return tensors.FromFlatDataAndDimensions(out, dims...), nil
}

// Any returns the pieces as arguments of Call.
func Any(list []*tensors.Tensor) []any {
	out := make([]any, len(list))
	for i, x := range list {
		out[i] = x
	}
	return out
}

// Donate gives the memory of a tensor's pieces to the next program that is called.
func (l *Layout) Donate(parts []*tensors.Tensor) ([]any, error) {
	out := make([]any, len(parts))
	for i, x := range parts {
		var err error
		if out[i], err = DonateTensorBuffer(x, l.Backend, l.Devices[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Free frees a tensor on all devices.
func Free(parts []*tensors.Tensor) {
	for _, x := range parts {
		x.FinalizeAll()
	}
}

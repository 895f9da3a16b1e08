package distributed

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/distributed"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gowalrus/gowalrus/walrus"
)

// shardAxis is the only axis of a group's device mesh.
const shardAxis = "shard"

// layout describes how the devices of a group store tensors. A sharded tensor is
// flattened, padded with zeros to a multiple of the number of devices and cut into
// equal pieces, so that any number of devices works for any shape. A replicated tensor
// is whole on every device.
type layout struct {
	backend compute.Backend
	devices []compute.DeviceNum
	mesh    *distributed.DeviceMesh // nil for a single device
}

func newLayout(b compute.Backend, devices []compute.DeviceNum) (*layout, error) {
	l := &layout{backend: b, devices: devices}
	if len(devices) == 1 {
		return l, nil
	}
	var err error
	l.mesh, err = distributed.NewDeviceMesh([]int{len(devices)}, []string{shardAxis})
	return l, err
}

// slot is a parameter and the way a group stores it.
type slot struct {
	walrus.Param
	sharded bool
}

// piece returns the number of values that one device holds.
func (l *layout) piece(s slot) int {
	if !s.sharded {
		return s.Size()
	}
	return (s.Size() + len(l.devices) - 1) / len(l.devices)
}

// place copies a tensor to the devices. It does not keep values.
func (l *layout) place(s slot, values []float32) ([]*tensors.Tensor, error) {
	n := l.piece(s)
	out := make([]*tensors.Tensor, len(l.devices))
	for i, device := range l.devices {
		part := values
		if s.sharded {
			part = make([]float32, n)
			if at := i * n; at < len(values) {
				copy(part, values[at:])
			}
		}
		dims := s.Dims
		if s.sharded {
			dims = []int{n}
		}
		out[i] = tensors.FromFlatDataAndDimensions(part, dims...)
		if err := out[i].MaterializeOnDevice(l.backend, true, device); err != nil {
			return nil, fmt.Errorf("distributed: placing %s on device %d: %w", s.Key, device, err)
		}
		out[i].FinalizeLocal()
	}
	return out, nil
}

// gather copies a tensor from the devices into values.
func (l *layout) gather(s slot, parts []*tensors.Tensor, values []float32) error {
	if !s.sharded {
		parts = parts[:1]
	}
	for _, x := range parts {
		flat, err := tensors.CopyFlatData[float32](x)
		if err != nil {
			return fmt.Errorf("distributed: copying %s from its devices: %w", s.Key, err)
		}
		values = values[copy(values, flat):]
	}
	return nil
}

// whole restores the shape of a tensor from a program's input.
func (s slot) whole(x *Node) *Node {
	if !s.sharded {
		return x
	}
	if n := x.Shape().Size(); n > s.Size() {
		x = SliceAxis(x, 0, AxisRange(0, s.Size()))
	}
	return Reshape(x, s.Dims...)
}

// flat converts a tensor to the form of a program's output.
func (l *layout) flat(s slot, x *Node) *Node {
	if !s.sharded {
		return x
	}
	x = Reshape(x, s.Size())
	if pad := l.piece(s)*len(l.devices) - s.Size(); pad > 0 {
		x = Concatenate([]*Node{x, Zeros(x.Graph(), shapes.Make(x.DType(), pad))}, 0)
	}
	return x
}

// spec returns the sharding of a slot.
func (l *layout) spec(s slot) *distributed.ShardingSpec {
	if !s.sharded {
		return l.replicated()
	}
	return l.along(0)
}

func (l *layout) replicated() *distributed.ShardingSpec {
	return distributed.NewReplicatedShardingSpec(l.mesh)
}

// along returns the sharding that cuts one axis.
func (l *layout) along(axis int) *distributed.ShardingSpec {
	axes := make([]distributed.AxisSpec, axis+1)
	axes[axis] = distributed.AxisSpec{shardAxis}
	return &distributed.ShardingSpec{Mesh: l.mesh, Axes: axes}
}

// program compiles a graph for the group. in and out are the shardings of its inputs
// and outputs; a single device does not need them.
func (l *layout) program(name string, f func(in []*Node) []*Node, in, out []*distributed.ShardingSpec) (*Exec, error) {
	exec, err := NewExec(l.backend, f)
	if err != nil {
		return nil, fmt.Errorf("distributed: building the program %s: %w", name, err)
	}
	if l.mesh != nil {
		exec.WithDeviceAssignment(l.devices).AutoSharding(l.mesh).WithInputShardingSpecs(in...).WithOutputShardingSpecs(out...)
	}
	return exec, nil
}

// call runs a program on inputs [device][input] and returns its outputs
// [output][device]. Donated inputs must already be buffers.
func (l *layout) call(exec *Exec, in [][]any) ([][]*tensors.Tensor, error) {
	args := make([]any, 0, len(in)*len(l.devices))
	for d := range l.devices {
		for _, x := range in {
			args = append(args, x[d])
		}
	}
	flat, _, err := exec.CallWithGraphOnDevice(l.devices[0], args...)
	if err != nil {
		return nil, err
	}
	n := len(flat) / len(l.devices)
	out := make([][]*tensors.Tensor, n)
	for i := range out {
		out[i] = make([]*tensors.Tensor, len(l.devices))
		for d := range l.devices {
			out[i][d] = flat[d*n+i]
		}
	}
	return out, nil
}

// split copies an input of a pass to the devices: cut along axis, or whole on each if
// axis is −1. The parts are new tensors.
func (l *layout) split(x *tensors.Tensor, axis int) ([]*tensors.Tensor, error) {
	parts := make([]*tensors.Tensor, len(l.devices))
	for d, device := range l.devices {
		var err error
		if axis >= 0 {
			parts[d], err = piece(x, axis, d, len(l.devices))
		} else {
			parts[d], err = x.LocalClone()
		}
		if err == nil {
			err = parts[d].MaterializeOnDevice(l.backend, true, device)
		}
		if err != nil {
			return nil, fmt.Errorf("distributed: placing an input on device %d: %w", device, err)
		}
	}
	return parts, nil
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

func toAny(list []*tensors.Tensor) []any {
	out := make([]any, len(list))
	for i, x := range list {
		out[i] = x
	}
	return out
}

// donate gives the memory of a tensor's pieces to the next program that is called.
func (l *layout) donate(parts []*tensors.Tensor) ([]any, error) {
	out := make([]any, len(parts))
	for i, x := range parts {
		var err error
		if out[i], err = DonateTensorBuffer(x, l.backend, l.devices[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func free(parts []*tensors.Tensor) {
	for _, x := range parts {
		x.FinalizeAll()
	}
}

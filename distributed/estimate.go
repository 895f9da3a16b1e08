package distributed

import (
	"fmt"
	"strings"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
)

// BatchShape is the shape of one device's micro-batch.
type BatchShape struct {
	// Grid and Boundaries describe the data set, on one to three axes.
	Grid       []int
	Boundaries data.Boundaries
	// Steps is the history T and Size the number of windows B; Size 0 means 1.
	Steps, Size int
	// Variable and Constant count the channels that the network sees. A vector counts
	// as three.
	Variable, Constant int
	// Alone says that the training has no batches of other shapes, so that the encoders
	// and decoders of other dimensions need neither gradients nor moments.
	Alone bool
}

// ShapeOf returns the micro-batch that the paper uses for a data set.
func ShapeOf(e data.Entry) (BatchShape, error) {
	fields, err := data.TransformFields(e.Fields, e.Transforms)
	if err != nil {
		return BatchShape{}, fmt.Errorf("distributed: %s: %w", e.Name, err)
	}
	w := data.Window{Fields: fields, Grid: e.Grid, Axes: e.Axes, Curvilinear: e.Curvilinear()}
	v := w.Volume()
	return BatchShape{Grid: e.Grid, Boundaries: e.Boundaries, Steps: e.History(), Size: e.Batch(),
		Variable: len(v.Variable), Constant: len(v.Constant)}, nil
}

// Validate returns an error if the batch has no frames or channels. The planner checks
// grid and boundaries.
func (b BatchShape) Validate() error {
	if b.Steps < 1 || b.Size < 0 || b.Variable < 1 || b.Constant < 0 {
		return fmt.Errorf("distributed: batch: expected at least 1 step and 1 variable channel and no negative numbers, got %d steps, %d windows, %d+%d channels",
			b.Steps, b.Size, b.Variable, b.Constant)
	}
	return nil
}

// Frames returns T·B, the number of frames in a batch.
func (b BatchShape) Frames() int { return b.Steps * max(b.Size, 1) }

// Channels returns the number of all channels, boundary flags excluded.
func (b BatchShape) Channels() int { return b.Variable + b.Constant }

// Footprint is the memory that training needs on each device of a mesh, in bytes, and
// the operations of one micro-batch. All numbers are float32.
type Footprint struct {
	// Params counts the trained parameters of the network. Replicated counts those that
	// every device holds: encoders, decoders and parameters outside the blocks. The
	// others are sharded.
	Params, Replicated int64
	// Tokens is the number of tokens of one frame.
	Tokens int
	// Weights include the constants of the state dict.
	Weights, Gradients, Moments int64
	// Gathered is the size of the tensors that a sharded program gathers: the weights
	// of two blocks, the current and the next one, and the gradient of one. It is 0 on
	// one shard.
	Gathered int64
	// Activations is the peak inside the gradient program with the configured
	// recomputation, AllKept the peak without recomputation.
	Activations, AllKept int64
	// Inputs are the batch with its targets and random draws.
	Inputs int64
	// Forward counts the operations of a forward pass. Step counts those of a training
	// step: forward pass, recomputation and backward pass.
	Forward FLOPs
	Step    float64
}

// Total returns the sum of all bytes.
func (f Footprint) Total() int64 {
	return f.Weights + f.Gradients + f.Moments + f.Gathered + f.Activations + f.Inputs
}

// Estimate computes the memory and operations per device that training a network on a
// mesh needs, for micro-batches of one shape. Counts of parameters are exact.
// Operations count the multiplications and additions of products. Activations follow a
// model of how the programs of this library keep them on XLA (see activations).
//
// Every device of a group works on a separate micro-batch; encoders and decoders are
// replicated, everything else is sharded (paper §4.2).
func Estimate(config walrus.Config, mesh Mesh, batch BatchShape) (Footprint, error) {
	return estimate(config, mesh, batch, false)
}

// estimate is Estimate, with frozen encoders and decoders if frozen is set.
func estimate(config walrus.Config, mesh Mesh, batch BatchShape, frozen bool) (Footprint, error) {
	if err := mesh.Validate(); err != nil {
		return Footprint{}, err
	}
	if err := batch.Validate(); err != nil {
		return Footprint{}, err
	}
	m, err := walrus.NewModel(config)
	if err != nil {
		return Footprint{}, fmt.Errorf("distributed: estimate: %w", err)
	}
	plan, err := m.Plan(batch.Grid, batch.Boundaries)
	if err != nil {
		return Footprint{}, fmt.Errorf("distributed: estimate: %w", err)
	}
	f := Footprint{Tokens: plan.Tokens()}
	if err := f.count(config, m, plan, mesh, batch.Alone); err != nil {
		return Footprint{}, err
	}
	f.Forward = CountFLOPs(config, plan, batch)
	f.Step = f.Forward.Step(config)
	f.Activations = 4 * activations(config, plan, batch, frozen)
	kept := config
	kept.CheckpointEvery = 0
	f.AllKept = 4 * activations(kept, plan, batch, frozen)
	f.Inputs = 4 * inputs(config, plan, batch)
	return f, nil
}

// count sets everything that depends on the parameters.
func (f *Footprint) count(c walrus.Config, m *walrus.Model, plan *csm.Plan, mesh Mesh, alone bool) error {
	all, err := c.Params()
	if err != nil {
		return fmt.Errorf("distributed: estimate: %w", err)
	}
	used := map[string]bool{}
	if alone {
		list, err := m.ParamsFor(plan)
		if err != nil {
			return fmt.Errorf("distributed: estimate: %w", err)
		}
		for _, p := range list {
			used[p.Key] = true
		}
	}
	var buffers, idle, blocks int64
	for _, p := range all {
		n := int64(p.Size())
		switch {
		case p.Init.Buffer:
			buffers += n
			continue
		case strings.HasPrefix(p.Key, "blocks."):
			blocks += n
		case alone && !used[p.Key]:
			idle += n
		}
		f.Params += n
	}
	f.Replicated = f.Params - blocks
	shards := int64(mesh.WithDefaults().Shards)
	shard := (blocks + shards - 1) / shards
	f.Weights = 4 * (f.Replicated + shard + buffers)
	f.Gradients = 4 * (f.Replicated + shard - idle)
	f.Moments = 2 * f.Gradients
	if shards > 1 {
		f.Gathered = 4 * 3 * blocks / int64(c.Blocks)
	}
	return nil
}

// inputs counts the numbers of a batch: history and target, constants, draws.
func inputs(c walrus.Config, plan *csm.Plan, b BatchShape) int64 {
	g := plan.Grid()
	points, size := int64(g[0]*g[1]*g[2]), int64(max(b.Size, 1))
	n := points*size*int64((b.Steps+1)*b.Variable+b.Constant) + int64(2*b.Channels()) + 3 + 3*int64(c.Blocks)
	if c.DropPath > 0 {
		n += int64(c.Blocks * (b.Steps + b.Frames()))
	}
	return n
}

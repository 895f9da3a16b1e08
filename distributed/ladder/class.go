package ladder

import (
	"errors"
	"fmt"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/distributed"
	"github.com/gowalrus/gowalrus/walrus"
)

// FixedPatch is the patch of a network without adaptive patches, in points along each
// axis: the paper's example (§4.2: 256³ points, 4096 tokens).
const FixedPatch = 16

// Form says how a data set is divided into micro-batches.
type Form struct {
	// Adaptive patches give about 32 tokens along each axis in 2D and 16 in 3D (§3.1,
	// §4.2); otherwise patches have FixedPatch points.
	Adaptive bool `json:"adaptive"`
	// Differential batches have 6 frames and 2 windows in 2D, 3 frames and 1 window in
	// 3D (§4.2); otherwise all have 3 frames and 1 window.
	Differential bool `json:"differential"`
}

// Class is the micro-batches of one shape that a data set gives, with the seconds that
// a device needs for each part of the network.
type Class struct {
	Name string
	Form Form
	// Tokens of a micro-batch, those of padding not counted.
	Tokens int
	// Encoder, Blocks and Decoder are the times of the parts; Blocks is that of all
	// blocks together.
	Encoder, Blocks, Decoder Segment

	plan  *csm.Plan
	shape distributed.BatchShape
}

// Segment is the time of a part of the network in seconds, forward and backward.
type Segment struct{ Forward, Backward float64 }

// Seconds returns the time of a micro-batch on a single device.
func (c Class) Seconds() float64 {
	return c.Encoder.Forward + c.Encoder.Backward + c.Blocks.Forward + c.Blocks.Backward + c.Decoder.Forward + c.Decoder.Backward
}

// scale multiplies all times so that their sum is seconds.
func (c *Class) scale(seconds float64) {
	f := seconds / c.Seconds()
	for _, s := range []*Segment{&c.Encoder, &c.Blocks, &c.Decoder} {
		s.Forward *= f
		s.Backward *= f
	}
}

// NewClass returns the class of a data set in a form. Times are computed from rates:
// the operations of each kind divided by the device's operations of this kind per
// second.
func NewClass(c walrus.Config, e data.Entry, form Form, r Rates) (Class, error) {
	shape, err := distributed.ShapeOf(e)
	if err != nil {
		return Class{}, err
	}
	if !form.Differential {
		shape.Steps, shape.Size = 3, 1
	}
	plan, err := form.plan(c, e)
	if err != nil {
		return Class{}, fmt.Errorf("ladder: %s: %w", e.Name, err)
	}
	tokens := shape.Frames()
	for _, a := range plan.Axes {
		tokens *= (a.Length + a.Patch() - 1) / a.Patch()
	}
	k := Class{Name: e.Name, Form: form, Tokens: tokens, plan: plan, shape: shape}
	f := distributed.CountFLOPs(c, plan, shape)
	there, back := r.seconds(f), r.seconds(backward(f, c))
	k.Encoder = Segment{there[0], back[0]}
	k.Blocks = Segment{there[1], back[1]}
	k.Decoder = Segment{there[2], back[2]}
	return k, nil
}

// backward counts the backward pass of the paper's programs. Unlike this library's,
// they recompute all of a recomputed block, attention included.
func backward(f distributed.FLOPs, c walrus.Config) distributed.FLOPs {
	b := f.Backward(c)
	again := b.Dense/f.Dense - 2 // recomputed operations of the blocks
	b.Space += again / 2 * f.Space
	b.Time = (2 + again) * f.Time
	return b
}

// plan plans the grid as the network does, or axis by axis for fixed patches.
func (f Form) plan(c walrus.Config, e data.Entry) (*csm.Plan, error) {
	if f.Adaptive {
		m, err := walrus.NewModel(c)
		if err != nil {
			return nil, err
		}
		return m.Plan(e.Grid, e.Boundaries)
	}
	if len(e.Grid) == 0 {
		return nil, errors.New("expected a grid, got none")
	}
	if err := e.Boundaries.Validate(len(e.Grid)); err != nil {
		return nil, err
	}
	var whole *csm.Plan
	for i, n := range e.Grid {
		t := n / FixedPatch
		if t < 1 || n%FixedPatch != 0 {
			return nil, fmt.Errorf("axis %d: expected a multiple of %d points, got %d", i, FixedPatch, n)
		}
		cube := make([]int, len(e.Grid))
		bcs := make(data.Boundaries, len(e.Grid))
		for j := range cube {
			cube[j], bcs[j] = n, e.Boundaries[i]
		}
		plan, err := csm.NewPlan(cube, bcs, csm.Options{Tokens: [3]int{t, t, t}, Kernel: c.Kernel})
		if err != nil {
			return nil, err
		}
		if whole == nil {
			whole = plan
		}
		whole.Axes[i] = plan.Axes[i]
	}
	return whole, nil
}

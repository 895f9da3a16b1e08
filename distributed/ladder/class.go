package ladder

import (
	"fmt"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/distributed"
	"github.com/gowalrus/gowalrus/walrus"
)

// FixedPatch is the patch of a network without adaptive patches, in points along each
// axis: the paper's example of one (§4.2: 256³ points, 4096 tokens).
const FixedPatch = 16

// Form says how a data set becomes micro-batches.
type Form struct {
	// Adaptive aims at 32 tokens along each axis of a plane and 16 in space (§3.1,
	// §4.2); otherwise patches have FixedPatch points.
	Adaptive bool `json:"adaptive"`
	// Differential gives planes twice the history and twice the windows of volumes
	// (§4.2): 6 and 2 against 3 and 1; otherwise all have 3 and 1.
	Differential bool `json:"differential"`
}

// Class is a data set as micro-batches of one shape, with the seconds that a device
// takes for the parts of the network.
type Class struct {
	Name string
	Form Form
	// Tokens of a micro-batch, those of padding not counted.
	Tokens int
	// Encoder, Blocks and Decoder are the parts; Blocks all blocks together.
	Encoder, Blocks, Decoder Segment

	plan  *csm.Plan
	shape distributed.BatchShape
}

// Segment is the time of a part of the network, forward and backward.
type Segment struct{ Forward, Backward float64 }

// Seconds is the time of a micro-batch on one device alone.
func (c Class) Seconds() float64 {
	return c.Encoder.Forward + c.Encoder.Backward + c.Blocks.Forward + c.Blocks.Backward + c.Decoder.Forward + c.Decoder.Backward
}

// scale makes the whole take that many seconds.
func (c *Class) scale(seconds float64) {
	f := seconds / c.Seconds()
	for _, s := range []*Segment{&c.Encoder, &c.Blocks, &c.Decoder} {
		s.Forward *= f
		s.Backward *= f
	}
}

// NewClass returns a data set in a form, with times from rates: operations divided by
// how many of their kind a device does in a second.
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

// backward counts the backward pass of the paper's programs. Unlike this library's they
// run all of a recomputed block again, attention too.
func backward(f distributed.FLOPs, c walrus.Config) distributed.FLOPs {
	b := f.Backward(c)
	again := b.Dense/f.Dense - 2 // of the blocks
	b.Space += again / 2 * f.Space
	b.Time = (2 + again) * f.Time
	return b
}

// plan plans the grid: as the network does, or axis by axis for fixed patches.
func (f Form) plan(c walrus.Config, e data.Entry) (*csm.Plan, error) {
	if f.Adaptive {
		m, err := walrus.NewModel(c)
		if err != nil {
			return nil, err
		}
		return m.Plan(e.Grid, e.Boundaries)
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

package ladder

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/distributed"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// course is a trainer whose groups take turns with their micro-batches.
type course struct {
	trainer *train.Trainer
	weights *walrus.Weights
	model   *walrus.Model
	mesh    distributed.Mesh
	clock   func() (float64, error)
	classes []Class
	batches []*train.Batch // of a group, by class

	turn  chan struct{} // the group that holds its one value may work
	begin float64
	spent [][]float64 // [group][micro] of the current update
	err   error       // of the clock
}

// learningRate of a trial; its value does not matter.
const learningRate = 1e-4

func newCourse(t Trial, mesh distributed.Mesh, adaptive bool) (*course, error) {
	config := t.network(adaptive)
	w, err := walrus.InitWeights(config, t.Seed)
	if err != nil {
		return nil, err
	}
	c := &course{weights: w, mesh: mesh, clock: t.Clock, turn: make(chan struct{}, 1)}
	c.turn <- struct{}{}
	if c.model, err = walrus.NewModel(config); err != nil {
		c.close()
		return nil, err
	}
	c.trainer, err = train.New(w, train.Options{Backend: t.Backend, Seed: t.Seed, Mesh: mesh, Done: c.done, Log: t.Log})
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// close frees the trainer and its weights.
func (c *course) close() {
	if c.trainer != nil {
		c.trainer.Close()
	}
	c.weights.Close()
}

// take makes the micro-batches of a form, one of its class for each device.
func (c *course) take(s Setup, form Form) (err error) {
	s.Times = nil
	if c.classes, err = s.classes(form); err != nil {
		return err
	}
	c.batches = nil
	for i, k := range c.classes {
		e := s.Systems[i]
		plan, err := c.model.Plan(e.Grid, e.Boundaries)
		if err != nil {
			return err
		}
		if !sameAxes(plan, k.plan) {
			return fmt.Errorf("%s: expected patches of %d points from kernels %v, got %d", k.Name, FixedPatch, s.Config.Kernel, plan.Axes[0].Patch())
		}
		b, err := waves(e, k, k.shape.Size*c.mesh.Shards)
		if err != nil {
			return err
		}
		c.batches = append(c.batches, b)
	}
	return nil
}

// sameAxes reports whether a network divides a grid as its class assumes.
func sameAxes(a, b *csm.Plan) bool {
	return slices.EqualFunc(a.Axes[:], b.Axes[:], func(x, y csm.Axis) bool {
		return x.Stride == y.Stride && x.Padded == y.Padded && x.Tokens == y.Tokens
	})
}

// waves returns a micro-batch with the given number of windows.
func waves(e data.Entry, k Class, windows int) (*train.Batch, error) {
	fields, err := data.TransformFields(e.Fields, e.Transforms)
	if err != nil {
		return nil, err
	}
	b := &train.Batch{}
	for n := range windows {
		w := &data.Window{Name: e.Name, Fields: fields, Grid: e.Grid, Axes: e.Axes, Curvilinear: e.Curvilinear(), Boundaries: e.Boundaries}
		points := w.Points()
		wave := func(channels, t int) []float32 {
			v := make([]float32, channels*points)
			for i := range v {
				v[i] = float32(math.Sin(0.3*float64(i%points) + float64(i/points+n) + 0.2*float64(t)))
			}
			return v
		}
		for t := range k.shape.Steps + 1 {
			w.Frames = append(w.Frames, wave(len(w.Channels(false)), t))
		}
		w.Constants = wave(len(w.Channels(true)), 0)
		b.Windows = append(b.Windows, w)
	}
	return b, nil
}

// step makes an update. For each group it returns the seconds of a device for each
// micro-batch, and for the rest.
func (c *course) step(ctx context.Context, micros int, class func(group, micro int) int) (spent [][]float64, rest float64, err error) {
	c.spent = make([][]float64, c.mesh.Groups)
	for g := range c.spent {
		c.spent[g] = make([]float64, micros)
	}
	begin, err := c.clock()
	if err != nil {
		return nil, 0, err
	}
	_, err = c.trainer.StepFrom(ctx, func(ctx context.Context, group, micro int) (*train.Batch, error) {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-c.turn:
		}
		var err error
		c.begin, err = c.clock()
		return c.batches[class(group, micro)], err
	}, micros, learningRate)
	if err != nil {
		return nil, 0, err
	}
	end, err := c.clock()
	if err = cmp.Or(c.err, err); err != nil {
		return nil, 0, err
	}
	rest = (end - begin) / float64(c.mesh.Devices())
	for _, group := range c.spent {
		for _, s := range group {
			rest -= s / float64(c.mesh.Groups)
		}
	}
	return c.spent, rest, nil
}

// done ends a group's turn.
func (c *course) done(group, micro int) {
	end, err := c.clock()
	c.err = cmp.Or(c.err, err)
	c.spent[group][micro] = (end - c.begin) / float64(c.mesh.Shards)
	c.turn <- struct{}{}
}

// warm makes updates until all programs are compiled: gradients of every class, sums of
// 2D gradients, of 3D gradients and of both, and updates after each of these.
func (c *course) warm(ctx context.Context) error {
	var kinds [2][]int
	for i, k := range c.classes {
		if k.plan.Dims == 3 {
			kinds[1] = append(kinds[1], i)
		} else {
			kinds[0] = append(kinds[0], i)
		}
	}
	mixed := append(slices.Clone(kinds[0]), kinds[1]...)
	for _, list := range [][]int{kinds[0], kinds[1], mixed} {
		if len(list) == 0 {
			continue
		}
		if _, _, err := c.step(ctx, 2*len(list), func(_, micro int) int { return list[micro%len(list)] }); err != nil {
			return err
		}
	}
	return nil
}

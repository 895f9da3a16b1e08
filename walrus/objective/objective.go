// Package objective has objectives for [walrus.Emulator.Gradient]: scalar functions of a
// forecast whose gradient with respect to the initial frames is computed.
//
//	mean, err := objective.Mean(objective.Region{Channel: "density", Step: 10})
//	…
//	g, err := em.Gradient(ctx, window, 10, mean, walrus.GradientOptions{})
//
// [walrus.NewObjective] makes an objective of any function of gomlx nodes.
package objective

import (
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/gowalrus/gowalrus/walrus"
)

// Region is a set of points of one channel in one frame.
type Region struct {
	// Channel is the name of a scalar or of a component: "pressure", "velocity_x".
	Channel string
	// Step is the frame: 1 is the first forecast frame, 0 the last frame of the window and
	// −1 the one before.
	Step int
	// Points lists points of the grid by their index in row-major order; nil means all.
	Points []int
}

// of returns the values of the region, [points].
func (r Region) of(t walrus.Trajectory) *Node {
	u := t.Channel(r.Step, r.Channel)
	u = Reshape(u, -1)
	if r.Points == nil {
		return u
	}
	at := make([]int32, len(r.Points))
	for i, p := range r.Points {
		if n := u.Shape().Dim(0); p >= n {
			panic(fmt.Errorf("channel %s: expected points from 0 to %d, got %d", r.Channel, n-1, p))
		}
		at[i] = int32(p)
	}
	return Gather(u, Reshape(Const(u.Graph(), at), -1, 1))
}

// check checks the points, as far as that is possible without a grid.
func (r Region) check() error {
	if r.Points != nil && len(r.Points) == 0 {
		return fmt.Errorf("channel %s: expected points, or nil for all, got an empty list", r.Channel)
	}
	for _, p := range r.Points {
		if p < 0 || p > math.MaxInt32 {
			return fmt.Errorf("channel %s: expected points of a grid, got %d", r.Channel, p)
		}
	}
	return nil
}

// Mean returns the mean over a region, in the units of its channel.
func Mean(r Region) (*walrus.Objective, error) {
	if err := r.check(); err != nil {
		return nil, fmt.Errorf("objective: mean: %w", err)
	}
	r.Points = slices.Clone(r.Points)
	return walrus.NewObjective(func(t walrus.Trajectory) *Node { return ReduceAllMean(r.of(t)) }), nil
}

// Observations are measured values of one channel in one frame.
type Observations struct {
	Region
	// Values holds a value for each point, or for every point of the grid if Points is nil,
	// in the units of the channel. NaN marks a value that is missing.
	Values []float32
	// Deviation is the standard deviation of the errors of the values, in their units; 0
	// means 1.
	Deviation float64
}

// check checks the numbers.
func (o Observations) check() error {
	if err := o.Region.check(); err != nil {
		return err
	}
	if o.Points != nil && len(o.Values) != len(o.Points) {
		return fmt.Errorf("channel %s, step %d: expected a value for each of %d points, got %d", o.Channel, o.Step, len(o.Points), len(o.Values))
	}
	for i, v := range o.Values {
		if math.IsInf(float64(v), 0) {
			return fmt.Errorf("channel %s, step %d: expected finite values, or NaN for missing ones, got %v at %d", o.Channel, o.Step, v, i)
		}
	}
	if !(o.Deviation >= 0) || math.IsInf(o.Deviation, 0) {
		return fmt.Errorf("channel %s, step %d: expected a standard deviation, got %v", o.Channel, o.Step, o.Deviation)
	}
	return nil
}

// term returns ½·Σ ((u − value)/deviation)².
func (o Observations) term(t walrus.Trajectory) *Node {
	u := o.of(t)
	if n := u.Shape().Dim(0); len(o.Values) != n {
		panic(fmt.Errorf("channel %s, step %d: expected %d values, got %d", o.Channel, o.Step, n, len(o.Values)))
	}
	deviation := o.Deviation
	if deviation == 0 {
		deviation = 1
	}
	values, weights := slices.Clone(o.Values), make([]float32, len(o.Values))
	for i, v := range values {
		weights[i] = float32(1 / deviation)
		if math.IsNaN(float64(v)) {
			values[i], weights[i] = 0, 0
		}
	}
	off := Mul(Sub(u, Const(u.Graph(), values)), Const(u.Graph(), weights))
	return MulScalar(ReduceAllSum(Square(off)), 0.5)
}

// Misfit returns half the sum of squared differences between forecast and observations, each
// divided by its deviation: the observation term of variational assimilation (4D-Var),
//
//	J = ½ Σ ((u − value)/deviation)²
func Misfit(observations ...Observations) (*walrus.Objective, error) {
	list := slices.Clone(observations)
	for i, o := range list {
		if err := o.check(); err != nil {
			return nil, fmt.Errorf("objective: misfit: %w", err)
		}
		list[i].Points, list[i].Values = slices.Clone(o.Points), slices.Clone(o.Values)
	}
	return walrus.NewObjective(func(t walrus.Trajectory) *Node {
		sum := ScalarZero(slices.Concat(t.History, t.Forecast)[0].Graph(), dtypes.Float32)
		for _, o := range list {
			sum = Add(sum, o.term(t))
		}
		return sum
	}), nil
}

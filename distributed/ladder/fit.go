package ladder

import (
	"fmt"
	"math"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/distributed"
	"gonum.org/v1/gonum/mat"
)

// Fit returns the rates that come nearest to measured times, in least squares of the
// relative error, and that error's root mean square. With them classes that were not
// measured get their times.
func (t *Times) Fit() (r Rates, off float64, err error) {
	n := len(t.Classes)
	if n < 3 {
		return r, 0, fmt.Errorf("ladder: times: expected at least 3 classes to find rates from, got %d", n)
	}
	parts, ones := mat.NewDense(n, 3, nil), mat.NewVecDense(n, nil)
	for i, x := range t.Classes {
		ops, err := t.operations(x)
		if err != nil {
			return r, 0, err
		}
		for k, v := range ops {
			parts.Set(i, k, v/x.Seconds)
		}
		ones.SetVec(i, 1)
	}
	var inverse mat.VecDense
	if err := inverse.SolveVec(parts, ones); err != nil {
		return r, 0, fmt.Errorf("ladder: times: the classes are too alike to find rates from: %w", err)
	}
	r = Rates{Dense: 1 / inverse.AtVec(0), Attention: 1 / inverse.AtVec(1), Convolution: 1 / inverse.AtVec(2)}
	if err := r.Validate(); err != nil {
		return r, 0, fmt.Errorf("ladder: times: the classes do not tell what dense layers, attention and convolutions take: %w", err)
	}
	var rest mat.VecDense
	rest.MulVec(parts, &inverse)
	rest.SubVec(&rest, ones)
	return r, mat.Norm(&rest, 2) / math.Sqrt(float64(n)), nil
}

// operations counts those of a training step of a class: dense layers, attention,
// convolutions.
func (t *Times) operations(x Time) (ops [3]float64, err error) {
	e, ok := data.FindEntry(x.System)
	if !ok {
		return ops, fmt.Errorf("ladder: times: expected a system of the catalog, got %q", x.System)
	}
	c, err := NewClass(t.Config, e, x.Form, Rates{1, 1, 1})
	if err != nil {
		return ops, err
	}
	forward := distributed.CountFLOPs(t.Config, c.plan, c.shape)
	for _, f := range []distributed.FLOPs{forward, forward.Backward(t.Config)} {
		ops[0] += f.Dense
		ops[1] += f.Space + f.Time
		ops[2] += f.Encoder + f.Decoder
	}
	return ops, nil
}

// Measured returns the setup for the network and the device of a table: its times
// where there are, else times from the rates that fit it.
func (s Setup) Measured(t *Times) (Setup, error) {
	rates, _, err := t.Fit()
	if err != nil {
		return s, err
	}
	s.Config, s.Rates, s.Times = t.Config, rates, t
	return s, nil
}

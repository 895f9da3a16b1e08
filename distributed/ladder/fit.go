package ladder

import (
	"errors"
	"fmt"
	"math"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/distributed"
	"gonum.org/v1/gonum/mat"
)

// Fit returns the rates that fit measured times best, in least squares of the relative
// error, and the root mean square of that error. The rates give times to classes that
// were not measured. A kind of operation has an infinite rate if the times show no cost
// of it.
func (t *Times) Fit() (r Rates, off float64, err error) {
	n := len(t.Classes)
	if n < 3 {
		return r, 0, fmt.Errorf("ladder: times: expected at least 3 classes to find rates from, got %d", n)
	}
	parts := mat.NewDense(n, 3, nil)
	for i, x := range t.Classes {
		ops, err := t.operations(x)
		if err != nil {
			return r, 0, err
		}
		for k, v := range ops {
			parts.Set(i, k, v/x.Seconds)
		}
	}
	best, off := notNegative(parts)
	r = Rates{Dense: 1 / best[0], Attention: 1 / best[1], Convolution: 1 / best[2]}
	return r, off / math.Sqrt(float64(n)), r.Validate()
}

// notNegative finds the vector without negative numbers whose product with the three
// columns of a is closest to a vector of ones, and returns it with the distance. It
// tries every subset of columns.
func notNegative(a *mat.Dense) (best [3]float64, off float64) {
	n, _ := a.Dims()
	ones := mat.NewVecDense(n, nil)
	for i := range n {
		ones.SetVec(i, 1)
	}
	off = math.Inf(1)
	for choice := 1; choice < 8; choice++ {
		var columns []int
		for k := range 3 {
			if choice>>k&1 == 1 {
				columns = append(columns, k)
			}
		}
		part := mat.NewDense(n, len(columns), nil)
		for i, k := range columns {
			part.SetCol(i, mat.Col(nil, k, a))
		}
		var x, rest mat.VecDense
		if x.SolveVec(part, ones) != nil || mat.Min(&x) < 0 {
			continue
		}
		rest.MulVec(part, &x)
		rest.SubVec(&rest, ones)
		if d := mat.Norm(&rest, 2); d < off {
			best, off = [3]float64{}, d
			for i, k := range columns {
				best[k] = x.AtVec(i)
			}
		}
	}
	return best, off
}

// operations counts the operations of a training step of a class: dense layers,
// attention, convolutions.
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
	for _, f := range []distributed.FLOPs{forward, backward(forward, t.Config)} {
		ops[0] += f.Dense
		ops[1] += f.Space + f.Time
		ops[2] += f.Encoder + f.Decoder
	}
	return ops, nil
}

// Measured returns the setup for the network and the device of a table. Classes that
// the table lacks get times from the rates that fit it.
func (s Setup) Measured(t *Times) (Setup, error) {
	if t == nil {
		return s, errors.New("ladder: expected a table of times, got nil")
	}
	rates, _, err := t.Fit()
	if err != nil {
		return s, err
	}
	s.Config, s.Rates, s.Times = t.Config, rates, t
	return s, nil
}

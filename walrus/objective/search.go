package objective

import (
	"errors"
	"math"
	"slices"

	"github.com/gowalrus/gowalrus/walrus"
)

// Search is a function to minimise, for optimisers that ask for its value and its gradient
// separately, such as those of gonum.org/v1/gonum/optimize. It remembers the last point, so
// that both cost one evaluation. It is not safe for concurrent use.
type Search struct {
	f        func(x []float64) (value float64, gradient []float64, err error)
	at       []float64
	value    float64
	gradient []float64
	err      error
}

// NewSearch returns the Search of a function.
func NewSearch(f func(x []float64) (value float64, gradient []float64, err error)) *Search {
	return &Search{f: f}
}

// Value returns the value at x. It is +Inf where a forecast diverges ([walrus.ErrDiverged]),
// so that a line search turns back, and NaN after another error.
func (s *Search) Value(x []float64) float64 {
	s.evaluate(x)
	return s.value
}

// Gradient copies the gradient at x to dst. It is zero where the value is not finite.
func (s *Search) Gradient(dst, x []float64) {
	s.evaluate(x)
	clear(dst)
	copy(dst, s.gradient)
}

// Err returns the error that ended the search, or nil.
func (s *Search) Err() error { return s.err }

func (s *Search) evaluate(x []float64) {
	if s.f == nil {
		s.err = errors.New("objective: search: expected a function, got none")
	}
	if s.err != nil {
		s.value, s.gradient = math.NaN(), nil
		return
	}
	if s.at != nil && slices.Equal(s.at, x) {
		return
	}
	s.at = slices.Clone(x)
	var err error
	switch s.value, s.gradient, err = s.f(x); {
	case errors.Is(err, walrus.ErrDiverged):
		s.value, s.gradient = math.Inf(1), nil
	case err != nil:
		s.err, s.value, s.gradient = err, math.NaN(), nil
	}
}

package walrus

import (
	"errors"
	"fmt"
	"math"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/enum"
	"github.com/gowalrus/gowalrus/internal/inputs"
	"github.com/gowalrus/gowalrus/internal/nonfinite"
)

// ErrDiverged is the error of a rollout whose forecast has diverged ([Divergence]).
// errors.As with a [DivergedError] gives the step and the field.
var ErrDiverged = errors.New("the rollout diverged")

// DivergenceKind is the way in which a forecast diverged.
type DivergenceKind uint8

const (
	// NotFinite: a value is NaN or infinite.
	NotFinite DivergenceKind = iota
	// OutOfRange: a value is too far outside the range of the history.
	OutOfRange
	// ShortWaves: the shortest waves have too much power.
	ShortWaves
)

var divergenceNames = []string{"not finite", "out of range", "short waves"}

// String returns "not finite", "out of range" or "short waves".
func (k DivergenceKind) String() string { return enum.Name(divergenceNames, k) }

// MarshalText returns [DivergenceKind.String], or an error for an unknown value.
func (k DivergenceKind) MarshalText() ([]byte, error) {
	return enum.Text("divergence", divergenceNames, k)
}

// UnmarshalText reads the text that MarshalText writes.
func (k *DivergenceKind) UnmarshalText(b []byte) error {
	return enum.Parse("divergence", divergenceNames, b, k)
}

// DivergedError reports the step at which a rollout diverged.
type DivergedError struct {
	Kind DivergenceKind
	// Step counts from 1, the frame after the window.
	Step int
	// Member is the number of the member in an ensemble, from 0; 0 outside.
	Member int
	// Field is the channel, "velocity_x" for instance.
	Field string
	// Value is the first value that is not finite, or the value farthest outside the range.
	Value float32
	// Low and High are the range of the field in the history.
	Low, High float64
	// Power is the power of the shortest waves, Variance the variance in the history.
	Power, Variance float64
	// Factor is the factor that was exceeded.
	Factor float64
}

// Error names the field, its value and the limit.
func (e *DivergedError) Error() string {
	const change = "EmulatorOptions.Divergence changes the limit"
	switch e.Kind {
	case OutOfRange:
		return fmt.Sprintf("the forecast of field %s is %v, while the history is between %.6g and %.6g: expected at most %v times that range beyond it (%s): %v",
			e.Field, e.Value, e.Low, e.High, e.Factor, change, ErrDiverged)
	case ShortWaves:
		return fmt.Sprintf("the shortest waves of the forecast of field %s have a mean square of %.4g, while the variance of the history is %.4g: expected at most %v times that (%s): %v",
			e.Field, e.Power, e.Variance, e.Factor, change, ErrDiverged)
	}
	return fmt.Sprintf("the forecast of field %s is %v: %v", e.Field, e.Value, ErrDiverged)
}

// Is reports whether target is [ErrDiverged].
func (e *DivergedError) Is(target error) bool { return target == ErrDiverged }

// extent describes the values of one field or channel.
type extent struct{ low, high, variance, short float64 }

// limit is the extent of a field in the history, with its factor.
type limit struct {
	extent
	factor float64
}

// check returns why a channel has diverged, or nil.
func (l limit) check(x extent) *DivergedError {
	if l.factor < 0 {
		return nil
	}
	e := &DivergedError{Low: l.low, High: l.high, Power: x.short, Variance: l.variance, Factor: l.factor}
	width := l.high - l.low
	if width == 0 {
		width = math.Abs(l.high)
	}
	above, below := x.high-l.high, l.low-x.low
	if width > 0 && max(above, below) > l.factor*width {
		e.Kind, e.Value = OutOfRange, float32(x.high)
		if below > above {
			e.Value = float32(x.low)
		}
		return e
	}
	if l.variance > 0 && x.short > l.factor*l.variance {
		e.Kind = ShortWaves
		return e
	}
	return nil
}

// watches reports whether the rollout checks more than finiteness.
func (r *rollout) watches() bool {
	for _, f := range r.window.Fields {
		if !f.Constant && r.e.opts.Divergence.factor(f.Name) >= 0 {
			return true
		}
	}
	return false
}

// newLimits measures the history, for checkLimits.
func (r *rollout) newLimits() error {
	if !r.watches() {
		return nil
	}
	owner, count := r.owners(), len(r.volume.Variable)
	r.limits = make([]limit, count)
	byField := map[int]*limit{}
	for c := range r.limits {
		if r.volume.Real[c] && byField[owner[c]] == nil {
			byField[owner[c]] = &limit{factor: r.e.opts.Divergence.factor(r.window.Fields[owner[c]].Name), extent: extent{low: math.Inf(1), high: math.Inf(-1)}}
		}
	}
	variance := make([]float64, count)
	for _, frame := range r.frames {
		all, err := r.measure(frame)
		if err != nil {
			return err
		}
		for i, x := range all {
			c := i % count
			l := byField[owner[c]]
			if !r.volume.Real[c] {
				continue
			}
			l.low, l.high = min(l.low, x.low), max(l.high, x.high)
			variance[c] += x.variance / float64(len(r.frames)*r.lanes)
			l.variance = max(l.variance, variance[c])
		}
	}
	for c := range r.limits {
		r.limits[c].factor = -1
		if l := byField[owner[c]]; r.volume.Real[c] {
			r.limits[c] = *l
		}
	}
	return nil
}

// owners returns the index of the field of each variable channel.
func (r *rollout) owners() []int {
	axes := []string{"x", "y", "z"}
	if r.window.Curvilinear {
		axes = r.window.AxisNames()
	}
	var out []int
	for i, f := range r.window.Fields {
		if f.Constant {
			continue
		}
		for range f.ComponentsOf(axes) {
			out = append(out, i)
		}
	}
	return out
}

// checkLimits returns a DivergedError if a forecast frame of any lane has diverged.
func (r *rollout) checkLimits(step int, u *tensors.Tensor) error {
	if r.limits == nil {
		return nil
	}
	all, err := r.measure(u)
	if err != nil {
		return err
	}
	for i, x := range all {
		c := i % len(r.limits)
		if e := r.limits[c].check(x); e != nil {
			e.Step, e.Field, e.Member = step, r.volume.Variable[c], r.member(i/len(r.limits))
			return e
		}
	}
	return nil
}

// notFinite returns the error of a forecast frame with values that are not finite.
func (r *rollout) notFinite(step int, u *tensors.Tensor) error {
	flat, err := tensors.CopyFlatData[float32](u)
	if err != nil {
		return err
	}
	i, count := nonfinite.First(flat), len(r.volume.Variable)
	channel := i / r.volume.Points()
	return &DivergedError{Step: step, Member: r.member(channel / count), Field: r.volume.Variable[channel%count], Value: flat[i]}
}

// member returns the number of a lane in an ensemble, 0 outside.
func (r *rollout) member(lane int) int {
	if r.members == nil {
		return 0
	}
	return r.members[lane]
}

// measure returns the extent of each lane and channel of a frame.
func (r *rollout) measure(u *tensors.Tensor) ([]extent, error) {
	in := inputs.List{{Name: "frame", Tensor: u, Samples: -1}}
	for _, x := range r.fixed {
		if x.Name == "constants" && r.volume.Mask >= 0 {
			in = append(in, x)
		}
	}
	out, err := r.call(r.program.extents, in)
	if err != nil {
		return nil, err
	}
	defer finalizeAll(out)
	all := make([]extent, r.lanes*len(r.volume.Variable))
	for k, t := range out {
		values, err := tensors.CopyFlatData[float32](t)
		if err != nil {
			return nil, err
		}
		for i, v := range values {
			*[]*float64{&all[i].low, &all[i].high, &all[i].variance, &all[i].short}[k] = float64(v)
		}
	}
	return all, nil
}

// compileExtents compiles the program of measure. Solid points count as 0, the value of
// their forecast.
func (e *Emulator) compileExtents(v data.Volume) (*inputs.Program, error) {
	return inputs.NewProgram(e.opts.Backend, func(in inputs.Nodes) []*Node {
		x := Squeeze(in.Get("frame"), 0)
		if constants := in.Optional("constants"); constants != nil {
			solid := SliceAxis(constants, 1, AxisElem(v.Mask))
			x = Mul(x, ConvertDType(Equal(solid, ZerosLike(solid)), x.DType()))
		}
		return extents(x)
	})
}

// extents returns low, high, variance and power of the shortest waves, [lanes, Cv] each, of
// fields x [lanes, Cv, H, W, D].
func extents(x *Node) []*Node {
	mean := overGrid(x)
	variance := overGrid(Square(Sub(x, mean)))
	short := ZerosLike(variance)
	for a := 2; a < x.Rank(); a++ {
		n := x.Shape().Dim(a)
		if n < 3 {
			continue
		}
		bend := Add(SliceAxis(x, a, AxisRange(0, n-2)), SliceAxis(x, a, AxisRange(2)))
		bend = Sub(bend, MulScalar(SliceAxis(x, a, AxisRange(1, n-1)), 2))
		short = Max(short, DivScalar(overGrid(Square(bend)), 16))
	}
	d := x.Shape().Dimensions[:2]
	return []*Node{ReduceMin(x, 2, 3, 4), ReduceMax(x, 2, 3, 4), Reshape(variance, d...), Reshape(short, d...)}
}

// overGrid averages over the grid and keeps its axes, one axis after the other, because
// short float32 sums lose less.
func overGrid(x *Node) *Node {
	for a := x.Rank() - 1; a >= 2; a-- {
		x = ReduceAndKeep(x, ReduceMean, a)
	}
	return x
}

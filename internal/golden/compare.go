package golden

import (
	"fmt"
	"math"
	"testing"
)

// negInf is the value that represents -Inf in the set.
const negInf = float32(-1e30)

// Compare checks got against want: lengths must agree, nothing may be NaN, and the
// largest absolute difference may be at most tol times want's largest magnitude (tol
// itself if want is all zeros). Where want is -1e30, which represents -Inf in the set,
// got must be that or -Inf, and the value does not count as a magnitude. A failure is
// reported with its position and both values, and the test continues. Compare logs the
// difference and returns whether the two agreed.
func Compare(tb testing.TB, name string, got, want []float32, tol float64) bool {
	tb.Helper()
	worst, err := Difference(got, want)
	if err != nil {
		tb.Errorf("%s: %v", name, err)
		return false
	}
	if !(worst.Relative <= tol) {
		tb.Errorf("%s: expected a difference of at most %.3g, got %s", name, tol, worst)
		return false
	}
	tb.Logf("%s: %s; allowed %.3g", name, worst, tol)
	return true
}

// CompareL2 checks that the relative L2 distance ‖got − want‖ / ‖want‖ is at most tol (the
// distance itself if want is all zeros). Lengths must agree and values be finite. A failure
// is reported with the position of the largest difference, and the test continues.
// CompareL2 logs the distance and returns whether the two agreed.
func CompareL2(tb testing.TB, name string, got, want []float32, tol float64) bool {
	tb.Helper()
	worst, err := Difference(got, want)
	if err != nil {
		tb.Errorf("%s: %v", name, err)
		return false
	}
	var distance, size float64
	for i, w := range want {
		d := float64(got[i]) - float64(w)
		distance += d * d
		size += float64(w) * float64(w)
	}
	relative := math.Sqrt(distance)
	if size > 0 {
		relative /= math.Sqrt(size)
	}
	if !(relative <= tol) {
		tb.Errorf("%s: expected a relative L2 distance of at most %.3g, got %.3g; largest difference %s", name, tol, relative, worst)
		return false
	}
	tb.Logf("%s: relative L2 distance %.3g; allowed %.3g", name, relative, tol)
	return true
}

// Worst is the largest difference between two tensors.
type Worst struct {
	// Index is its row-major position, Got and Want the values there.
	Index     int
	Got, Want float32
	// Scale is want's largest magnitude, or 1 if that is zero.
	Scale float64
	// Relative is |Got - Want| / Scale.
	Relative float64
}

// String describes the difference in one line.
func (w Worst) String() string {
	return fmt.Sprintf("%.3g at %d: expected %v, got %v (largest magnitude %.6g)", w.Relative, w.Index, w.Want, w.Got, w.Scale)
}

// Difference finds the largest difference by Compare's rules. It returns an error if
// lengths differ, for NaN and for infinities that do not match.
func Difference(got, want []float32) (Worst, error) {
	if len(got) != len(want) {
		return Worst{}, fmt.Errorf("expected %d values, got %d", len(want), len(got))
	}
	worst := Worst{Scale: scale(want)}
	for i, w := range want {
		g := got[i]
		if g != g || w != w {
			return Worst{}, fmt.Errorf("at %d: expected %v, got %v: NaN is never equal", i, w, g)
		}
		if same(g, w) {
			continue
		}
		if w == negInf || math.IsInf(float64(g), 0) || math.IsInf(float64(w), 0) {
			return Worst{}, fmt.Errorf("at %d: expected %v, got %v", i, w, g)
		}
		if d := math.Abs(float64(g)-float64(w)) / worst.Scale; d > worst.Relative {
			worst.Index, worst.Got, worst.Want, worst.Relative = i, g, w, d
		}
	}
	return worst, nil
}

// same reports equality, with -Inf equal to the value that represents it.
func same(got, want float32) bool {
	return got == want || want == negInf && math.IsInf(float64(got), -1)
}

// scale returns the largest finite magnitude, or 1 if that is zero.
func scale(want []float32) float64 {
	m := 0.0
	for _, v := range want {
		if a := math.Abs(float64(v)); v != negInf && a > m && !math.IsInf(a, 0) {
			m = a
		}
	}
	if m == 0 {
		return 1
	}
	return m
}

// CompareSub compares a tensor with the first stored variant of its name: complete, or
// subsampled (see Sub) with the given stride, or with the stride in its name, as in "x_sub2".
// A tolerance of 0 demands equal values.
func CompareSub(tb testing.TB, f *File, name string, got []float32, shape []int, stride int, tol float64) bool {
	tb.Helper()
	stored := name
	for _, suffix := range []string{"", "_sub", "_sub2", "_sub3"} {
		if !f.Has(name + suffix) {
			continue
		}
		stored = name + suffix
		if suffix == "_sub2" || suffix == "_sub3" {
			stride = int(suffix[4] - '0')
		}
		if suffix != "" {
			got, _ = Sub(got, shape, stride, 8)
		}
		break
	}
	want, _ := f.Float32(tb, stored)
	return Compare(tb, stored, got, want, tol)
}

package eval

import (
	"fmt"
	"slices"

	"github.com/gowalrus/gowalrus/internal/quantile"
)

// CentralInterval returns the central interval of the members at every point that should
// contain the truth with the given probability, its level. The bounds are the quantiles at
// position p·(M+1) of the sorted members, with linear interpolation (Weibull plotting
// positions). If members and truth have the same distribution, the interval's coverage then
// equals the level for any number of members of at least 2/(1−level) − 1, for example 19 at
// 90 %. Fewer members give the interval from the smallest to the largest member, which covers
// less: (M−1)/(M+1).
func CentralInterval(members [][]float32, level float64) (lower, upper []float32, err error) {
	if !(level > 0 && level < 1) {
		return nil, nil, fmt.Errorf("eval: interval: expected a level between 0 and 1, got %v", level)
	}
	if len(members) == 0 {
		return nil, nil, fmt.Errorf("eval: interval: expected at least one member, got none")
	}
	if err := checkMembers(members, members[0]); err != nil {
		return nil, nil, err
	}
	lower, upper = make([]float32, len(members[0])), make([]float32, len(members[0]))
	x := make([]float32, len(members))
	for p := range lower {
		for i, m := range members {
			x[i] = m[p]
		}
		slices.Sort(x)
		lower[p], upper[p] = quantile.Of(x, (1-level)/2), quantile.Of(x, (1+level)/2)
	}
	return lower, upper, nil
}

// IntervalCoverage returns the fraction of points at which the interval contains the truth,
// bounds included, and the mean width of the interval in units of the field.
func IntervalCoverage(lower, upper, ref []float32) (coverage, width float64, err error) {
	if err := checkMembers([][]float32{lower, upper}, ref); err != nil {
		return 0, 0, fmt.Errorf("eval: interval: %w", err)
	}
	inside, n := 0, float64(len(ref))
	for i, y := range ref {
		if upper[i] < lower[i] {
			return 0, 0, fmt.Errorf("eval: interval: expected a lower bound that is not above the upper, got %v and %v at point %d", lower[i], upper[i], i)
		}
		width += (float64(upper[i]) - float64(lower[i])) / n
		if y >= lower[i] && y <= upper[i] {
			inside++
		}
	}
	return float64(inside) / n, width, nil
}

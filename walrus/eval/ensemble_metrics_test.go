package eval

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat/distuv"
)

// ensemble draws n members and a truth from one normal distribution with the given mean and
// standard deviation.
func ensemble(rng *rand.Rand, n, points int, mean, std float64) (members [][]float32, ref []float32) {
	draw := func() []float32 {
		out := make([]float32, points)
		for i := range out {
			out[i] = float32(mean + std*rng.NormFloat64())
		}
		return out
	}
	for range n {
		members = append(members, draw())
	}
	return members, draw()
}

// gaussianCRPS is the CRPS of a normal distribution (Gneiting and Raftery 2007, eq. 5).
func gaussianCRPS(mean, std, y float64) float64 {
	z := (y - mean) / std
	n := distuv.UnitNormal
	return std * (z*(2*n.CDF(z)-1) + 2*n.Prob(z) - 1/math.Sqrt(math.Pi))
}

// TestCRPSGaussian: members at the quantiles of a normal distribution have its CRPS, up to
// the discretisation, and the mean fair CRPS of few random members is that CRPS, too.
func TestCRPSGaussian(t *testing.T) {
	const mean, std, n = 1.5, 0.7, 4000
	dist := distuv.Normal{Mu: mean, Sigma: std}
	members := make([][]float32, n)
	for i := range members {
		members[i] = []float32{float32(dist.Quantile((float64(i) + 0.5) / n))}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for _, y := range []float64{1.5, 0.2, 2.3, 5} {
		want := gaussianCRPS(mean, std, float64(float32(y)))
		got, err := CRPS(members, []float32{float32(y)})
		require.NoError(t, err)
		require.InDelta(t, want, got, 1e-4, "y %v", y)

		const points = 40000
		few, ref := ensemble(rng, 3, points, mean, std)
		for i := range ref {
			ref[i] = float32(y)
		}
		fair, err := FairCRPS(few, ref)
		require.NoError(t, err)
		// The score of one point has a standard deviation below 2·std; five standard errors.
		require.InDelta(t, want, fair, 5*2*std/math.Sqrt(points), "fair, y %v", y)
		plain, err := CRPS(few, ref)
		require.NoError(t, err)
		// Plain minus fair is E|x−x'|·(1/2 − 1/3) with E|x−x'| = 2·std/√π and three members.
		require.InDelta(t, 2*std/math.Sqrt(math.Pi)/6, plain-fair, 0.01, "y %v", y)
	}
}

// naiveEnsemble computes the metrics as their formulas are written.
type naiveEnsemble struct {
	crps, fair, energy, spread, skill float64
	ranks                             []float64
}

func naivelyEnsemble(members [][]float32, ref []float32) (v naiveEnsemble) {
	n, points := float64(len(members)), float64(len(ref))
	v.ranks = make([]float64, len(members)+1)
	for p, r := range ref {
		y := float64(r)
		mean, toTruth, pairs, below, ties := 0.0, 0.0, 0.0, 0, 0
		for _, a := range members {
			mean += float64(a[p]) / n
			toTruth += math.Abs(float64(a[p]) - y)
			for _, b := range members {
				pairs += math.Abs(float64(a[p]) - float64(b[p]))
			}
			if a[p] < r {
				below++
			} else if a[p] == r {
				ties++
			}
		}
		for _, a := range members {
			v.spread += math.Pow(float64(a[p])-mean, 2) / (n - 1) / points * (n + 1) / n
		}
		v.skill += math.Pow(mean-y, 2) / points
		v.crps += (toTruth/n - pairs/(2*n*n)) / points
		v.fair += (toTruth/n - pairs/(2*n*(n-1))) / points
		for k := range ties + 1 {
			v.ranks[below+k] += 1 / float64(ties+1) / points
		}
	}
	v.spread, v.skill = math.Sqrt(v.spread), math.Sqrt(v.skill)
	norm := func(a, b []float32) float64 {
		sum := 0.0
		for i := range a {
			sum += math.Pow(float64(a[i])-float64(b[i]), 2) / points
		}
		return math.Sqrt(sum)
	}
	for _, a := range members {
		v.energy += norm(a, ref) / n
		for _, b := range members {
			v.energy -= norm(a, b) / (2 * n * n)
		}
	}
	return v
}

func TestEnsembleMetricsMatchNaive(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, c := range []struct{ members, points int }{{2, 1}, {3, 7}, {16, 50}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			members, ref := ensemble(rng, c.members, c.points, 2, 1)
			members[1][0] = ref[0] // a tie
			v := naivelyEnsemble(members, ref)
			for _, m := range []struct {
				name   string
				metric EnsembleMetric
				want   float64
			}{{"CRPS", CRPS, v.crps}, {"FairCRPS", FairCRPS, v.fair}, {"EnergyScore", EnergyScore, v.energy}} {
				got, err := m.metric(members, ref)
				require.NoError(t, err)
				require.InDelta(t, m.want, got, 1e-12, m.name)
			}
			spread, skill, err := SpreadSkill(members, ref)
			require.NoError(t, err)
			require.InDelta(t, v.spread, spread, 1e-12)
			require.InDelta(t, v.skill, skill, 1e-12)
			ranks, err := RankHistogram(members, ref)
			require.NoError(t, err)
			require.InDeltaSlice(t, v.ranks, ranks, 1e-12)
		})
	}
}

// TestEnsembleMetricsSpecial: one member has its absolute error as CRPS, and in one point
// the energy score is the CRPS.
func TestEnsembleMetricsSpecial(t *testing.T) {
	pred, ref := pair(100)
	mae, err := MAE(pred, ref)
	require.NoError(t, err)
	got, err := CRPS([][]float32{pred}, ref)
	require.NoError(t, err)
	require.InDelta(t, mae, got, 1e-12)
	members := [][]float32{{1}, {2}, {5}}
	crps, err := CRPS(members, []float32{3})
	require.NoError(t, err)
	energy, err := EnergyScore(members, []float32{3})
	require.NoError(t, err)
	require.InDelta(t, crps, energy, 1e-12)
}

// TestEnsembleExchangeable: members and truth of one distribution have equal spread and
// skill, a flat rank histogram and intervals that cover what they should, within five
// standard errors.
func TestEnsembleExchangeable(t *testing.T) {
	const points, n = 30000, 19
	members, ref := ensemble(rand.New(rand.NewPCG(5, 6)), n, points, -3, 2)
	spread, skill, err := SpreadSkill(members, ref)
	require.NoError(t, err)
	require.InDelta(t, 1, spread/skill, 0.02)
	ranks, err := RankHistogram(members, ref)
	require.NoError(t, err)
	for k, v := range ranks {
		require.InDelta(t, 1./(n+1), v, 5*math.Sqrt(0.05/points), "rank %d", k)
	}
	for _, level := range []float64{0.9, 0.5, 0.3} {
		lower, upper, err := CentralInterval(members, level)
		require.NoError(t, err)
		coverage, width, err := IntervalCoverage(lower, upper, ref)
		require.NoError(t, err)
		require.InDelta(t, level, coverage, 5*0.5/math.Sqrt(points))
		if level == 0.9 {
			// From the smallest to the largest of 19 members: the constant d2 of control
			// charts, 3.689 standard deviations.
			require.InEpsilon(t, 3.689*2, width, 0.01)
		}
	}
	lower, upper, err := CentralInterval(members[:4], 0.9)
	require.NoError(t, err)
	coverage, _, err := IntervalCoverage(lower, upper, ref)
	require.NoError(t, err)
	require.InDelta(t, 3./5, coverage, 5*0.5/math.Sqrt(points), "four members reach from the smallest to the largest")
}

func TestCentralIntervalByHand(t *testing.T) {
	// Positions 0.25·4 = 1 and 0.75·4 = 3, then 0.125·4 = 0.5 (clamped) and 0.375·4 = 1.5.
	members := [][]float32{{3}, {1}, {2}}
	lower, upper, err := CentralInterval(members, 0.5)
	require.NoError(t, err)
	require.Equal(t, []float32{1}, lower)
	require.Equal(t, []float32{3}, upper)
	lower, upper, err = CentralInterval(members, 0.25)
	require.NoError(t, err)
	require.Equal(t, []float32{1.5}, lower)
	require.Equal(t, []float32{2.5}, upper)
	coverage, width, err := IntervalCoverage([]float32{0, 1, 2}, []float32{1, 3, 2}, []float32{1, 0, 2})
	require.NoError(t, err)
	require.InDelta(t, 2./3, coverage, 1e-12)
	require.InDelta(t, 1, width, 1e-12)
}

func TestEnsembleMetricsRefuse(t *testing.T) {
	ref, nan := []float32{1, 2}, float32(math.NaN())
	for want, members := range map[string][][]float32{
		"expected at least one member, got none":                   nil,
		"member 1: eval: expected forecast and truth of one":       {{1, 2}, {1}},
		"member 0: eval: forecast: expected finite values, got Na": {{nan, 2}, {1, 2}},
	} {
		for name, m := range map[string]EnsembleMetric{"CRPS": CRPS, "FairCRPS": FairCRPS, "EnergyScore": EnergyScore} {
			_, err := m(members, ref)
			require.ErrorContains(t, err, want, name)
		}
		_, _, err := SpreadSkill(members, ref)
		require.ErrorContains(t, err, want)
		_, err = RankHistogram(members, ref)
		require.ErrorContains(t, err, want)
	}
	_, err := FairCRPS([][]float32{{1, 2}}, ref)
	require.ErrorContains(t, err, "at least two members")
	_, _, err = SpreadSkill([][]float32{{1, 2}}, ref)
	require.ErrorContains(t, err, "at least two members")
	_, _, err = CentralInterval([][]float32{{1, 2}}, 1)
	require.ErrorContains(t, err, "expected a level between 0 and 1, got 1")
	_, _, err = CentralInterval([][]float32{{1, 2}, {1}}, 0.5)
	require.ErrorContains(t, err, "member 1")
	_, _, err = IntervalCoverage([]float32{1, 2}, []float32{2, 1}, ref)
	require.ErrorContains(t, err, "not above the upper, got 2 and 1 at point 1")
}

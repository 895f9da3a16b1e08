package eval

import (
	"fmt"
	"math"
	"slices"
)

// EnsembleMetric compares the members of an ensemble with the truth of one field and
// returns one number. Every member has one value per point, as the truth. It fails without
// members, on slices of different or zero length and on values that are not finite.
type EnsembleMetric func(members [][]float32, ref []float32) (float64, error)

// CRPS returns the continuous ranked probability score of the empirical distribution of the
// members, averaged over the points, in units of the field (Gneiting and Raftery 2007, J.
// Am. Stat. Assoc. 102:359, eq. 21):
//
//	CRPS = mean_i |x_i − y| − Σ_ij |x_i − x_j| / (2·M²)
//
// The CRPS of a single member is its [MAE].
func CRPS(members [][]float32, ref []float32) (float64, error) {
	m, err := measureEnsemble(members, ref)
	return m.crps(), err
}

// FairCRPS is [CRPS] with M·(M−1) in place of M² (Ferro 2014, Q. J. R. Meteorol. Soc.
// 140:1917). Its expectation does not depend on the number of members, so that it compares
// ensembles of different sizes. It needs at least two members.
func FairCRPS(members [][]float32, ref []float32) (float64, error) {
	if len(members) == 1 {
		return 0, errOneMember
	}
	m, err := measureEnsemble(members, ref)
	return m.fair(), err
}

// EnergyScore returns the energy score of the members, the multivariate form of [CRPS]
// with all points of the field as one vector (Gneiting and Raftery 2007, eq. 22). The norm
// is the root mean square over the points, so that the score has the units of the field.
// Unlike the CRPS it also depends on the correlation of the members' errors between points.
// Its time is proportional to the square of the number of members.
func EnergyScore(members [][]float32, ref []float32) (float64, error) {
	if err := checkMembers(members, ref); err != nil {
		return 0, err
	}
	toTruth, between := 0.0, 0.0
	for i, x := range members {
		toTruth += distance(x, ref)
		for _, y := range members[:i] {
			between += 2 * distance(x, y)
		}
	}
	n := float64(len(members))
	return toTruth/n - between/(2*n*n), nil
}

// distance returns the root mean square of x − y.
func distance(x, y []float32) float64 {
	sum := 0.0
	for i, v := range x {
		d := float64(v) - float64(y[i])
		sum += d * d
	}
	return math.Sqrt(sum / float64(len(x)))
}

// SpreadSkill returns the spread of the members, √((M+1)/M · mean unbiased variance), and
// the [RMSE] of their mean, both over the points of one field and in its units. If truth and
// members have the same distribution, the expectations of both squares are equal (Fortin et
// al. 2014, J. Hydrometeorol. 15:1708). A smaller spread than skill means that the ensemble
// is overconfident. It needs at least two members.
func SpreadSkill(members [][]float32, ref []float32) (spread, skill float64, err error) {
	if len(members) == 1 {
		return 0, 0, errOneMember
	}
	m, err := measureEnsemble(members, ref)
	return math.Sqrt(m.spread()), math.Sqrt(m.sqErr), err
}

// RankHistogram returns, for each number k from 0 to M of members below the truth, the
// fraction of points with that number. If members and truth have the same distribution, all
// fractions are 1/(M+1) up to sampling; a U means that the ensemble is overconfident. A
// point whose truth equals j members counts in equal parts for the j+1 possible ranks.
func RankHistogram(members [][]float32, ref []float32) ([]float64, error) {
	m, err := measureEnsemble(members, ref)
	return m.ranks, err
}

var errOneMember = fmt.Errorf("eval: ensemble: expected at least two members, got one")

// ensembleMoments are the sums over the points of one field from which ensemble metrics are
// computed.
type ensembleMoments struct {
	members  int
	toTruth  float64   // mean over points and members of |x−y|
	between  float64   // mean over points of Σ_ij |x_i−x_j|
	variance float64   // mean over points of the unbiased variance; 0 for one member
	sqErr    float64   // mean over points of (mean x − y)²
	ranks    []float64 // fraction of points of each rank
}

func (m ensembleMoments) crps() float64 {
	n := float64(max(m.members, 1))
	return m.toTruth - m.between/(2*n*n)
}

// fair returns the fair CRPS, NaN for one member.
func (m ensembleMoments) fair() float64 {
	n := float64(m.members)
	if m.members == 1 {
		return math.NaN()
	}
	return m.toTruth - m.between/(2*max(n*(n-1), 1))
}

// spread returns the variance of the members, corrected for their number.
func (m ensembleMoments) spread() float64 {
	return m.variance * (1 + 1/float64(max(m.members, 1)))
}

// measureEnsemble checks the input and computes the moments.
func measureEnsemble(members [][]float32, ref []float32) (m ensembleMoments, err error) {
	if err := checkMembers(members, ref); err != nil {
		return m, err
	}
	m.members = len(members)
	m.ranks = make([]float64, m.members+1)
	n, points := float64(m.members), float64(len(ref))
	x := make([]float64, m.members)
	for p, r := range ref {
		y, mean, toTruth := float64(r), 0.0, 0.0
		for i := range members {
			x[i] = float64(members[i][p])
			mean += x[i] / n
			toTruth += math.Abs(x[i] - y)
		}
		slices.Sort(x)
		between, squares := 0.0, 0.0
		for i, v := range x {
			between += 2 * v * float64(2*i-m.members+1)
			squares += (v - mean) * (v - mean)
		}
		m.toTruth += toTruth / n / points
		m.between += between / points
		m.variance += squares / max(n-1, 1) / points
		m.sqErr += (mean - y) * (mean - y) / points
		below, _ := slices.BinarySearch(x, y)
		ties := 0
		for below+ties < len(x) && x[below+ties] == y {
			ties++
		}
		for k := below; k <= below+ties; k++ {
			m.ranks[k] += 1 / float64(ties+1) / points
		}
	}
	return m, nil
}

// checkMembers checks every member against the truth.
func checkMembers(members [][]float32, ref []float32) error {
	if len(members) == 0 {
		return fmt.Errorf("eval: ensemble: expected at least one member, got none")
	}
	for i, x := range members {
		if err := check(x, ref, false); err != nil {
			return fmt.Errorf("member %d: %w", i, err)
		}
	}
	return nil
}

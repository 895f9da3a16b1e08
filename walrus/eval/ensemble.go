package eval

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"math"

	"github.com/gowalrus/gowalrus/data"
)

// Distribution is a probabilistic forecast of one frame.
type Distribution struct {
	// Members holds the frames of the ensemble, at least one, in the window's channels and
	// units.
	Members [][]float32
	// Lower and Upper bound an interval of [Protocol.Level] at every value of the frame. nil
	// means the [CentralInterval] of the members.
	Lower, Upper []float32
}

// EnsembleForecast continues a window by the given number of frames and yields the
// distribution of each.
type EnsembleForecast func(ctx context.Context, history *data.Window, steps int) iter.Seq2[Distribution, error]

// EnsembleScore summarises a probabilistic forecast. It averages over points, windows, and
// the steps and fields that it covers. CRPS, energy score and width are divided by the
// standard deviation of the true field over the grid, as the VRMSE is, so that fields may
// be averaged.
type EnsembleScore struct {
	// Members is the smallest number of members of any frame.
	Members int
	// CRPS, FairCRPS and Energy are those of the functions [CRPS], [FairCRPS] and
	// [EnergyScore]. FairCRPS is NaN for frames of one member.
	CRPS, FairCRPS, Energy float64
	// SpreadSkill is the ratio of the root mean squares of spread and skill
	// ([SpreadSkill]), 1 for a calibrated ensemble; NaN if the mean has no error.
	SpreadSkill float64
	// Coverage is the fraction of values inside the interval, Width the interval's mean
	// width.
	Coverage, Width float64
	// Ranks is the [RankHistogram]; nil if frames differ in their number of members.
	Ranks []float64
}

// MarshalJSON writes numbers that are not finite as null.
func (s EnsembleScore) MarshalJSON() ([]byte, error) {
	ranks := make([]number, len(s.Ranks))
	for i, v := range s.Ranks {
		ranks[i] = number(v)
	}
	return json.Marshal(struct {
		Members     int      `json:"members"`
		CRPS        number   `json:"crps"`
		FairCRPS    number   `json:"fair_crps"`
		Energy      number   `json:"energy_score"`
		SpreadSkill number   `json:"spread_skill"`
		Coverage    number   `json:"coverage"`
		Width       number   `json:"width"`
		Ranks       []number `json:"rank_histogram,omitempty"`
	}{s.Members, number(s.CRPS), number(s.FairCRPS), number(s.Energy), number(s.SpreadSkill), number(s.Coverage), number(s.Width), ranks})
}

// number is a float64 whose JSON is null if it is not finite.
type number float64

// MarshalJSON writes the number or null.
func (n number) MarshalJSON() ([]byte, error) {
	if v := float64(n); math.IsNaN(v) || math.IsInf(v, 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// EnsembleResult holds the scores of one probabilistic forecaster over a horizon.
type EnsembleResult struct {
	// All covers all steps and fields.
	All EnsembleScore `json:"all"`
	// Steps covers each step from From to To; Fields covers each field that varies.
	Steps  []EnsembleScore          `json:"steps"`
	Fields map[string]EnsembleScore `json:"fields"`
}

// ensembleSum accumulates the parts of an EnsembleScore.
type ensembleSum struct {
	n, members         int
	crps, fair, energy float64
	spread, sqErr      float64
	inside, width      float64
	ranks              []float64
	mixed              bool // frames differ in their number of members
}

// add adds the sums of other frames.
func (s *ensembleSum) add(o ensembleSum) {
	if o.n == 0 {
		return
	}
	if s.n == 0 {
		s.members, s.ranks = o.members, make([]float64, len(o.ranks))
	}
	s.mixed = s.mixed || o.mixed || len(s.ranks) != len(o.ranks)
	s.n += o.n
	s.members = min(s.members, o.members)
	s.crps += o.crps
	s.fair += o.fair
	s.energy += o.energy
	s.spread += o.spread
	s.sqErr += o.sqErr
	s.inside += o.inside
	s.width += o.width
	if !s.mixed {
		for i, v := range o.ranks {
			s.ranks[i] += v
		}
	}
}

// score returns the means.
func (s ensembleSum) score() EnsembleScore {
	n := float64(s.n)
	out := EnsembleScore{Members: s.members, CRPS: s.crps / n, FairCRPS: s.fair / n, Energy: s.energy / n,
		SpreadSkill: math.Sqrt(s.spread / s.sqErr), Coverage: s.inside / n, Width: s.width / n}
	if s.sqErr == 0 {
		out.SpreadSkill = math.NaN()
	}
	if !s.mixed {
		for _, v := range s.ranks {
			out.Ranks = append(out.Ranks, v/n)
		}
	}
	return out
}

// scoreField scores one field of one frame.
func scoreField(members [][]float32, lower, upper, ref []float32, eps float64) (s ensembleSum, err error) {
	e, err := measureEnsemble(members, ref)
	if err != nil {
		return s, err
	}
	m, err := measure(ref, ref, true)
	if err != nil {
		return s, err
	}
	energy, err := EnergyScore(members, ref)
	if err != nil {
		return s, err
	}
	coverage, width, err := IntervalCoverage(lower, upper, ref)
	if err != nil {
		return s, err
	}
	variance := m.varRef + eps
	scale := math.Sqrt(variance)
	return ensembleSum{n: 1, members: e.members, crps: e.crps() / scale, fair: e.fair() / scale, energy: energy / scale,
		spread: e.spread() / variance, sqErr: e.sqErr / variance, inside: coverage, width: width / scale, ranks: e.ranks}, nil
}

// check checks the lengths of a distribution and adds the default interval.
func (d Distribution) check(values int, level float64) (Distribution, error) {
	if len(d.Members) == 0 {
		return d, fmt.Errorf("expected at least one member, got none")
	}
	for i, m := range d.Members {
		if len(m) != values {
			return d, fmt.Errorf("member %d: expected %d values, got %d", i, values, len(m))
		}
	}
	if d.Lower == nil && d.Upper == nil {
		var err error
		d.Lower, d.Upper, err = CentralInterval(d.Members, level)
		return d, err
	}
	if len(d.Lower) != values || len(d.Upper) != values {
		return d, fmt.Errorf("interval: expected bounds of %d values, got %d and %d", values, len(d.Lower), len(d.Upper))
	}
	return d, nil
}

// mean returns the mean of the members.
func (d Distribution) mean() []float32 {
	out := make([]float32, len(d.Members[0]))
	for p := range out {
		sum := 0.0
		for _, m := range d.Members {
			sum += float64(m[p])
		}
		out[p] = float32(sum / float64(len(d.Members)))
	}
	return out
}

// slice returns the members, the bounds and the truth of one field.
func (d Distribution) slice(from, to int) (members [][]float32, lower, upper []float32) {
	for _, m := range d.Members {
		members = append(members, m[from:to])
	}
	return members, d.Lower[from:to], d.Upper[from:to]
}

// addEnsemble scores the forecasts of one window by one probabilistic forecaster and
// returns the mean of the members of every step.
func (t *table) addEnsemble(name string, forecast iter.Seq2[Distribution, error], truth [][]float32, scored [][]bool, step func()) (means [][]float32, err error) {
	if forecast == nil {
		return nil, fmt.Errorf("expected an iterator over distributions, got nil")
	}
	sums := t.ensembles[name]
	if sums == nil {
		sums = make([][]ensembleSum, t.to-t.horizon.From+1)
		for i := range sums {
			sums[i] = make([]ensembleSum, len(t.names))
		}
		t.ensembles[name] = sums
	}
	for d, err := range forecast {
		s := len(means)
		if err == nil && s == len(truth) {
			err = fmt.Errorf("expected a forecast of %d frames, got more", len(truth))
		}
		if err == nil {
			d, err = d.check(len(truth[0]), t.level)
		}
		if err == nil && s >= t.horizon.From-1 && s < t.to {
			err = t.scoreStep(sums[s-t.horizon.From+1], d, truth[s], scored[s])
		}
		if err != nil {
			return means, fmt.Errorf("step %d: %w", s+1, err)
		}
		means = append(means, d.mean())
		step()
	}
	return means, nil
}

// scoreStep adds the scores of the fields of one frame to sums.
func (t *table) scoreStep(sums []ensembleSum, d Distribution, truth []float32, scored []bool) error {
	points := len(truth) / len(t.names)
	for c, name := range t.names {
		if !scored[c] {
			continue
		}
		members, lower, upper := d.slice(c*points, (c+1)*points)
		s, err := scoreField(members, lower, upper, truth[c*points:(c+1)*points], t.eps)
		if err != nil {
			return fmt.Errorf("field %s: %w", name, err)
		}
		sums[c].add(s)
	}
	return nil
}

// ensembleResult summarises the sums of one forecaster, [steps][fields].
func (t *table) ensembleResult(sums [][]ensembleSum) EnsembleResult {
	out := EnsembleResult{Fields: map[string]EnsembleScore{}}
	fields := make([]ensembleSum, len(t.names))
	var all ensembleSum
	for _, row := range sums {
		var step ensembleSum
		for c, s := range row {
			step.add(s)
			fields[c].add(s)
		}
		all.add(step)
		out.Steps = append(out.Steps, step.score())
	}
	for c, s := range fields {
		if s.n > 0 {
			out.Fields[t.names[c]] = s.score()
		}
	}
	out.All = all.score()
	return out
}

package walrus

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/gowalrus/gowalrus/data"
)

// FamiliarityFile is the name of a [Familiarity] next to the weights, from which [Load] reads
// it.
const FamiliarityFile = "familiarity.json"

const familiarityVersion = 2

// Familiarity describes what the training windows of weights looked like, to recognise windows
// that are unlike them (out-of-distribution detection). [Emulator.Advice] then has an Advice of
// the kind AdviseFamiliarity. It depends on the data of the training alone, not on the weights.
// Package eval records it, see eval.RecordFamiliarity.
//
// A window is described by a few numbers per channel ([WindowFeatures]), which do not depend
// on units. Its score for a training data set is the root mean square, over channels and
// numbers, of the distance to the data set's mean in standard deviations; its score is the
// smallest of all data sets that have its channels. A window whose score exceeds Limit counts
// as unlike. Limit is such that the probability of a false alarm is at most Rate for windows
// that are drawn like those of the validation data (split conformal prediction).
//
// The score sees amplitudes, rates of change, roughness and decay. A window that is alike in
// these but follows other equations passes, and so does one in other units, because the
// network does not see units either.
type Familiarity struct {
	FormatVersion int `json:"format_version"`
	// Datasets are the training data sets, of different names.
	Datasets []FamiliarDataset `json:"datasets"`
	// Rate is the rate of false alarms, Limit the largest score without an alarm, and
	// Windows the number of validation windows that it is the quantile of.
	Rate    float64 `json:"rate"`
	Limit   float64 `json:"limit"`
	Windows int     `json:"windows"`
}

// FamiliarDataset holds the means and standard deviations of the numbers of [WindowFeatures]
// over windows of a training data set, by channel.
type FamiliarDataset struct {
	Name     string                      `json:"name"`
	Windows  int                         `json:"windows"`
	Channels map[string]FamiliarFeatures `json:"channels"`
}

// FamiliarFeatures are the means and standard deviations of the numbers of a channel. As text
// they are "mean±deviation" for each number, separated by spaces.
type FamiliarFeatures struct {
	Mean, Deviation [FeatureCount]float64
}

// MarshalText returns the means and deviations in decimal notation, without rounding.
func (k FamiliarFeatures) MarshalText() ([]byte, error) {
	var words []string
	for i := range k.Mean {
		words = append(words, fmt.Sprintf("%g±%g", k.Mean[i], k.Deviation[i]))
	}
	return []byte(strings.Join(words, " ")), nil
}

// UnmarshalText reads the text that MarshalText writes.
func (k *FamiliarFeatures) UnmarshalText(text []byte) error {
	words := strings.Fields(string(text))
	if len(words) != FeatureCount {
		return fmt.Errorf("expected %d numbers mean±deviation, got %q", FeatureCount, text)
	}
	for i, word := range words {
		mean, deviation, _ := strings.Cut(word, "±")
		var err, also error
		k.Mean[i], err = strconv.ParseFloat(mean, 64)
		k.Deviation[i], also = strconv.ParseFloat(deviation, 64)
		if err := errors.Join(err, also); err != nil {
			return fmt.Errorf("expected a number mean±deviation, got %q: %w", word, err)
		}
	}
	return nil
}

// FeatureCount is the number of features of a channel.
const FeatureCount = 8

// traits describe the features in advice, for a channel %[1]s: logarithms by the factor %.3[2]g
// from the mean of the training, correlations by their value and that mean; and what to check.
var traits = [FeatureCount]struct {
	text, check string
	correlation bool
}{
	{text: "%[1]s varies %.3[2]g times as much in relation to its size", check: "an offset of the values, such as °C for K"},
	{text: "%[1]s changes %.3[2]g times as much from frame to frame", check: "the time between frames"},
	{text: "successive changes of %[1]s have a correlation of %.2[2]f instead of %.2[3]f", check: "the order of the frames, and noise", correlation: true},
	{text: "neighbouring points of %[1]s have a correlation of %.2[2]f instead of %.2[3]f", check: "the order of the axes, and noise", correlation: true},
	{text: "%[1]s has %.3[2]g times as much of the shortest waves", check: "noise, and the number of points"},
	{text: "%[1]s has %.3[2]g times the kurtosis, a measure of outliers", check: "outliers and masked points"},
	{text: "the variation of %[1]s grows %.3[2]g times as much over the window", check: "the order of the frames, and the start of the simulation"},
	{text: "changes of %[1]s and its curvature have a correlation of %.2[2]f instead of %.2[3]f", check: "the fields and the time between frames", correlation: true},
}

// leastDeviation is added to the deviation of every feature (in squares): a data set of less
// variety than about 5 % does not make a window unlike.
const leastDeviation = 0.05

// WindowFeatures returns numbers that describe each variable channel of a window:
//
//   - log of the standard deviation over the grid, divided by the root mean square,
//   - log of the root mean square of the changes between frames, divided by that deviation,
//   - correlation of successive changes: near 1 for slow frames, −0.5 for independent ones,
//   - correlation of neighbouring points,
//   - log of the power of the shortest waves ([Divergence]), divided by the variance,
//   - log of the kurtosis,
//   - log of the standard deviation of the last frame, divided by that of the first,
//   - correlation between the change of a frame and its curvature, the sum of second
//     differences along the axes: near 1 where diffusion dominates.
//
// Logarithms lie between −14 and 14. A number is NaN if the window has too few frames for it,
// or if it would be a ratio to zero, as most are for a channel that is constant.
func WindowFeatures(w *data.Window) ([][FeatureCount]float64, error) {
	if w == nil {
		return nil, errors.New("walrus: features: expected a window, got none")
	}
	if err := w.Validate(); err != nil {
		return nil, err
	}
	out := make([][FeatureCount]float64, len(w.Channels(false)))
	for c := range out {
		out[c] = channelFeatures(w, c)
	}
	return out, nil
}

// channelFeatures returns the features of one channel.
func channelFeatures(w *data.Window, c int) [FeatureCount]float64 {
	n := w.Points()
	var u [][]float32
	for _, f := range w.Frames {
		u = append(u, f[c*n:(c+1)*n])
	}
	var square, variance, fourth, rough, short, start, end float64
	for t, f := range u {
		mean, before := 0.0, variance
		for _, v := range f {
			mean += float64(v) / float64(n)
		}
		for _, v := range f {
			d := float64(v) - mean
			square += float64(v) * float64(v)
			variance += d * d
			fourth += d * d * d * d
		}
		if end = variance - before; t == 0 {
			start = end
		}
		r, s := differences(f, w.Grid)
		rough, short = rough+r, short+s
	}
	total := float64(n * len(u))
	square, variance, fourth = square/total, variance/total, fourth/total
	rough, short = rough/float64(len(u)), short/float64(len(u))
	first, second := timeDifferences(u)
	return [FeatureCount]float64{
		logRatio(variance, square) / 2, logRatio(first, variance) / 2, 1 - ratio(second, 2*first),
		1 - ratio(rough, 2*variance), logRatio(short, variance), logRatio(fourth, variance*variance),
		logRatio(end, start) / 2, curvature(u, w.Grid),
	}
}

// curvature returns the correlation between the changes of all frames and their curvature at
// interior points, and NaN if one of them is 0 everywhere.
func curvature(u [][]float32, grid []int) float64 {
	var both, changes, curves float64
	for t := 1; t < len(u); t++ {
		for i, v := range u[t-1] {
			curve, stride, inside := 0.0, len(u[t]), true
			for _, n := range grid {
				stride /= n
				if n < 3 {
					continue
				}
				if k := i / stride % n; k == 0 || k == n-1 {
					inside = false
					break
				}
				curve += float64(u[t-1][i+stride]) - 2*float64(v) + float64(u[t-1][i-stride])
			}
			if !inside {
				continue
			}
			change := float64(u[t][i]) - float64(v)
			both, changes, curves = both+change*curve, changes+change*change, curves+curve*curve
		}
	}
	return ratio(both, math.Sqrt(changes*curves))
}

// ratio returns a/b, and NaN for b = 0.
func ratio(a, b float64) float64 {
	if b == 0 {
		return math.NaN()
	}
	return a / b
}

// logRatio returns log(a/b) between −14 and 14, and NaN for b = 0.
func logRatio(a, b float64) float64 {
	const limit = 14
	return min(max(math.Log(ratio(a, b)), -limit), limit)
}

// timeDifferences returns the mean squares of the first and second differences between frames,
// NaN if there are too few frames.
func timeDifferences(u [][]float32) (first, second float64) {
	if len(u) < 2 {
		first = math.NaN()
	}
	if len(u) < 3 {
		second = math.NaN()
	}
	for t := 1; t < len(u); t++ {
		for i, v := range u[t] {
			d := float64(v) - float64(u[t-1][i])
			first += d * d
			if t > 1 {
				d -= float64(u[t-1][i]) - float64(u[t-2][i])
				second += d * d
			}
		}
	}
	n := float64(len(u[0]))
	return first / (n * float64(len(u)-1)), second / (n * float64(len(u)-2))
}

// differences returns the mean squares of the differences between neighbours and of a
// sixteenth of the second differences, averaged over the axes longer than two points.
func differences(u []float32, grid []int) (first, second float64) {
	axes, stride := 0.0, len(u)
	for _, n := range grid {
		stride /= n
		if n < 3 {
			continue
		}
		axes++
		var a, b float64
		for i := range u {
			k := i / stride % n
			if k == 0 {
				continue
			}
			d := float64(u[i]) - float64(u[i-stride])
			a += d * d
			if k > 1 {
				d -= float64(u[i-stride]) - float64(u[i-2*stride])
				b += d * d
			}
		}
		lines := float64(len(u) / n)
		first, second = first+a/(lines*float64(n-1)), second+b/(16*lines*float64(n-2))
	}
	return first / max(axes, 1), second / max(axes, 1)
}

// Score returns the score of a window and the name of the nearest data set. The score is +Inf
// and the name empty if no data set has all variable channels of the window.
func (f *Familiarity) Score(w *data.Window) (score float64, nearest string, err error) {
	if err := f.Validate(); err != nil {
		return 0, "", fmt.Errorf("walrus: %w", err)
	}
	features, err := WindowFeatures(w)
	if err != nil {
		return 0, "", err
	}
	score = math.Inf(1)
	for _, d := range f.Datasets {
		if s := d.score(w.Channels(false), features); s < score {
			score, nearest = s, d.Name
		}
	}
	return score, nearest, nil
}

// score returns the score for one data set, +Inf if it lacks a channel.
func (d FamiliarDataset) score(channels []string, features [][FeatureCount]float64) float64 {
	sum, n := 0.0, 0.0
	for c, name := range channels {
		known, ok := d.Channels[name]
		if !ok {
			return math.Inf(1)
		}
		square, used := known.distance(features[c])
		sum, n = sum+square, n+float64(used)
	}
	return math.Sqrt(sum / max(n, 1))
}

// distance returns the squared distance of features in standard deviations, and how many of
// them are numbers.
func (k FamiliarFeatures) distance(features [FeatureCount]float64) (square float64, used int) {
	for i := range features {
		if z := k.deviations(features, i); !math.IsNaN(z) {
			square, used = square+z*z, used+1
		}
	}
	return square, used
}

// deviations returns the distance of a feature from the mean in standard deviations.
func (k FamiliarFeatures) deviations(features [FeatureCount]float64, i int) float64 {
	return (features[i] - k.Mean[i]) / math.Hypot(k.Deviation[i], leastDeviation)
}

// advice returns the advice on a window, none for a familiar one.
func (f *Familiarity) advice(w *data.Window) ([]Advice, error) {
	score, nearest, err := f.Score(w)
	if err != nil || score <= f.Limit {
		return nil, err
	}
	a := Advice{Kind: AdviseFamiliarity, Axis: -1}
	if nearest == "" {
		a.Text = f.strange(w.Channels(false))
	} else {
		a.Text = f.unlike(w, score, nearest)
	}
	return []Advice{a}, nil
}

// strange describes channels that no data set has together.
func (f *Familiarity) strange(channels []string) string {
	most, best := -1, FamiliarDataset{}
	for _, d := range f.Datasets {
		n := 0
		for _, name := range channels {
			if _, ok := d.Channels[name]; ok {
				n++
			}
		}
		if n > most {
			most, best = n, d
		}
	}
	return fmt.Sprintf("no training data had the fields %s together: expect a poor forecast. The nearest, %s, had %s: check the names, leave out fields, or finetune the weights on such data",
		strings.Join(channels, ", "), best.Name, strings.Join(slices.Sorted(maps.Keys(best.Channels)), ", "))
}

// unlike describes the feature of a window that differs most from those of the nearest data
// set.
func (f *Familiarity) unlike(w *data.Window, score float64, nearest string) string {
	features, _ := WindowFeatures(w) // Score has checked the window
	i := slices.IndexFunc(f.Datasets, func(d FamiliarDataset) bool { return d.Name == nearest })
	var difference, check string
	worst := 0.0
	for c, name := range w.Channels(false) {
		known := f.Datasets[i].Channels[name]
		for k, t := range traits {
			z := math.Abs(known.deviations(features[c], k))
			if !(z > worst) {
				continue
			}
			worst, check = z, t.check
			if t.correlation {
				difference = fmt.Sprintf(t.text, name, features[c][k], known.Mean[k])
			} else {
				difference = fmt.Sprintf(t.text, name, math.Exp(features[c][k]-known.Mean[k]))
			}
		}
	}
	return fmt.Sprintf("the values of this window are unlike those of all training data: the forecast may be poor. Compared with %s, the nearest, %s (score %.1f; %.3g %% of familiar windows exceed %.1f). Check %s; if the data is right, finetune the weights on such data",
		nearest, difference, score, 100*f.Rate, f.Limit, check)
}

// Validate checks the numbers.
func (f *Familiarity) Validate() error {
	if f == nil {
		return errors.New("familiarity: expected one, got nil")
	}
	if f.FormatVersion != familiarityVersion {
		return fmt.Errorf("familiarity: expected format %d, got %d (of another version of the library?)", familiarityVersion, f.FormatVersion)
	}
	if len(f.Datasets) == 0 || !(f.Rate > 0 && f.Rate < 1) || !(f.Limit >= 0) || math.IsInf(f.Limit, 0) {
		return fmt.Errorf("familiarity: expected data sets, a rate between 0 and 1 and a finite limit, got %d data sets, rate %v, limit %v", len(f.Datasets), f.Rate, f.Limit)
	}
	for _, d := range f.Datasets {
		if d.Name == "" || len(d.Channels) == 0 {
			return fmt.Errorf("familiarity: expected data sets with a name and channels, got %q with %d channels", d.Name, len(d.Channels))
		}
		for _, name := range slices.Sorted(maps.Keys(d.Channels)) {
			c := d.Channels[name]
			for i := range c.Mean {
				if math.IsNaN(c.Mean[i]) || math.IsInf(c.Mean[i], 0) || !(c.Deviation[i] >= 0) || math.IsInf(c.Deviation[i], 0) {
					return fmt.Errorf("familiarity: data set %s: channel %s: expected finite means and deviations of at least 0, got %g±%g", d.Name, name, c.Mean[i], c.Deviation[i])
				}
			}
		}
	}
	return nil
}

// NewFamiliarity returns a record without data sets, for eval.RecordFamiliarity to fill in.
func NewFamiliarity() *Familiarity { return &Familiarity{FormatVersion: familiarityVersion} }

// Save writes the record as JSON; a folder that holds a checkpoint gets it under the name
// [FamiliarityFile].
func (f *Familiarity) Save(path string) error {
	if err := f.Validate(); err != nil {
		return fmt.Errorf("walrus: saving to %s: %w", path, err)
	}
	return saveBeside(path, FamiliarityFile, "familiarity", f)
}

// ReadFamiliarity reads a record that Save wrote: a file, or [FamiliarityFile] in a folder.
func ReadFamiliarity(path string) (*Familiarity, error) {
	f := new(Familiarity)
	path, err := readBeside(path, FamiliarityFile, "familiarity", f)
	if err != nil {
		return nil, err
	}
	if err := f.Validate(); err != nil {
		return nil, fmt.Errorf("walrus: %s: %w", path, err)
	}
	return f, nil
}

// adoptFamiliarity reads the record next to the weights, if there is one.
func (e *Emulator) adoptFamiliarity(weights string) error {
	f, err := ReadFamiliarity(filepath.Join(filepath.Dir(weights), FamiliarityFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	e.opts.Familiarity = f
	return err
}

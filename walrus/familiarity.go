package walrus

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gowalrus/gowalrus/data"
)

// FamiliarityFile is the name of a [Familiarity] next to the weights, from which [Load] reads
// it.
const FamiliarityFile = "familiarity.json"

const familiarityVersion = 1

// Familiarity describes what the training windows of weights looked like, to recognise windows
// that are unlike them (out-of-distribution detection). [Emulator.Advice] then has an Advice of
// the kind AdviseFamiliarity. Package eval records it, see eval.RecordFamiliarity.
//
// A window is described by a few numbers per channel ([WindowFeatures]), which do not depend
// on units. Its score for a training data set is their Mahalanobis distance to the data
// set's mean, as a root mean square over channels and numbers; its score is the smallest of
// all data sets that have its channels. A window whose score exceeds Limit counts
// as unlike. Limit is such that the probability of a false alarm is at most Rate for windows
// that are drawn like those of the validation data (split conformal prediction).
//
// The score sees amplitudes, rates of change, roughness and decay. A window that is alike in
// these but follows other equations passes.
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

// FamiliarDataset holds the means and covariances of the numbers of [WindowFeatures] over
// windows of a training data set, by channel.
type FamiliarDataset struct {
	Name     string                      `json:"name"`
	Windows  int                         `json:"windows"`
	Channels map[string]FamiliarFeatures `json:"channels"`
}

// FamiliarFeatures are the means and covariances of the numbers of a channel.
type FamiliarFeatures struct {
	Mean       [FeatureCount]float64               `json:"mean"`
	Covariance [FeatureCount][FeatureCount]float64 `json:"covariance"`
}

// FeatureCount is the number of features of a channel.
const FeatureCount = 8

// featureNames describe the features in advice.
var featureNames = [FeatureCount]string{"variation", "rate of change", "change of the rate", "roughness", "share of short waves", "share of outliers", "growth of the variation", ""}

// leastDeviation is added to the deviation of every feature, about 5 %: a data set of much less
// variety does not make a window unlike.
const leastDeviation = 0.05

// WindowFeatures returns numbers that describe each variable channel of a window, first the
// logarithms of ratios:
//
//   - standard deviation over the grid to root mean square,
//   - root mean square of the changes between frames to that standard deviation,
//   - root mean square of the second differences in time to that of the changes,
//   - mean square of the differences between neighbours to twice the variance,
//   - power of the shortest waves ([Divergence]) to the variance,
//   - kurtosis,
//   - standard deviation over the grid of the last frame to that of the first;
//
// and then the correlation between the change of a frame and its curvature, the sum of second
// differences along the axes: near 1 where diffusion dominates. A number for which the window has too few frames is NaN. A ratio of nothing to something is
// at least −14.
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
		logRatio(variance, square) / 2, logRatio(first, variance) / 2, logRatio(second, first) / 2,
		logRatio(rough, 2*variance), logRatio(short, variance), logRatio(fourth, variance*variance),
		logRatio(end, start) / 2, curvature(u, w.Grid),
	}
}

// curvature returns the correlation between the changes of all frames and their curvature at
// interior points, 0 if one of them is 0, and NaN for a single frame.
func curvature(u [][]float32, grid []int) float64 {
	if len(u) < 2 {
		return math.NaN()
	}
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
	if changes == 0 || curves == 0 {
		return 0
	}
	return both / math.Sqrt(changes*curves)
}

// logRatio returns log(a/b), between −14 and 14.
func logRatio(a, b float64) float64 {
	const floor = 1e-6 // e^−14
	if math.IsNaN(a) || math.IsNaN(b) {
		return math.NaN()
	}
	if a <= floor*b {
		return math.Log(floor)
	}
	if b <= floor*a {
		return -math.Log(floor)
	}
	return math.Log(a / b)
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

// distance returns the squared Mahalanobis distance of features, and how many of them are
// numbers. It factorises the covariance by Cholesky's method.
func (k FamiliarFeatures) distance(features [FeatureCount]float64) (square float64, used int) {
	var l [FeatureCount][FeatureCount]float64
	var z [FeatureCount]float64
	for i := range features {
		if math.IsNaN(features[i]) {
			continue // row i of l stays 0, as if the feature did not exist
		}
		rest := features[i] - k.Mean[i]
		for j := range i {
			if l[j][j] == 0 {
				continue
			}
			v := k.Covariance[i][j]
			for m := range j {
				v -= l[i][m] * l[j][m]
			}
			l[i][j] = v / l[j][j]
			rest -= l[i][j] * z[j]
		}
		v := k.Covariance[i][i] + leastDeviation*leastDeviation
		for m := range i {
			v -= l[i][m] * l[i][m]
		}
		l[i][i] = math.Sqrt(max(v, leastDeviation*leastDeviation)) // at least that if the covariance is one
		z[i] = rest / l[i][i]
		square, used = square+z[i]*z[i], used+1
	}
	return square, used
}

// advice returns the advice on a window, none for a familiar one.
func (f *Familiarity) advice(w *data.Window) ([]Advice, error) {
	score, nearest, err := f.Score(w)
	if err != nil || score <= f.Limit {
		return nil, err
	}
	a := Advice{Kind: AdviseFamiliarity, Axis: -1}
	if nearest == "" {
		var names []string
		for _, d := range f.Datasets {
			names = append(names, d.Name)
		}
		a.Text = fmt.Sprintf("the fields %s were not trained together: the forecast may be poor; trained: %s", strings.Join(w.Channels(false), ", "), strings.Join(names, ", "))
		return []Advice{a}, nil
	}
	a.Text = fmt.Sprintf("the window is unlike the training data (score %.1f, at most %.1f is usual): the forecast may be poor; nearest is %s, but %s",
		score, f.Limit, nearest, f.farthest(nearest, w))
	return []Advice{a}, nil
}

// farthest describes the feature that differs most from those of a data set.
func (f *Familiarity) farthest(nearest string, w *data.Window) string {
	features, _ := WindowFeatures(w) // Score has checked the window
	i := slices.IndexFunc(f.Datasets, func(d FamiliarDataset) bool { return d.Name == nearest })
	var text string
	worst := 0.0
	for c, name := range w.Channels(false) {
		known := f.Datasets[i].Channels[name]
		for k := range features[c] {
			if z := (features[c][k] - known.Mean[k]) / math.Sqrt(known.Covariance[k][k]+leastDeviation*leastDeviation); math.Abs(z) > worst {
				worst = math.Abs(z)
				text = fmt.Sprintf("the %s of %s is %.3g times as large", featureNames[k], name, math.Exp(features[c][k]-known.Mean[k]))
				if featureNames[k] == "" {
					text = fmt.Sprintf("the changes and the curvature of %s have a correlation of %.2f instead of %.2f", name, features[c][k], known.Mean[k])
				}
			}
		}
	}
	return text
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
				row := append(c.Covariance[i][:], c.Mean[i])
				if slices.ContainsFunc(row, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }) || c.Covariance[i][i] < 0 {
					return fmt.Errorf("familiarity: data set %s: channel %s: expected finite means and covariances, got %v", d.Name, name, row)
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

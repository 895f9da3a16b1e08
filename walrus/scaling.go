package walrus

import (
	"fmt"
	"math"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/enum"
)

// Normalization chooses the statistics that normalise fields.
type Normalization uint8

const (
	// NormalizeRMS divides by the root mean square over the given history, for
	// each sample and channel ("SamplewiseRevNormalization", pretraining).
	NormalizeRMS Normalization = iota
	// NormalizeMeanStd subtracts the mean and divides by the unbiased standard
	// deviation over the given history.
	NormalizeMeanStd
)

// DefaultStatEps is the floor of every scale in pretraining; the authors'
// finetuning recipe uses 1e-8 (docs/reference.md §8).
const DefaultStatEps = 1e-5

// Scaling says how physical fields are normalised for a network. Training, checkpoints,
// validation and emulation share this type. The forecasts of a network are right only
// with the scaling that it was trained with.
//
// The zero value is the scaling of the release's pretraining: root mean squares of the
// history with the floor [DefaultStatEps].
type Scaling struct {
	Normalization Normalization `json:"normalization"`
	// Eps is the floor of every scale; 0 means DefaultStatEps.
	Eps float64 `json:"eps,omitempty"`
	// Statistics are the statistics of a data set; nil means those of the history. Empty
	// statistics mark weights that need the statistics of a data set that were not
	// recorded: NewEmulator returns an error for such weights.
	Statistics *data.Statistics `json:"statistics,omitempty"`
}

// Validate checks kind and floor.
func (s Scaling) Validate() error {
	if int(s.Normalization) >= len(normalizationNames) {
		return fmt.Errorf("normalization: expected NormalizeRMS or NormalizeMeanStd, got %d", s.Normalization)
	}
	if s.Eps < 0 || math.IsNaN(s.Eps) || math.IsInf(s.Eps, 0) {
		return fmt.Errorf("eps: expected a positive number or 0 for the default, got %v", s.Eps)
	}
	return nil
}

// With returns a copy of the scaling with the given statistics; nil keeps those of s.
func (s Scaling) With(statistics *data.Statistics) Scaling {
	if statistics != nil {
		s.Statistics = statistics
	}
	return s
}

// eps returns Eps or its default.
func (s Scaling) eps() float64 {
	if s.Eps == 0 {
		return DefaultStatEps
	}
	return s.Eps
}

// incomplete reports whether the scaling needs statistics that it does not hold.
func (s Scaling) incomplete() bool {
	t := s.Statistics
	return t != nil && len(t.Mean)+len(t.Std)+len(t.RMS)+len(t.MeanDelta)+len(t.StdDelta)+len(t.RMSDelta) == 0
}

// complete returns an error if fields cannot be normalised: kind and floor must be valid,
// and statistics, if not nil, must not be empty.
func (s Scaling) complete() error {
	if err := s.Validate(); err != nil {
		return err
	}
	if s.incomplete() {
		return fmt.Errorf("statistics: expected those of a data set (%s), got empty ones", s.tables())
	}
	return nil
}

// tables names the tables of a stats.yaml that the normalisation reads.
func (s Scaling) tables() string {
	if s.Normalization == NormalizeMeanStd {
		return "mean, std, mean_delta and std_delta"
	}
	return "rms and rms_delta"
}

var normalizationNames = []string{"rms", "mean_std"}

// String returns "rms" or "mean_std".
func (n Normalization) String() string { return enum.Name(normalizationNames, n) }

// goName returns the name of the constant.
func (n Normalization) goName() string {
	return []string{"NormalizeRMS", "NormalizeMeanStd"}[n]
}

// MarshalText returns [Normalization.String], or an error for an unknown value.
func (n Normalization) MarshalText() ([]byte, error) {
	return enum.Text("normalization", normalizationNames, n)
}

// UnmarshalText reads the text that MarshalText writes.
func (n *Normalization) UnmarshalText(b []byte) error {
	return enum.Parse("normalization", normalizationNames, b, n)
}

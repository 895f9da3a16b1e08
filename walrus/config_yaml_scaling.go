package walrus

import (
	"math"
	"slices"
	"strings"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/yamltext"
)

// revinModule is the module of the release's classes of normalisation.
const revinModule = "walrus.trainer.normalization_strat."

// revinClass is one of the release's classes of normalisation.
type revinClass struct {
	name   string
	kind   Normalization
	global bool // the class needs the statistics of a data set
}

// revinClasses lists the classes of docs/reference.md §13a. If a class has two names,
// the first is the one that is written.
var revinClasses = []revinClass{
	{"SamplewiseRevNormalization", NormalizeRMS, false},
	{"RMSSamplewiseRevNormalization", NormalizeRMS, false},
	{"MeanStdSamplewiseRevNormalization", NormalizeMeanStd, false},
	{"RMSGlobalRevNormalization", NormalizeRMS, true},
	{"GlobalRevNormalization", NormalizeRMS, true},
	{"MeanStdGlobalRevNormalization", NormalizeMeanStd, true},
}

// class returns the name of the release's class for a scaling.
func (s Scaling) class() string {
	i := slices.IndexFunc(revinClasses, func(c revinClass) bool {
		return c.kind == s.Normalization && c.global == (s.Statistics != nil)
	})
	return revinClasses[i].name
}

// readScaling reads trainer.revin and trainer.epsilon. It returns nil without
// trainer.revin. The statistics of a data set are empty because another file holds them.
func readScaling(trainer *yamltext.Section) *Scaling {
	if trainer == nil {
		return nil
	}
	eps := trainer.FloatOr("epsilon", DefaultStatEps)
	if !(eps > 0) || math.IsInf(eps, 0) {
		trainer.Fail("epsilon", "expected a positive number, got %v", eps)
	}
	if n, ok := trainer.Take("revin"); !ok || yamltext.IsNull(n) {
		return nil
	}
	revin := trainer.Child("revin")
	target, ok := revin.String("_target_")
	if !ok {
		return nil
	}
	revin.Inert("_partial_")
	revin.Done()
	name := target[strings.LastIndex(target, ".")+1:]
	i := slices.IndexFunc(revinClasses, func(c revinClass) bool { return c.name == name })
	if i < 0 {
		revin.Fail("_target_", "expected a class that this library implements (%s), got %s", revinNames(), target)
		return nil
	}
	s := &Scaling{Normalization: revinClasses[i].kind}
	if eps != DefaultStatEps {
		s.Eps = eps
	}
	if revinClasses[i].global {
		s.Statistics = &data.Statistics{}
	}
	return s
}

// revinNames lists the names of the classes.
func revinNames() string {
	var names []string
	for _, c := range revinClasses {
		names = append(names, c.name)
	}
	return strings.Join(names, ", ")
}

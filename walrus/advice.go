package walrus

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/enum"
)

// AdviceKind is the property of a window that an [Advice] concerns.
type AdviceKind uint8

// The kinds of advice.
const (
	// AdviseDimension: no training window had this number of axes longer than one.
	AdviseDimension AdviceKind = iota
	// AdviseStrides: the encoder strides of the plan.
	AdviseStrides
	// AdviseHistory: the number of frames.
	AdviseHistory
	// AdviseBoundary: the boundaries, or a periodic axis that its patches do not divide.
	AdviseBoundary
	// AdviseGrid: the number of points of an axis.
	AdviseGrid
	// AdviseFamiliarity: fields, amplitudes, rates of change or roughness of the window
	// ([Familiarity]).
	AdviseFamiliarity
)

var adviceNames = []string{"dimension", "strides", "history", "boundary", "grid", "familiarity"}

// String returns "dimension", "strides", "history", "boundary", "grid" or
// "familiarity".
func (k AdviceKind) String() string { return enum.Name(adviceNames, k) }

// MarshalText returns [AdviceKind.String], or an error for an unknown value.
func (k AdviceKind) MarshalText() ([]byte, error) { return enum.Text("advice", adviceNames, k) }

// UnmarshalText reads the text that MarshalText writes.
func (k *AdviceKind) UnmarshalText(b []byte) error { return enum.Parse("advice", adviceNames, b, k) }

// Advice names a property of a window that was absent or rare in the training of the
// weights. The forecast may be poor, from the first step or after a few.
type Advice struct {
	Kind AdviceKind `json:"kind"`
	// Axis is the axis of the window that the advice concerns, −1 for the whole window.
	Axis int `json:"axis"`
	// Share is the share of the training windows that had the property, 0 for none.
	Share float64 `json:"share"`
	// Text is the advice as a sentence.
	Text string `json:"text"`
}

// rare is the share of the training windows below which a property counts as hardly
// trained.
const rare = 0.01

// Advise compares a plan and a number of history frames with the training windows of
// weights of the network c. If the record of these windows is missing or partial, Advise
// compares only with the strides that c lists. Weights that were never trained get no
// advice, and neither does a plan that is nil.
func Advise(c Config, trained *Coverage, plan *csm.Plan, history int) []Advice {
	if plan == nil {
		return nil
	}
	if trained == nil || trained.Partial || trained.Windows() == 0 {
		return listedStrides(c, plan)
	}
	s := trained.seen(plan.Dims)
	if s == nil {
		return []Advice{{Kind: AdviseDimension, Axis: -1, Text: fmt.Sprintf(
			"%dD grids were not trained, only %s: expect a poor forecast", plan.Dims, dimsText(trained.trained()))}}
	}
	out := s.pattern(plan, AdviseStrides, s.Strides, strideText)
	out = append(out, s.history(history)...)
	out = append(out, s.pattern(plan, AdviseBoundary, s.Boundaries, boundaryText)...)
	return append(out, s.lengths(plan)...)
}

// dimsText writes dimensionalities: "2D and 3D".
func dimsText(dims []int) string {
	var words []string
	for _, d := range dims {
		words = append(words, fmt.Sprintf("%dD", d))
	}
	return strings.Join(words, " and ")
}

// listedStrides is the advice for weights without a record.
func listedStrides(c Config, plan *csm.Plan) (out []Advice) {
	list := plan.Options.Strides
	if len(list) == 0 {
		return nil
	}
	for i, a := range plan.Axes {
		if a.Length > 1 && !slices.Contains(list, a.Stride) {
			out = append(out, Advice{Kind: AdviseStrides, Axis: i, Text: fmt.Sprintf(
				"axis %d of %d points: strides %s were not trained (%v were): expect a poor forecast; take a grid with another number of points", i, a.Length, strideText(a), list)})
		}
	}
	return out
}

// pattern advises on a property that every axis has. It advises on each axis whose value
// was rare at that position, or else on the combination of values if that was rare.
func (s *Seen) pattern(plan *csm.Plan, kind AdviceKind, table map[string]int64, of func(csm.Axis) string) (out []Advice) {
	place := 0
	for i, a := range plan.Axes {
		if a.Length == 1 {
			continue
		}
		if n := at(table, place, of(a)); s.rare(n) {
			out = append(out, Advice{Kind: kind, Axis: i, Share: s.share(n), Text: fmt.Sprintf("axis %d of %d points: %s %s %s: expect a poor forecast; trained: %s",
				i, a.Length, noun(kind), of(a), s.howRare(n), shares(values(table, place), s.Windows, 6))})
		}
		place++
	}
	if pattern := join(plan, of); out == nil && s.rare(table[pattern]) {
		out = append(out, Advice{Kind: kind, Axis: -1, Share: s.share(table[pattern]), Text: fmt.Sprintf(
			"%s %s %s in this combination: the forecast may be poor; trained: %s", noun(kind), pattern, s.howRare(table[pattern]), shares(table, s.Windows, 6))})
	}
	return out
}

func noun(kind AdviceKind) string {
	if kind == AdviseStrides {
		return "strides"
	}
	return "boundaries"
}

// values sums the counts of patterns by the value at one position.
func values(table map[string]int64, place int) map[string]int64 {
	out := map[string]int64{}
	for pattern, n := range table {
		if words := strings.Fields(pattern); place < len(words) {
			out[words[place]] += n
		}
	}
	return out
}

// at returns the number of windows with a value at one position.
func at(table map[string]int64, place int, value string) int64 { return values(table, place)[value] }

func (s *Seen) history(frames int) []Advice {
	n := s.Histories[frames]
	if !s.rare(n) {
		return nil
	}
	what := fmt.Sprintf("histories of %d frames", frames)
	if frames == 1 {
		what = "histories of 1 frame"
	}
	return []Advice{{Kind: AdviseHistory, Axis: -1, Share: s.share(n), Text: fmt.Sprintf(
		"%s %s: the forecast may be poor; trained: %s", what, s.howRare(n), shares(s.Histories, s.Windows, 6))}}
}

// lengths advises on axes that are shorter or longer than all trained axes.
func (s *Seen) lengths(plan *csm.Plan) (out []Advice) {
	for i, a := range plan.Axes {
		if a.Length > 1 && (a.Length < s.Lengths[0] || a.Length > s.Lengths[1]) {
			out = append(out, Advice{Kind: AdviseGrid, Axis: i, Text: fmt.Sprintf(
				"axis %d: %d points were not trained, only %d to %d: the forecast may be poor", i, a.Length, s.Lengths[0], s.Lengths[1])})
		}
	}
	return out
}

func (s *Seen) share(n int64) float64 { return float64(n) / float64(s.Windows) }

func (s *Seen) rare(n int64) bool { return s.share(n) < rare }

// howRare returns the verb of an advice: how rare a property with n windows was.
func (s *Seen) howRare(n int64) string {
	if n == 0 {
		return "were not trained"
	}
	return fmt.Sprintf("were hardly trained (%s of the windows)", percent(n, s.Windows))
}

// Advice returns the properties of a window, resized as the options say, that were
// absent or rare in the training of the weights; see [Advise]. With a [Familiarity] next to
// the weights it also says if the values are unlike those of the training windows. It returns
// none if all properties were trained or nothing is known about the training. It returns an
// error for a window that the network cannot forecast.
//
// [Emulator.Prepare] and the first rollout of a shape log the same advice as warnings; every
// rollout logs that on the values.
func (e *Emulator) Advice(w *data.Window) ([]Advice, error) {
	if w == nil {
		return nil, fmt.Errorf("walrus: advice: expected a window, got none")
	}
	if err := w.ValidateLayout(); err != nil {
		return nil, err
	}
	grid, err := e.opts.Resize.Grid(w.Grid)
	if err != nil {
		return nil, fmt.Errorf("walrus: %s: %w", label(w), err)
	}
	plan, err := e.model.Plan(grid, w.Boundaries)
	if err != nil {
		return nil, fmt.Errorf("walrus: %s: %w", label(w), err)
	}
	out := Advise(e.model.config, e.weights.Coverage(), plan, len(w.Frames))
	if e.opts.Familiarity == nil || len(w.Frames) == 0 || w.Frames[0] == nil {
		return out, nil
	}
	unlike, err := e.opts.Familiarity.advice(w)
	return append(out, unlike...), err
}

// warnUnlike logs the advice on the values of a window.
func (e *Emulator) warnUnlike(w *data.Window) error {
	if e.opts.Familiarity == nil || !e.opts.Log.Enabled(context.Background(), slog.LevelWarn) {
		return nil
	}
	list, err := e.opts.Familiarity.advice(w)
	for _, a := range list {
		e.opts.Log.Warn(a.Text, "window", label(w), "kind", a.Kind.String())
	}
	return err
}

// warn logs the advice on the window of a rollout, every text once.
func (e *Emulator) warn(r *rollout) {
	for _, a := range Advise(e.model.config, e.weights.Coverage(), r.plan, len(r.window.Frames)) {
		if e.warned[a.Text] {
			continue
		}
		e.warned[a.Text] = true
		e.opts.Log.Warn(a.Text, "window", label(r.window), "kind", a.Kind.String())
	}
}

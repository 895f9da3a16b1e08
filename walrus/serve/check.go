package serve

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gowalrus/gowalrus/data"
)

// boundaries reads one text for each axis.
func boundaries(list []string, axes int) (data.Boundaries, error) {
	if len(list) != axes {
		return nil, invalid("boundaries", "expected one for each axis of the grid (%d), got %d; there is no default", axes, len(list))
	}
	var out data.Boundaries
	for i, text := range list {
		b, err := data.ParseBoundaries(text)
		if err != nil || len(b) != 1 {
			return nil, invalid(fmt.Sprintf("boundaries[%d]", i), `expected "periodic", "wall", "open" or two of the last for the low and the high end, "wall/open", got %q`, text)
		}
		out = append(out, b[0])
	}
	return out, nil
}

// texts writes boundaries in the form of requests.
func texts(b data.Boundaries) []string {
	out := []string{}
	for _, x := range b {
		out = append(out, x.String())
	}
	return out
}

// checkLayout checks grid, boundaries and fields against the limits and the network.
func (s *Server) checkLayout(m *Model, w *data.Window) error {
	if len(w.Grid) < 1 || len(w.Grid) > 3 {
		return invalid("grid", "expected 1 to 3 axes, got %v", w.Grid)
	}
	points := 1
	for _, n := range w.Grid {
		if n < 1 || n > s.o.MaxPoints {
			return invalid("grid", "expected 1 to %d points along each axis, got %v", s.o.MaxPoints, w.Grid)
		}
		if points *= n; points > s.o.MaxPoints {
			return invalid("grid", "expected at most %d points, got %v", s.o.MaxPoints, w.Grid)
		}
	}
	if len(w.Fields) == 0 {
		return invalid("fields", "expected at least one, got none")
	}
	if len(w.Fields) > s.o.MaxChannels {
		return invalid("fields", "expected at most %d, got %d", s.o.MaxChannels, len(w.Fields))
	}
	if err := w.ValidateLayout(); err != nil {
		return invalid("fields", "%v", err)
	}
	channels := append(w.Channels(false), w.Channels(true)...)
	if len(channels) > s.o.MaxChannels {
		return invalid("fields", "expected at most %d channels, got %d", s.o.MaxChannels, len(channels))
	}
	if none := m.unknown(channels); none != nil {
		return invalid("fields", "the network does not know %s; it knows %s; leave out of the request a field that the forecast can do without", strings.Join(none, ", "), strings.Join(m.fields(), ", "))
	}
	return s.checkPlan(m, w)
}

// checkPlan checks that the network can divide the grid into tokens, and that these are
// not too many.
func (s *Server) checkPlan(m *Model, w *data.Window) error {
	if _, err := w.Volume().IDs(m.Config.Registry); err != nil {
		return invalid("fields", "%v", err)
	}
	plan, err := m.plan.Plan(w.Grid, w.Boundaries)
	if err != nil {
		return invalid("grid", "%v", err)
	}
	if plan.Tokens() > s.o.MaxTokens {
		return invalid("grid", "expected a grid of at most %d tokens, got %v with %d", s.o.MaxTokens, w.Grid, plan.Tokens())
	}
	return nil
}

// checkValues checks the arrays of a window.
func (s *Server) checkValues(w *data.Window) error {
	if n := len(w.Frames) * len(w.Channels(false)) * w.Points(); n > s.o.MaxValues {
		return invalid("frames", "expected a history of at most %d values, got %d", s.o.MaxValues, n)
	}
	return checkWindow(w, func(frame int) string { return fmt.Sprintf("frames[%d]", frame) })
}

// checkWindow validates a window. key names a frame in the request.
func checkWindow(w *data.Window, key func(frame int) string) error {
	err := w.Validate()
	var fault *data.WindowError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &fault):
		return invalid("frames", "%v", err)
	case fault.Frame >= 0:
		return invalid(key(fault.Frame), "%v", fault.Err)
	}
	return invalid(fault.Array, "%v", fault.Err)
}

// checkSteps checks the numbers of steps, of points per block and of members.
func (s *Server) checkSteps(m *Model, j *job, downscale int) error {
	if j.steps < 1 || j.steps > s.o.MaxSteps {
		return invalid("steps", "expected 1 to %d, got %d", s.o.MaxSteps, j.steps)
	}
	if downscale < 0 || downscale > s.o.MaxPoints {
		return invalid("downscale", "expected blocks of 1 to %d points, or 0 for none, got %d", s.o.MaxPoints, downscale)
	}
	if j.members < 0 || j.members == 1 || j.members > s.o.MaxMembers {
		return invalid("members", "expected 2 to %d members of an ensemble, or 0 for a single forecast, got %d", s.o.MaxMembers, j.members)
	}
	if _, ok := m.Forecaster.(ensembler); j.members > 0 && !ok {
		return invalid("members", "this network forecasts no ensembles: expected 0")
	}
	return nil
}

// checkAnswer checks that an answer as one object fits into memory and charges its values
// to the lease; streams have no such limit.
func (s *Server) checkAnswer(m *Model, j *job, l *lease) error {
	frames := 1
	if j.ready == nil {
		frames = 2 // truth and forecast
	}
	if j.members > 0 || m.intervals() {
		frames += 2 // the bounds
	}
	values := frames * len(j.layout.Channels(false)) * newScaler(j.layout.Grid, j.downscale).points()
	if values*j.steps > s.o.MaxValues {
		return invalid("steps", "expected an answer of at most %d values as one JSON object, got %d; ask for a stream (Accept: text/event-stream or %s), fewer steps or downscale", s.o.MaxValues, values*j.steps, mediaType)
	}
	return l.charge(4 * values * j.steps)
}

// fields returns the channels that the network knows, without those of the boundaries.
func (m *Model) fields() []string {
	names := m.Config.Registry.Names()
	return names[min(3, len(names)):]
}

package walrus

import (
	"errors"
	"fmt"
)

// ErrDiverged is the error of a rollout whose forecast has values that are not finite.
// errors.As with a [DivergedError] gives the step and the field.
var ErrDiverged = errors.New("the rollout diverged")

// DivergedError reports the step of a rollout whose forecast has values that are not
// finite.
type DivergedError struct {
	// Step counts from 1, the frame after the window.
	Step int
	// Field is the channel, "velocity_x" for instance, and Value its first value that is
	// not finite.
	Field string
	Value float32
}

// Error names field and value.
func (e *DivergedError) Error() string {
	return fmt.Sprintf("the forecast of field %s is %v: %v", e.Field, e.Value, ErrDiverged)
}

// Is reports whether target is [ErrDiverged].
func (e *DivergedError) Is(target error) bool { return target == ErrDiverged }

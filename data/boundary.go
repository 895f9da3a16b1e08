package data

import (
	"fmt"
	"strings"
)

// BC is a boundary condition at one end of one axis. The zero value, BCUnset, is not a
// boundary condition: code that needs one returns an error for it and never assumes a wall.
type BC uint8

// The boundary conditions of the release: WALL (also called closed), OPEN and PERIODIC
// (docs/reference.md §1).
const (
	BCUnset BC = iota
	Wall
	Open
	Periodic
)

// Code returns the release's number for a boundary condition: 0 for Wall, 1 for Open, 2 for
// Periodic. It returns -1 for BCUnset and for values outside the enumeration.
func (b BC) Code() int {
	if b < Wall || b > Periodic {
		return -1
	}
	return int(b) - 1
}

// BCFromCode returns the boundary condition of a code; see [BC.Code].
func BCFromCode(code int) (BC, error) {
	if code < 0 || code > 2 {
		return BCUnset, fmt.Errorf("data: boundary code: expected 0 (wall), 1 (open) or 2 (periodic), got %d", code)
	}
	return BC(code + 1), nil
}

// ParseBC parses "wall" (or "closed"), "open" or "periodic".
func ParseBC(s string) (BC, error) {
	switch s {
	case "wall", "WALL", "closed":
		return Wall, nil
	case "open", "OPEN":
		return Open, nil
	case "periodic", "PERIODIC":
		return Periodic, nil
	}
	return BCUnset, fmt.Errorf("data: boundary: expected wall, open or periodic, got %q", s)
}

// String returns the name of the boundary condition, which ParseBC parses.
func (b BC) String() string {
	switch b {
	case Wall:
		return "wall"
	case Open:
		return "open"
	case Periodic:
		return "periodic"
	}
	return "unset"
}

// Boundary holds the boundary conditions at the low and the high end of one axis.
type Boundary struct {
	Low, High BC
}

// Both returns the boundary with condition b at both ends.
func Both(b BC) Boundary { return Boundary{b, b} }

// IsPeriodic reports whether the axis wraps around.
func (b Boundary) IsPeriodic() bool { return b.Low == Periodic && b.High == Periodic }

// String returns "periodic" or, if the ends differ, "wall/open".
func (b Boundary) String() string {
	if b.Low == b.High {
		return b.Low.String()
	}
	return b.Low.String() + "/" + b.High.String()
}

// Validate returns an error if an end is unset or only one end is periodic. (The release
// decides by the low end alone whether an axis is periodic, docs/reference.md §1; here an
// axis that is periodic at one end is refused as a mistake in the input.)
func (b Boundary) Validate() error {
	for _, e := range []struct {
		side string
		bc   BC
	}{{"low", b.Low}, {"high", b.High}} {
		if e.bc.Code() < 0 {
			return fmt.Errorf("boundary of the %s end is not set: expected wall, open or periodic", e.side)
		}
	}
	if (b.Low == Periodic) != (b.High == Periodic) {
		return fmt.Errorf("boundary %s: an axis is periodic at both ends or at none", b)
	}
	return nil
}

// Boundaries holds one Boundary per spatial axis, in the order of the axes.
type Boundaries []Boundary

// Validate checks every axis of a grid with naxes axes.
func (bs Boundaries) Validate(naxes int) error {
	if len(bs) != naxes {
		return fmt.Errorf("boundaries: expected one per axis (%d), got %d; there is no default", naxes, len(bs))
	}
	for i, b := range bs {
		if err := b.Validate(); err != nil {
			return fmt.Errorf("axis %d: %w", i, err)
		}
	}
	return nil
}

// ParseBoundaries parses one boundary per axis, separated by commas. "periodic", "wall" and
// "open" apply to both ends, "wall/open" to the low and the high end. An empty string gives
// no boundaries.
func ParseBoundaries(s string) (Boundaries, error) {
	if s == "" {
		return nil, nil
	}
	var out Boundaries
	for axis, word := range strings.Split(s, ",") {
		low, high, two := strings.Cut(word, "/")
		if !two {
			high = low
		}
		var b Boundary
		var err error
		if b.Low, err = ParseBC(low); err == nil {
			b.High, err = ParseBC(high)
		}
		if err == nil {
			err = b.Validate()
		}
		if err != nil {
			return nil, fmt.Errorf("axis %d: %q: %w", axis, word, err)
		}
		out = append(out, b)
	}
	return out, nil
}

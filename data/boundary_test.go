package data

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBCCodes(t *testing.T) {
	// The release's codes (docs/reference.md §1).
	for code, bc := range []BC{Wall, Open, Periodic} {
		assert.Equal(t, code, bc.Code())
		got, err := BCFromCode(code)
		require.NoError(t, err)
		assert.Equal(t, bc, got)
	}
	assert.Equal(t, -1, BCUnset.Code())
	assert.Equal(t, -1, BC(4).Code())
	assert.Equal(t, BCUnset, BC(0), "the zero value is no boundary condition")
}

func TestBCFromCodeErrors(t *testing.T) {
	for _, code := range []int{-1, 3, 1 << 40} {
		bc, err := BCFromCode(code)
		assert.Equal(t, BCUnset, bc)
		assert.ErrorContains(t, err, "data: boundary code: expected 0 (wall), 1 (open) or 2 (periodic), got ")
	}
}

func TestParseBC(t *testing.T) {
	for text, want := range map[string]BC{
		"wall": Wall, "WALL": Wall, "closed": Wall, "open": Open, "OPEN": Open, "periodic": Periodic, "PERIODIC": Periodic,
	} {
		got, err := ParseBC(text)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	for _, bc := range []BC{Wall, Open, Periodic} {
		got, err := ParseBC(bc.String())
		require.NoError(t, err)
		assert.Equal(t, bc, got, "String and ParseBC are inverse")
	}
	for _, text := range []string{"", "unset", "Wall", "neumann", " wall"} {
		bc, err := ParseBC(text)
		assert.Equal(t, BCUnset, bc)
		assert.ErrorContains(t, err, "expected wall, open or periodic, got \""+text+"\"")
	}
	assert.Equal(t, "unset", BCUnset.String())
	assert.Equal(t, "unset", BC(9).String())
}

func TestBoundary(t *testing.T) {
	tests := []struct {
		b        Boundary
		text     string
		periodic bool
		err      string
	}{
		{Both(Periodic), "periodic", true, ""},
		{Both(Wall), "wall", false, ""},
		{Both(Open), "open", false, ""},
		{Boundary{Wall, Open}, "wall/open", false, ""},
		{Boundary{Open, Wall}, "open/wall", false, ""},
		{Boundary{Periodic, Wall}, "periodic/wall", false, "boundary periodic/wall: an axis is periodic at both ends or at none"},
		{Boundary{Open, Periodic}, "open/periodic", false, "boundary open/periodic: an axis is periodic at both ends or at none"},
		{Boundary{}, "unset", false, "boundary of the low end is not set: expected wall, open or periodic"},
		{Boundary{Low: Wall}, "wall/unset", false, "boundary of the high end is not set: expected wall, open or periodic"},
		{Boundary{Low: BC(7), High: Wall}, "unset/wall", false, "boundary of the low end is not set: expected wall, open or periodic"},
	}
	for _, tt := range tests {
		assert.Equal(t, tt.text, tt.b.String())
		assert.Equal(t, tt.periodic, tt.b.IsPeriodic(), tt.text)
		if err := tt.b.Validate(); tt.err == "" {
			assert.NoError(t, err, tt.text)
		} else {
			assert.EqualError(t, err, tt.err)
		}
	}
}

func TestBoundariesValidate(t *testing.T) {
	bs := Boundaries{Both(Periodic), {Wall, Open}}
	assert.NoError(t, bs.Validate(2))
	assert.NoError(t, Boundaries(nil).Validate(0))
	assert.EqualError(t, bs.Validate(3), "boundaries: expected one per axis (3), got 2; there is no default")
	assert.EqualError(t, Boundaries(nil).Validate(2), "boundaries: expected one per axis (2), got 0; there is no default")
	bs[1].High = BCUnset
	assert.EqualError(t, bs.Validate(2), "axis 1: boundary of the high end is not set: expected wall, open or periodic")
}

func TestParseBoundaries(t *testing.T) {
	got, err := ParseBoundaries("periodic,wall/open,open")
	assert.NoError(t, err)
	assert.Equal(t, Boundaries{Both(Periodic), {Wall, Open}, Both(Open)}, got)
	got, err = ParseBoundaries("")
	assert.NoError(t, err)
	assert.Nil(t, got)
	for text, want := range map[string]string{
		"wall,up":       `axis 1: "up": data: boundary: expected wall, open or periodic, got "up"`,
		"periodic/wall": `axis 0: "periodic/wall": boundary periodic/wall: an axis is periodic at both ends or at none`,
		"wall,":         `axis 1: "": data: boundary: expected wall, open or periodic, got ""`,
	} {
		_, err := ParseBoundaries(text)
		assert.EqualError(t, err, want)
	}
}

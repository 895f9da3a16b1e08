package data

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestFieldComponents(t *testing.T) {
	tests := []struct {
		order, dims int
		want        []string
	}{
		{0, 2, []string{"u"}},
		{0, 3, []string{"u"}},
		{1, 1, []string{"u_x"}},
		{1, 2, []string{"u_x", "u_y"}},
		{1, 3, []string{"u_x", "u_y", "u_z"}},
		{2, 1, []string{"u_xx"}},
		{2, 2, []string{"u_xx", "u_xy", "u_yx", "u_yy"}},
		{2, 3, []string{"u_xx", "u_xy", "u_xz", "u_yx", "u_yy", "u_yz", "u_zx", "u_zy", "u_zz"}},
	}
	for _, tt := range tests {
		got := Field{Name: "u", Order: tt.order}.Components(tt.dims)
		assert.Equal(t, tt.want, got, "order %d in %d dimensions", tt.order, tt.dims)
		assert.Equal(t, len(tt.want), Field{Order: tt.order}.ComponentCount(tt.dims))
	}
}

// TestFieldComponentsAreReleased: Components returns the names of the released registry.
func TestFieldComponentsAreReleased(t *testing.T) {
	r := ReleasedRegistry()
	for _, f := range []Field{{Name: "velocity", Order: 1}, {Name: "momentum", Order: 1}, {Name: "magnetic_field", Order: 1},
		{Name: "D", Order: 2}, {Name: "E", Order: 2}, {Name: "C", Order: 2}, {Name: "pressure"}} {
		indices, err := r.Indices(f.Components(3))
		assert.NoError(t, err)
		for i := range indices {
			assert.Equal(t, indices[0]+i, indices[i], "components of %s follow each other", f.Name)
		}
	}
}

func TestFieldValidate(t *testing.T) {
	for order := range 3 {
		assert.NoError(t, Field{Name: "u", Order: order, Constant: true}.Validate())
	}
	assert.EqualError(t, Field{}.Validate(), "field without a name")
	assert.EqualError(t, Field{Name: "u", Order: 3}.Validate(), `field "u": expected tensor order 0, 1 or 2, got 3`)
	assert.EqualError(t, Field{Name: "u", Order: -1}.Validate(), `field "u": expected tensor order 0, 1 or 2, got -1`)
}

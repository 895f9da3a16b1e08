package data

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestMetadataChannels: 2D data gets the components of three axes unless its coordinates
// are curvilinear.
func TestMetadataChannels(t *testing.T) {
	fields := []Field{{Name: "height"}, {Name: "velocity", Order: 1}}
	flat := Metadata{GridType: CartesianGrid, Axes: []string{"x", "y"}, Grid: []int{8, 8}, Fields: fields}
	assert.Equal(t, []string{"height", "velocity_x", "velocity_y", "velocity_z"}, flat.Channels())
	sphere := Metadata{GridType: "equiangular", Axes: []string{"theta", "phi"}, Grid: []int{8, 8}, Fields: fields}
	assert.Equal(t, []string{"height", "velocity_theta", "velocity_phi"}, sphere.Channels())
}

func TestMetadataRecipe(t *testing.T) {
	for axes, want := range map[int][2]int{1: {6, 2}, 2: {6, 2}, 3: {3, 1}} {
		m := Metadata{Grid: make([]int, axes)}
		assert.Equal(t, want, [2]int{m.History(), m.Batch()}, "%d axes", axes)
	}
}

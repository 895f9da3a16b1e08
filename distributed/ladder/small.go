package ladder

import (
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
)

// Small returns a setup that a [Trial] measures in minutes: four devices in groups of two, a
// network of one block, two 2D systems and a 3D system. Fixed patches have 16 points and
// give 8 to 72 tokens per frame; adaptive patches give 144 in 2D and 512 in 3D. A 2D
// micro-batch, with twice the history and twice the windows, then costs about as much as a
// 3D one.
func Small() Setup {
	s := Paper()
	s.Devices, s.Group, s.Micro, s.Network.Node = 4, 2, 24, 2
	s.Config = walrus.Tiny()
	s.Config.Name, s.Config.Tokens, s.Config.Kernel = "one block of width 64", [3]int{12, 12, 8}, [2]int{4, 4}
	s.Config.Hidden, s.Config.Heads, s.Config.Intermediate, s.Config.Blocks = 64, 1, 8, 1
	s.Config.Registry = data.MustRegistry("density", "velocity_x", "velocity_y", "velocity_z")
	periodic := data.Both(data.Periodic)
	s.Systems = []data.Entry{
		flow("plane of 96 x 96", periodic, 96, 96),
		flow("plane of 192 x 96", periodic, 192, 96),
		flow("volume of 32 x 32 x 32", periodic, 32, 32, 32),
	}
	return s
}

// flow returns a data set with density and velocity.
func flow(name string, boundary data.Boundary, grid ...int) data.Entry {
	e := data.Entry{Name: name, Grid: grid, Axes: []string{"x", "y", "z"}[:len(grid)],
		Fields: []data.Field{{Name: "density"}, {Name: "velocity", Order: 1}}}
	for range grid {
		e.Boundaries = append(e.Boundaries, boundary)
	}
	return e
}

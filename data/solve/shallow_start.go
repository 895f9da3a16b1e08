package solve

import (
	"math"

	"github.com/gowalrus/gowalrus/data"
)

// waterStarts names the initial states of shallow water.
var waterStarts = []string{"bump", "bumps", "dam break", "waves", "blocks"}

// waterBoundaries returns the boundaries from which runs of shallow water are drawn.
func waterBoundaries() []data.Boundaries {
	around, wall, open := data.Both(data.Periodic), data.Both(data.Wall), data.Both(data.Open)
	return []data.Boundaries{all(2, data.Wall), all(2, data.Periodic), all(2, data.Open), {around, wall}, {wall, open}, {around, open},
		{data.Boundary{Low: data.Wall, High: data.Open}, wall}}
}

// startWater starts a run of one of waterStarts, except the first.
func startWater(u Setup) (Run, error) {
	c := newCanvas(u)
	amplitude := u.Values["amplitude"]
	height := make([]float64, c.points) // of the disturbance, between about -1 and 1
	velocity := [2][]float64{make([]float64, c.points), make([]float64, c.points)}
	switch u.Start {
	case "bumps":
		height = c.bumps(c.count(1, 5), -1, 1, u.Boundaries)
	case "dam break":
		axis, at, width := c.rng.IntN(2), c.between(0.3, 0.7), c.between(0.2, 0.6)
		ripple := c.smooth(2)
		for p := range height {
			x := c.position(p)[axis]/c.length[axis] + 0.02*ripple[p]
			if dry := x > at; dry != (u.Boundaries[axis].IsPeriodic() && x > at+width) {
				height[p] = -1
			}
		}
	case "waves":
		waves := c.between(0.7, 3)
		for p, v := range c.smooth(waves) {
			height[p] = math.Tanh(v / 2)
		}
		speed := amplitude * c.between(0, 1)
		for a := range velocity {
			for p, v := range c.smooth(waves) {
				velocity[a][p] = speed * math.Tanh(v/2)
			}
		}
	case "blocks":
		index, n := c.blocks(1, 4)
		levels := make([]float64, n+1)
		for i := range levels {
			levels[i] = c.between(-1, 1)
		}
		for p, i := range index {
			height[p] = levels[i]
			if n == 1 && c.position(p)[0] > c.length[0]/2 {
				height[p] = levels[1]
			}
		}
	}
	depth := math.Exp(c.between(-0.7, 0.7))
	fv := newFiniteVolume(water{}, u.Grid, c.length, u.Boundaries)
	for p, v := range height {
		// The depth stays positive for every amplitude.
		fv.set(p, []float64{depth * math.Max(1+amplitude*v, 0.05), velocity[0][p], velocity[1][p]})
	}
	return waterRun{fv}, nil
}

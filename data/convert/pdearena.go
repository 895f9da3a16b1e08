package convert

import (
	"fmt"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/internal/hdf5"
)

// openPDEArena opens a file with one group named like its split: u, vx, vy [n, t, x, y],
// and for each trajectory t, x, y and the buoyancy buo_y.
func openPDEArena(path string) (*source, error) {
	return open(path, func(f *hdf5.File, s *source) error {
		groups, err := f.Children("/")
		if err != nil {
			return err
		}
		if len(groups) != 1 {
			return fmt.Errorf("expected one group named like the split, got %v", groups)
		}
		g := "/" + groups[0] + "/"
		var from []channel
		for _, name := range []string{"u", "vx", "vy"} {
			a, err := openArray(f, g+name, "ntxy")
			if err != nil {
				return err
			}
			from = append(from, channel{a, 0})
		}
		if s.frame, err = channels(from); err != nil {
			return err
		}
		a, h := from[0].from, &s.header
		h.Fields = []data.Field{{Name: "tracer"}, {Name: "velocity", Order: 1}}
		h.Trajectories, h.Boundaries = a.size('n'), every(2, data.Wall)
		if h.Times, err = sharedRow(f, g+"t", h.Trajectories, a.size('t')); err != nil {
			return err
		}
		for _, axis := range "xy" {
			x, err := sharedRow(f, g+string(axis), h.Trajectories, a.size(axis))
			if err != nil {
				return err
			}
			h.Coordinates = append(h.Coordinates, x)
		}
		buoyancy, err := coordinate(f, g+"buo_y", h.Trajectories)
		if err != nil {
			return err
		}
		h.Scalars = []well.ScalarSpec{{Name: "buo_y", Constant: true}}
		s.scalars = map[string][]float32{"buo_y": buoyancy}
		s.note("dt, dx and dy are left out: times and coordinates say the same")
		return nil
	})
}

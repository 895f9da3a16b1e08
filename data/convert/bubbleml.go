package convert

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/internal/hdf5"
)

// openBubbleML opens a pool boiling simulation: arrays [t, y, x] and a JSON file of the
// same name with the parameters of the simulation.
func openBubbleML(path string) (*source, error) {
	beside := strings.TrimSuffix(path, ".hdf5") + ".json"
	parameters, err := readNumbers(beside)
	if err != nil {
		return nil, err
	}
	return open(path, func(f *hdf5.File, s *source) error {
		var from []channel
		for _, name := range []string{"temperature", "pressure", "dfun", "massflux", "velx", "vely", "normx", "normy"} {
			a, err := openArray(f, "/"+name, "tyx")
			if err != nil {
				return err
			}
			from = append(from, channel{a, 0})
		}
		var err error
		if s.frame, err = channels(from); err != nil {
			return err
		}
		a, h := from[0].from, &s.header
		h.Fields = []data.Field{{Name: "temperature"}, {Name: "pressure"}, {Name: "signed_distance"}, {Name: "massflux"},
			{Name: "velocity", Order: 1}, {Name: "interface_normal", Order: 1}}
		h.Trajectories = 1
		h.Boundaries = data.Boundaries{data.Both(data.Wall), {Low: data.Wall, High: data.Open}}
		for _, axis := range "xy" {
			x, err := coordinate(f, fmt.Sprintf("/%c_centers", axis), a.size(axis))
			if err != nil {
				return err
			}
			h.Coordinates = append(h.Coordinates, x)
		}
		end, ok := parameters["t_final"]
		if !ok || !(end > 0) || a.size('t') < 2 {
			return fmt.Errorf("%s: expected a positive t_final and at least two frames, got %v and %d", beside, end, a.size('t'))
		}
		for i := range a.size('t') {
			h.Times = append(h.Times, float32(end*float64(i)/float64(a.size('t')-1)))
		}
		for _, name := range slices.Sorted(maps.Keys(parameters)) {
			h.Parameters = append(h.Parameters, well.Parameter{Name: name, Value: parameters[name]})
		}
		s.note("frames are taken to be evenly spaced from 0 to t_final; dfun is called signed_distance, normx and normy interface_normal")
		s.note("x_faces and y_faces are left out: they lie between the centres")
		return nil
	})
}

// readNumbers returns the numbers in a JSON file.
func readNumbers(path string) (map[string]float64, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var tree map[string]any
	if err := json.Unmarshal(raw, &tree); err != nil {
		return nil, fmt.Errorf("%s: expected a JSON object: %w", path, err)
	}
	out := map[string]float64{}
	flatten(out, "", tree)
	return out, nil
}

package mapping

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// axisWords lists the names by which files call axes and coordinates.
var axisWords = map[string][]string{
	"x":            {"x", "xc", "xs", "lon", "longitude", "x-coordinate", "x_coordinate", "x_coord", "x_centers", "x_c", "grid_x", "xgrid", "nx", "dim_x"},
	"y":            {"y", "yc", "ys", "lat", "latitude", "y-coordinate", "y_coordinate", "y_coord", "y_centers", "y_c", "grid_y", "ygrid", "ny", "dim_y"},
	"z":            {"z", "zc", "zs", "lev", "level", "depth", "altitude", "z-coordinate", "z_coordinate", "z_coord", "z_centers", "z_c", "grid_z", "zgrid", "nz", "dim_z"},
	timeName:       {"t", "time", "times", "t-coordinate", "t_coordinate", "timestep", "timesteps", "step", "steps", "nt", "tc"},
	trajectoryName: {"trajectory", "traj", "run", "sample", "samples", "batch", "member", "ensemble", "realization", "simulation", "sim", "n", "case", "number"},
	component:      {"component", "components", "comp", "channel", "channels", "c", "variable", "vector"},
}

// axisOf returns the meaning of a name that a file gives to an axis or a coordinate.
func axisOf(name string) string {
	lower := strings.ToLower(path.Base(name))
	for _, axis := range []string{"x", "y", "z", timeName, trajectoryName, component} {
		if slices.Contains(axisWords[axis], lower) {
			return axis
		}
	}
	return ""
}

// vectors maps the base of components to the name of the vector.
var vectors = map[string]string{
	"u": "velocity", "v": "velocity", "vel": "velocity", "velocity": "velocity",
	"b": "magnetic_field", "mag": "magnetic_field", "magnetic_field": "magnetic_field",
	"m": "momentum", "mom": "momentum", "momentum": "momentum", "f": "force",
}

// scalars maps the names of arrays to those of fields that the released weights know.
var scalars = map[string]string{
	"rho": "density", "dens": "density", "density": "density", "p": "pressure", "pres": "pressure", "press": "pressure",
	"prs": "pressure", "temp": "temperature", "tmp": "temperature", "theta": "temperature", "solid": "mask",
	"obstacle": "mask", "obst": "mask", "mask": "mask", "ener": "energy", "eint": "internal_energy", "h": "height",
}

// fieldName returns the name of the field that an array of a name is likely to be.
func fieldName(name string) string {
	base := path.Base(name)
	if base == "T" {
		return "temperature"
	}
	if n, ok := scalars[strings.ToLower(base)]; ok {
		return n
	}
	return sanitize(base)
}

var notName = regexp.MustCompile(`[^A-Za-z0-9_]+`)

// sanitize returns a name of letters, digits and underscores.
func sanitize(s string) string {
	if s = strings.Trim(notName.ReplaceAllString(s, "_"), "_"); s == "" {
		return "field"
	}
	return s
}

// vectorName returns the name of a vector with a base such as "vel".
func vectorName(base string) string {
	if n, ok := vectors[strings.ToLower(strings.Trim(base, "_-."))]; ok {
		return n
	}
	if base = sanitize(base); base == "field" {
		return "vector"
	}
	return base
}

var (
	suffixed = regexp.MustCompile(`^(.*?)[_\-.]?([xyzXYZ])$`)
	prefixed = regexp.MustCompile(`^([xyzXYZ])[_\-.](.+)$`)
)

// componentOf returns base and axis of the name of a component: velocity_x, Vx, x_velocity.
func componentOf(name string) (base, axis string, ok bool) {
	dir, last := path.Split(name)
	if m := prefixed.FindStringSubmatch(last); m != nil {
		return dir + m[2], strings.ToLower(m[1]), true
	}
	if m := suffixed.FindStringSubmatch(last); m != nil && m[1] != "" {
		return dir + m[1], strings.ToLower(m[2]), true
	}
	return "", "", false
}

// uvw are the components that need no letter of an axis.
var uvw = map[string]string{"u": "x", "v": "y", "w": "z"}

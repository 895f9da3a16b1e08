package mapping

import (
	"cmp"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Guess looks into a file, or into the files of a folder, and returns a mapping to be
// edited: YAML with comments that list what the files hold and mark every guess with CHECK.
// Paths in it are relative to dir, the folder in which the mapping will lie. Boundaries
// follow from no file: the mapping has TODO in their place and does not open before they
// are filled in.
func Guess(path, dir string) ([]byte, error) {
	root, c, err := search(path)
	if err != nil {
		return nil, fmt.Errorf("mapping: guess: %w", err)
	}
	g := &guess{path: path, root: root, candidates: c}
	if err := g.look(); err != nil {
		return nil, fmt.Errorf("mapping: guess: %w", err)
	}
	g.nameFiles()
	g.arrange()
	if g.pattern, err = relative(root, g.pattern, dir); err != nil {
		return nil, fmt.Errorf("mapping: guess: %w", err)
	}
	// The first lines say whether the mapping opens once the boundaries are filled in.
	if m, err := Parse(g.write("open", ""), dir); err != nil {
		g.fault = err
	} else if d, err := m.Open(Options{}); err != nil {
		g.fault = err
	} else {
		g.trajectories, g.frames = len(d.trajectories), d.trajectories[0].Steps
		g.fault = d.Close()
	}
	return g.write("TODO", g.status()), nil
}

// relative returns a pattern relative to dir, or an absolute one.
func relative(root, pattern, dir string) (string, error) {
	base, err := filepath.Abs(root)
	if err != nil {
		return "", err
	}
	from, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	rel, err := filepath.Rel(from, base)
	if err != nil || strings.Count(rel, "..") > 3 {
		rel = base
	}
	return path.Join(filepath.ToSlash(rel), pattern), nil
}

// guess is a mapping being made.
type guess struct {
	path, root string
	candidates
	format     string
	arrays     []info
	left       []string
	attributes []string
	unset      []string
	raw        int64 // bytes of a file of an unknown format
	// rawText describes such a file.
	rawText string
	// axes holds the axes of each array that is a field, by its name.
	axes map[string][]string
	main []string
	// components holds the number, from 1, of the axis of components that a comparison with
	// other arrays showed.
	components map[string]int
	// lengths holds the lengths of the axes of the main fields.
	lengths map[string]int
	dims    []string // the axes of the grid
	// lines of the mapping
	coordinates, fields, parameters []string
	times                           string

	trajectories, frames int
	fault                error
}

// nameFiles decides whether a number in the names counts steps or trajectories: files whose
// arrays have a time axis are trajectories.
func (g *guess) nameFiles() {
	if !strings.Contains(g.pattern, "{"+unknownNumber+"}") {
		return
	}
	name := trajectoryName
	if !g.hasTime() {
		name = timeName
	}
	g.notes = append(g.notes, fmt.Sprintf("the number in the file names is taken to count the %s; the other choice is {%s}",
		map[string]string{timeName: "steps of one simulation", trajectoryName: "trajectories"}[name], map[string]string{timeName: trajectoryName, trajectoryName: timeName}[name]))
	g.pattern = strings.Replace(g.pattern, "{"+unknownNumber+"}", "{"+name+"}", 1)
}

// hasTime reports whether the arrays have a time axis: by its name, by an
// array of times, or because they have more axes than a grid of two axes and components.
func (g *guess) hasTime() bool {
	rank := 0
	for _, a := range g.arrays {
		for _, d := range a.dims {
			if axisOf(d) == timeName {
				return true
			}
		}
		if axisOf(a.name) == timeName && len(a.shape) == 1 && a.shape[0] > 1 {
			return true
		}
		n := len(a.shape)
		if n > 0 && (a.shape[n-1] <= 3 || a.shape[0] <= 3) {
			n-- // components, or one trajectory
		}
		rank = max(rank, n)
	}
	return rank > 2
}

// singleArray is the name of the array of a file without names.
const singleArray = "array"

// arrange assigns a role to every array.
func (g *guess) arrange() {
	g.axes, g.components = map[string][]string{}, map[string]int{}
	g.setDims()
	var fields []info
	for _, a := range g.arrays {
		if axis := axisOf(a.name); len(a.shape) == 1 && axis != "" && axis != trajectoryName && axis != component {
			g.addCoordinate(axis, a)
			continue
		}
		if len(a.shape) >= 2 || g.raw > 0 || len(a.shape) == 1 && len(g.dims) == 1 && g.stepsInFiles() {
			fields = append(fields, a)
		}
	}
	for _, a := range fields {
		g.axes[a.name] = g.guessAxes(a)
	}
	g.setMain(fields)
	// Again with the lengths of the axes of the main fields, so that [y, x] and [x, y] differ.
	for _, a := range fields {
		g.axes[a.name] = g.guessAxes(a)
	}
	g.compareOrder()
	g.addFields(fields)
	g.addParameters(fields)
}

// stepsInFiles reports whether files or groups hold one step each.
func (g *guess) stepsInFiles() bool { return g.marked(timeName) }

// marked reports whether the pattern or an array has a name in braces.
func (g *guess) marked(name string) bool {
	mark := "{" + name + "}"
	return strings.Contains(g.pattern, mark) || slices.ContainsFunc(g.arrays, func(a info) bool { return strings.Contains(a.name, mark) })
}

// perTrajectory reports whether files or groups hold one trajectory each.
func (g *guess) perTrajectory() bool { return g.marked(trajectoryName) }

// setDims guesses the number of axes of the grid: by the names of axes and coordinates, or
// by the largest rank.
func (g *guess) setDims() {
	found := map[string]bool{}
	rank := 0
	for _, a := range g.arrays {
		for _, d := range a.dims {
			found[axisOf(d)] = true
		}
		if len(a.shape) == 1 {
			found[axisOf(a.name)] = true
		}
		rank = max(rank, len(a.shape))
	}
	n := 0
	for i, axis := range cartesian {
		if found[axis] {
			n = i + 1
		}
	}
	if d := g.findVectors(); n == 0 {
		n = d
	}
	if n == 0 {
		n = min(max(rank, 1), 2)
		if rank == 2 && !g.stepsInFiles() {
			n = 1 // [time, x]
		}
		if g.stepsInFiles() && rank == 3 {
			n = 3
		}
		if rank > 5 {
			n = 3
		}
	}
	g.dims = cartesian[:n]
}

// findVectors finds arrays that have one axis of length 2 or 3 more than others, and returns
// this length, 0 if there are none.
func (g *guess) findVectors() (dims int) {
	for _, a := range g.arrays {
		for i, n := range a.shape {
			rest := slices.Delete(slices.Clone(a.shape), i, i+1)
			same := func(b info) bool { return len(rest) >= n && slices.Equal(b.shape, rest) }
			if (n == 2 || n == 3) && g.components[a.name] == 0 && slices.ContainsFunc(g.arrays, same) {
				g.components[a.name] = i + 1
				dims = n
			}
		}
	}
	return dims
}

func (g *guess) addCoordinate(axis string, a info) {
	if slices.Contains(g.unset, a.name) {
		return
	}
	if axis == timeName {
		g.times = cmp.Or(g.times, quote(a.name))
		return
	}
	known := slices.ContainsFunc(g.coordinates, func(s string) bool { return strings.HasPrefix(s, axis+": ") })
	if slices.Contains(g.dims, axis) && !known {
		g.coordinates = append(g.coordinates, fmt.Sprintf("%s: %s", axis, quote(a.name)))
	}
}

// setMain chooses the axes that most fields of the largest rank have.
func (g *guess) setMain(fields []info) {
	count := map[string]int{}
	best := -1
	for _, a := range fields {
		axes := g.axes[a.name]
		if slices.Contains(axes, component) {
			continue
		}
		key := strings.Join(axes, ", ")
		count[key]++
		if score := 1000*len(axes) + count[key]; score > best {
			best = score
			g.setLengths(a)
		}
	}
	if g.main == nil && len(fields) > 0 {
		g.setLengths(fields[0])
	}
}

// setLengths sets main and lengths to the axes of an array.
func (g *guess) setLengths(a info) {
	g.main, g.lengths = g.axes[a.name], map[string]int{}
	for i, axis := range g.main {
		if i < len(a.shape) {
			g.lengths[axis] = a.shape[i]
		}
	}
}

// compareOrder notes axes of the grid whose order only the user knows.
func (g *guess) compareOrder() {
	for i, a := range g.dims {
		for _, b := range g.dims[i+1:] {
			if n := g.lengths[a]; n > 1 && n == g.lengths[b] {
				g.notes = append(g.notes, fmt.Sprintf("the axes %s and %s have the same length %d: compare their order", a, b, n))
			}
		}
	}
}

// fits reports whether an array has the grid of the main fields.
func (g *guess) fits(a info) bool {
	for i, axis := range g.axes[a.name] {
		if n := g.lengths[axis]; n > 0 && (axis == timeName || slices.Contains(g.dims, axis)) && n != a.shape[i] {
			return false
		}
	}
	return true
}

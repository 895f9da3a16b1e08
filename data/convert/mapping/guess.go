package mapping

import (
	"cmp"
	"errors"
	"fmt"
	"os"
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

// look reads the arrays of the first file, or of the first file of each array.
func (g *guess) look() error {
	files := g.files[:1]
	if g.candidates.arrays != nil {
		files = nil
		step := len(g.files) / len(g.candidates.arrays)
		for i := range g.candidates.arrays {
			files = append(files, g.files[i*step])
		}
	}
	for i, name := range files {
		full := filepath.Join(g.root, filepath.FromSlash(name))
		f, err := openFile(full, nil)
		if errors.Is(err, errFormat) {
			if err := g.lookRaw(full); err != nil {
				return err
			}
			g.format = "raw binary"
			g.arrays = []info{{name: singleArray}}
			return nil
		}
		if err != nil {
			return err
		}
		list, left, err := f.list()
		if err == nil {
			g.format, g.attributes, g.unset = f.format(), f.numbers(), unset(f, list)
		}
		if closed := f.Close(); err == nil {
			err = closed
		}
		if err != nil {
			return err
		}
		for _, a := range list {
			if g.candidates.arrays != nil {
				a.name = g.candidates.arrays[i]
			}
			g.arrays = append(g.arrays, a)
			if axis := axisOf(a.name); axis != "" && len(a.shape) == 1 && a.shape[0] > 1 && slices.Contains(g.unset, a.name) {
				g.notes = append(g.notes, fmt.Sprintf("%s has no values that increase and is left out", a.name))
			}
		}
		g.left = append(g.left, left...)
	}
	if len(g.arrays) == 0 {
		return fmt.Errorf("%s: %w", g.files[0], errNothing)
	}
	if g.candidates.arrays == nil {
		g.arrays = g.merge(g.arrays)
	}
	return nil
}

// unset returns the names of lists whose first two numbers are equal: coordinates that a
// file reserves but does not have.
func unset(f file, list []info) (out []string) {
	for _, a := range list {
		if len(a.shape) != 1 || a.shape[0] < 2 {
			continue
		}
		var v [2]float64
		if d, err := f.dataset(a.name); err == nil && d.Float64(v[:], []int{0}, []int{2}) == nil && v[0] == v[1] {
			out = append(out, a.name)
		}
	}
	return out
}

// lookRaw looks at a file without a header: records of Fortran say their length.
func (g *guess) lookRaw(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	stat, err := f.Stat()
	if err != nil {
		return err
	}
	g.raw = stat.Size()
	g.rawText = fmt.Sprintf("{type: float32, shape: [%d]}   # CHECK: the type (float64, int16 big-endian, …), the length of each axis, slowest first, and offset: bytes of a header", g.raw/4)
	records, bytes, markers, order := findRecords(f, g.raw)
	if markers > 0 {
		g.rawText = fmt.Sprintf("{type: float32%s, shape: [%d, %d], markers: %d}   # CHECK: Fortran records, here %d of %d bytes: the type, and the length of each axis, slowest first (order: F for the order of Fortran)",
			order, records, bytes/4, markers, records, bytes)
	}
	return nil
}

// merge replaces arrays whose groups differ in a number alone, or whose names are numbers,
// by one array: "{trajectory}/rho", "step_{time}/rho", "rho/{time}".
func (g *guess) merge(arrays []info) (out []info) {
	count := map[string]int{}
	name := func(a info) string {
		dir, base := path.Split(a.name)
		numbers := numberToken.FindAllStringIndex(dir, -1)
		switch {
		case dir != "" && numberToken.FindString(base) == base:
			return dir + "{" + timeName + "}"
		case len(numbers) != 1:
			return a.name
		}
		from, to := numbers[0][0], numbers[0][1]
		mark := trajectoryName
		if slices.Contains(stepWords, strings.ToLower(wordBefore(dir[:from]))) {
			mark = timeName
		}
		return dir[:from] + "{" + mark + "}" + dir[to:] + base
	}
	for _, a := range arrays {
		count[name(a)]++
	}
	for _, a := range arrays {
		n := name(a)
		if count[n] < 2 {
			out = append(out, a)
		} else if !slices.ContainsFunc(out, func(o info) bool { return o.name == n }) {
			g.notes = append(g.notes, fmt.Sprintf("%d arrays such as %s are taken as one per %s", count[n], a.name, map[bool]string{true: "step", false: "trajectory"}[strings.Contains(n, "{"+timeName+"}")]))
			a.name = n
			out = append(out, a)
		}
	}
	return out
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

// guessAxes names the axes of an array: by the names in the file, else by the lengths of
// coordinates, and the rest in the order trajectory, time, z, y, x from the right.
func (g *guess) guessAxes(a info) []string {
	out := make([]string, len(a.shape))
	used := map[string]bool{}
	take := func(i int, axis string) {
		if axis != "" && !used[axis] && out[i] == "" && (slices.Contains(g.dims, axis) || slices.Contains(reserved, axis)) {
			out[i], used[axis] = axis, true
		}
	}
	if len(a.dims) == len(a.shape) {
		for i, d := range a.dims {
			take(i, axisOf(d))
		}
	}
	if i := g.components[a.name]; i > 0 && a.shape[i-1] == len(g.dims) {
		take(i-1, component)
	}
	g.matchLengths(a, take)
	g.guessChannels(a, out, used, take)
	missing := g.missing(used)
	for i := len(out) - 1; i >= 0; i-- {
		if out[i] != "" {
			continue
		}
		if len(missing) > 0 {
			take(i, missing[len(missing)-1])
			missing = missing[:len(missing)-1]
		}
		if out[i] == "" {
			out[i] = fmt.Sprintf("axis%d", i)
		}
	}
	for i, axis := range out {
		if axis == component && (a.shape[i] != len(g.dims) || len(g.dims) < 2) {
			out[i] = channel
		}
	}
	return out
}

// channel is an axis whose entries are separate fields.
const channel = "channel"

// guessChannels finds an axis of components or channels: as long as the grid has axes, at
// the end or before the grid, or much shorter than the axes of the grid at the end.
func (g *guess) guessChannels(a info, out []string, used map[string]bool, take func(int, string)) {
	free, n := 0, len(a.shape)
	for _, axis := range out {
		if axis == "" {
			free++
		}
	}
	if free <= g.needed(used) || n <= len(g.dims) || used[component] {
		return
	}
	if last := n - 1; out[last] == "" && (a.shape[last] == len(g.dims) && len(g.dims) > 1 || a.shape[last] <= 6 && a.shape[last-1] >= 4*a.shape[last]) {
		take(last, component)
		return
	}
	if i := n - 1 - len(g.dims); out[i] == "" && a.shape[i] == len(g.dims) && len(g.dims) > 1 {
		take(i, component)
	}
}

// missing lists the axes that are not used yet, slowest first.
func (g *guess) missing(used map[string]bool) (out []string) {
	names := []string{trajectoryName, timeName}
	if g.stepsInFiles() {
		names = names[:1]
	}
	if g.perTrajectory() {
		names = names[1:]
	}
	for _, axis := range slices.Backward(g.dims) {
		names = append(names, axis)
	}
	for _, axis := range names {
		if !used[axis] {
			out = append(out, axis)
		}
	}
	return out
}

// needed counts the axes of time and grid that are not used yet.
func (g *guess) needed(used map[string]bool) int {
	n := 0
	for _, axis := range g.missing(used) {
		if axis != trajectoryName {
			n++
		}
	}
	return n
}

// matchLengths assigns axes whose length only one list of coordinates or times has.
func (g *guess) matchLengths(a info, take func(int, string)) {
	lengths := map[int][]string{}
	for _, c := range g.arrays {
		if axis := axisOf(c.name); len(c.shape) == 1 && axis != "" && axis != trajectoryName && axis != component {
			lengths[c.shape[0]] = append(lengths[c.shape[0]], axis)
		}
	}
	for _, axis := range append([]string{timeName}, g.dims...) {
		if n := g.lengths[axis]; n > 0 && !slices.Contains(lengths[n], axis) {
			lengths[n] = append(lengths[n], axis)
		}
	}
	for i, n := range a.shape {
		count := 0
		for _, m := range a.shape {
			if m == n {
				count++
			}
		}
		if axes := lengths[n]; len(axes) == 1 && count == 1 {
			take(i, axes[0])
		}
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

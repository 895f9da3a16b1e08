package mapping

import (
	"fmt"
	"slices"
)

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

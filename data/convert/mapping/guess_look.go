package mapping

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

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

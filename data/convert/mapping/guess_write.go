package mapping

import (
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

var plainWord = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_./ -]*[A-Za-z0-9_]$|^[A-Za-z]$`)

// quote quotes a text where YAML or a mapping needs it.
func quote(s string) string {
	switch s {
	case "null", "true", "false", "Null", "True", "False", "NULL", "TRUE", "FALSE":
		return `"` + s + `"`
	}
	if plainWord.MatchString(s) {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// addFields writes the lines of the fields: vectors whose components are all there, arrays
// with an axis of components, channels of other axes, and scalars.
func (g *guess) addFields(fields []info) {
	used := map[string]bool{}
	names := map[string]bool{}
	name := func(s string) string {
		base := s
		for i := 2; names[s]; i++ {
			s = fmt.Sprintf("%s_%d", base, i)
		}
		names[s] = true
		return s
	}
	for _, a := range fields {
		if used[a.name] || g.raw > 0 {
			continue
		}
		if !g.fits(a) {
			g.fields = append(g.fields, fmt.Sprintf("# %s: %s   # has another grid or other steps: %v", fieldName(a.name), quote(a.name), a.shape))
			continue
		}
		if base, parts := g.vector(a, fields); parts != nil {
			line := make([]string, len(parts))
			for i, p := range parts {
				used[p.name] = true
				line[i] = g.dims[i] + ": " + quote(p.name)
			}
			if axes := g.own(a); axes != "" {
				line = append(line, axes)
			}
			g.fields = append(g.fields, fmt.Sprintf("%s: {%s}%s", name(vectorName(base)), strings.Join(line, ", "), unitsOf(a)))
			continue
		}
		g.addArray(a, name)
	}
	if g.raw > 0 {
		g.fields = append(g.fields, fmt.Sprintf("field: %s   # CHECK: its name; files of one array each can be called {array} in files", singleArray))
	}
}

// addArray writes the line of one array.
func (g *guess) addArray(a info, name func(string) string) {
	axes := g.axes[a.name]
	at := slices.IndexFunc(axes, func(axis string) bool { return strings.HasPrefix(axis, "axis") || axis == channel || axis == component })
	parts := func(name string, more ...string) string {
		list := append([]string{"array: " + quote(name)}, more...)
		if axes := g.own(a); axes != "" {
			list = append(list, axes)
		}
		if len(list) == 1 {
			return quote(name)
		}
		return "{" + strings.Join(list, ", ") + "}"
	}
	switch {
	case at < 0:
		g.fields = append(g.fields, fmt.Sprintf("%s: %s%s", name(fieldName(a.name)), parts(a.name), unitsOf(a)))
	case axes[at] == component:
		order := fmt.Sprintf("components: %q", strings.Join(g.dims, ", "))
		g.fields = append(g.fields, fmt.Sprintf("%s: %s   # CHECK: the order of the components%s", name(vectorName(path.Base(a.name))), parts(a.name, order), comma(unitsOf(a))))
	default:
		for i := range min(a.shape[at], 8) {
			g.fields = append(g.fields, fmt.Sprintf("%s: %s   # CHECK: the name of entry %d of %s%s",
				name(fmt.Sprintf("%s_%d", fieldName(a.name), i)), parts(fmt.Sprintf("%s[%s=%d]", a.name, axes[at], i)), i, axes[at], comma(unitsOf(a))))
		}
	}
}

// own returns "axes: …" for an array whose axes are not those of the mapping.
func (g *guess) own(a info) string {
	if axes := g.axes[a.name]; !slices.Equal(axes, g.main) {
		return fmt.Sprintf("axes: %q", strings.Join(axes, ", "))
	}
	return ""
}

func unitsOf(a info) string {
	if u, ok := a.attributes["units"].(string); ok && u != "" {
		return "   # units: " + oneLine(u)
	}
	return ""
}

func comma(s string) string { return strings.Replace(s, "   # ", ", ", 1) }

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// vector returns the components of the vector that an array belongs to, in the order of the
// axes of the grid, nil if one is missing.
func (g *guess) vector(a info, fields []info) (base string, parts []info) {
	if len(g.dims) < 2 || slices.Contains(g.axes[a.name], component) {
		return "", nil
	}
	dir, last := a.name[:strings.LastIndexByte(a.name, '/')+1], a.name[strings.LastIndexByte(a.name, '/')+1:]
	if _, ok := uvw[strings.ToLower(last)]; ok {
		upper := last == strings.ToUpper(last)
		for _, letter := range []string{"u", "v", "w"}[:len(g.dims)] {
			if upper {
				letter = strings.ToUpper(letter)
			}
			parts = g.addPart(parts, a, dir+letter, fields)
		}
		base = "u"
	} else if b, _, ok := componentOf(a.name); ok {
		base = b[strings.LastIndexByte(b, '/')+1:]
		for _, axis := range g.dims {
			for _, other := range fields {
				if b2, axis2, ok := componentOf(other.name); ok && b2 == b && axis2 == axis {
					parts = g.addPart(parts, a, other.name, fields)
				}
			}
		}
	}
	if len(parts) != len(g.dims) {
		return "", nil
	}
	return base, parts
}

// addPart adds the array of a name if it has the axes of a.
func (g *guess) addPart(parts []info, a info, name string, fields []info) []info {
	for _, f := range fields {
		if f.name == name && slices.Equal(g.axes[f.name], g.axes[a.name]) && slices.Equal(f.shape, a.shape) {
			return append(parts, f)
		}
	}
	return parts
}

// addParameters writes the lines of scalars, of numbers in the file names, and of numeric
// attributes.
func (g *guess) addParameters(fields []info) {
	trajectories := 0
	for _, a := range fields {
		if i := slices.Index(g.axes[a.name], trajectoryName); i >= 0 {
			trajectories = a.shape[i]
		}
	}
	for _, a := range g.arrays {
		one := len(a.shape) == 0 || len(a.shape) == 1 && (a.shape[0] == 1 || a.shape[0] == trajectories && trajectories > 0)
		if !one || axisOf(a.name) != "" || g.axes[a.name] != nil {
			continue
		}
		value := quote(a.name)
		if len(a.shape) == 1 && a.shape[0] == 1 && trajectories != 1 {
			value = fmt.Sprintf(`{array: %s, axes: "_"}`, value)
		}
		g.parameters = append(g.parameters, fmt.Sprintf("%s: %s", sanitize(a.name), value))
	}
	for _, n := range patternNames(g.pattern) {
		if !slices.Contains([]string{timeName, trajectoryName, arrayName, splitName}, n) {
			g.parameters = append(g.parameters, fmt.Sprintf(`%s: "{%s}"`, n, n))
		}
	}
	for _, n := range g.attributes {
		if g.times == "" && g.stepsInFiles() && axisOf(n) == timeName {
			g.times = quoteAlways("@" + n)
			continue
		}
		if n != "_NCProperties" {
			g.parameters = append(g.parameters, fmt.Sprintf("%s: %s", sanitize(n), quoteAlways("@"+n)))
		}
	}
}

func quoteAlways(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// status describes whether the mapping opens.
func (g *guess) status() string {
	if g.fault != nil {
		return "This mapping does not open yet, besides the boundaries: " + oneLine(g.fault.Error())
	}
	return fmt.Sprintf("With the boundaries filled in, it reads: trajectories %d, steps of the first %d.", g.trajectories, g.frames)
}

// write returns the text of the mapping with one boundary for all axes.
func (g *guess) write(boundary, status string) []byte {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# A guess from %s. Fill in what is TODO and compare what is marked CHECK with", filepath.ToSlash(g.path))
	line("# the documentation of your data. The lines are explained in the package comment of data/convert/mapping.")
	if status != "" {
		line("# %s", status)
	}
	line("#")
	line("# %s has these arrays (%s):", oneLine(g.files[0]), g.format)
	for i, a := range g.arrays {
		if i == 100 {
			line("#   and %d more", len(g.arrays)-i)
			break
		}
		extra := ""
		if len(a.dims) > 0 {
			extra += " (" + strings.Join(a.dims, ", ") + ")"
		}
		if s, ok := a.attributes["long_name"].(string); ok {
			extra += " " + oneLine(s)
		}
		if g.raw > 0 {
			line("#   %d bytes without a header of a known format", g.raw)
			continue
		}
		line("#   %s: %s %v%s%s", oneLine(a.name), a.typ, a.shape, extra, strings.Replace(unitsOf(a), "   # ", " in ", 1))
	}
	for _, l := range g.left {
		line("#   left out: %s", oneLine(l))
	}
	if g.other > 0 {
		line("# The folder has %d other files.", g.other)
	}
	for _, n := range g.notes {
		line("# CHECK: %s", oneLine(n))
	}
	line("name: %s", strings.ToLower(sanitize(strings.TrimSuffix(filepath.Base(absolute(g.path)), filepath.Ext(g.path)))))
	line("files: %s", quoteAlways(g.pattern))
	if g.raw > 0 {
		line("raw: %s", g.rawText)
		if g.main, g.dims = []string{"x"}, []string{"x"}; strings.Contains(g.rawText, "markers") {
			g.main = []string{"record", "x"}
		}
	}
	line("axes: %s   # CHECK: of every array that states none, slowest first", strings.Join(g.main, ", "))
	line("fields:")
	for _, f := range g.fields {
		line("  %s", f)
	}
	g.block(line, "coordinates", g.coordinates, fmt.Sprintf("{%s: {from: 0, to: 1}}   # the files have none: points are counted from 0", strings.Join(g.dims, ": {from: 0, to: 1}, ")))
	if g.times != "" {
		line("times: %s", g.times)
	} else {
		line("# times: {from: 0, step: 0.1}   # the files have none: steps are counted from 0")
	}
	bounds := make([]string, len(g.dims))
	for i, axis := range g.dims {
		bounds[i] = axis + ": " + boundary
	}
	line("boundaries: {%s}   # periodic, wall, open, or the low and the high end: wall/open", strings.Join(bounds, ", "))
	g.block(line, "parameters", g.parameters, "{viscosity: 0.01}")
	if !strings.Contains(g.pattern, "{"+splitName+"}") {
		line("split: {train: 0.8, valid: 0.1, test: 0.1, seed: 0}")
	}
	return []byte(b.String())
}

// block writes a key with its entries on one line, or a comment that shows how.
func (g *guess) block(line func(string, ...any), key string, entries []string, example string) {
	if len(entries) > 0 {
		line("%s: {%s}", key, strings.Join(entries, ", "))
		return
	}
	line("# %s: %s", key, example)
}

func absolute(p string) string {
	if a, err := filepath.Abs(p); err == nil {
		return a
	}
	return p
}

package mapping

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/yamltext"
)

// Read reads a mapping file. Relative paths in it belong to its folder.
func Read(path string) (*Mapping, error) {
	text, err := yamltext.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("mapping: %w", err)
	}
	return parse(text, filepath.Dir(path), path)
}

// Parse parses the text of a mapping. Relative paths in it belong to the folder dir.
func Parse(text []byte, dir string) (*Mapping, error) { return parse(text, dir, "") }

func parse(text []byte, dir, path string) (*Mapping, error) {
	p := &parser{m: &Mapping{Dir: dir, path: path, text: text, lines: map[string]int{}}}
	doc, err := yamltext.Parse(text)
	if err == nil {
		p.doc = doc
		err = p.root(doc.Root)
	}
	if errors.Is(err, yamltext.ErrEmpty) {
		err = errors.New("expected name, files, axes, fields and boundaries, got an empty text")
	}
	if err != nil {
		line := 0
		if e, ok := errors.AsType[*yamltext.Error](err); ok {
			line, err = e.Line, e.Err
		}
		return nil, &Error{Mapping: path, Line: line, Err: err}
	}
	return p.m, nil
}

type parser struct {
	m   *Mapping
	doc *yamltext.Document
}

// entry is a key of a mapping with its value.
type entry struct {
	key   string
	value ast.Node
	node  ast.Node // of the key
}

// entries returns the entries of a mapping and records their lines below the path at.
func (p *parser) entries(n ast.Node, at, want string) ([]entry, error) {
	m, ok := p.doc.Resolve(n).(*ast.MappingNode)
	if !ok {
		return nil, yamltext.At(n, "%s: expected %s, got %s", cmp.Or(at, "mapping"), want, yamltext.Describe(p.doc.Resolve(n)))
	}
	var out []entry
	seen := map[string]bool{}
	for _, v := range m.Values {
		e := entry{v.Key.GetToken().Value, p.doc.Resolve(v.Value), v.Key}
		if seen[e.key] {
			return nil, yamltext.At(v.Key, "%s: the key %s is given twice", at, e.key)
		}
		seen[e.key] = true
		p.m.lines[strings.TrimPrefix(at+"."+e.key, ".")] = yamltext.Line(v.Key)
		out = append(out, e)
	}
	return out, nil
}

// unknown returns the error of a key.
func unknown(e entry, at string, known ...string) error {
	slices.Sort(known)
	return yamltext.At(e.node, "%s: unknown key %q: expected one of %s", at, e.key, strings.Join(known, ", "))
}

// root reads the keys of the mapping. Those that fields need come first.
func (p *parser) root(n ast.Node) error {
	list, err := p.entries(n, "", "keys such as name, files, axes, fields and boundaries")
	if err != nil {
		return err
	}
	m := p.m
	readers := map[string]func(ast.Node, string) error{
		"name":        func(n ast.Node, at string) (err error) { m.Name, err = p.text(n, at); return err },
		"files":       p.files,
		"raw":         p.raw,
		"axes":        func(n ast.Node, at string) (err error) { m.Axes, err = p.words(n, at); return err },
		"grid_type":   func(n ast.Node, at string) (err error) { m.GridType, err = p.text(n, at); return err },
		"grid":        func(n ast.Node, at string) (err error) { m.Grid, err = p.words(n, at); return err },
		"fields":      p.fields,
		"coordinates": p.coordinates,
		"times":       func(n ast.Node, at string) (err error) { m.Times, err = p.values(n, at); return err },
		"boundaries":  p.boundaries,
		"parameters":  p.parameters,
		"split":       p.split,
	}
	// Fields need the axes.
	slices.SortStableFunc(list, func(a, b entry) int {
		if first := a.key == "axes"; first != (b.key == "axes") {
			return map[bool]int{true: -1, false: 1}[first]
		}
		return 0
	})
	for _, e := range list {
		read, ok := readers[e.key]
		if !ok {
			return unknown(e, "mapping", slices.Collect(maps.Keys(readers))...)
		}
		if err := read(e.value, e.key); err != nil {
			return err
		}
	}
	return nil
}

// text reads a text; a number is a text, too.
func (p *parser) text(n ast.Node, at string) (string, error) {
	if s, ok := yamltext.String(n); ok {
		return s, nil
	}
	if _, ok := yamltext.Float(n); ok {
		return n.GetToken().Value, nil
	}
	return "", yamltext.At(n, "%s: expected a text, got %s", at, yamltext.Describe(n))
}

// words reads a list of words, as a list or as a text with commas.
func (p *parser) words(n ast.Node, at string) ([]string, error) {
	var out []string
	if list, ok := n.(*ast.SequenceNode); ok {
		for _, v := range list.Values {
			w, err := p.text(p.doc.Resolve(v), at)
			if err != nil {
				return nil, err
			}
			out = append(out, w)
		}
		return out, nil
	}
	s, ok := yamltext.String(n)
	if !ok {
		return nil, yamltext.At(n, `%s: expected names such as "time, y, x", got %s`, at, yamltext.Describe(n))
	}
	if strings.TrimSpace(s) == "" {
		return []string{}, nil
	}
	for w := range strings.SplitSeq(s, ",") {
		if w = strings.TrimSpace(w); w == "" {
			return nil, yamltext.At(n, `%s: expected names such as "time, y, x", got %q`, at, s)
		}
		out = append(out, w)
	}
	return out, nil
}

// number reads a number.
func (p *parser) number(n ast.Node, at string) (float64, error) {
	v, ok := yamltext.Float(n)
	if !ok {
		return 0, yamltext.At(n, "%s: expected a number, got %s", at, yamltext.Describe(n))
	}
	return v, nil
}

// integer reads a whole number of at least 0.
func (p *parser) integer(n ast.Node, at string) (int, error) {
	v, ok := yamltext.Int(n)
	if !ok || v < 0 {
		return 0, yamltext.At(n, "%s: expected a whole number of at least 0, got %s", at, yamltext.Describe(n))
	}
	return v, nil
}

func (p *parser) files(n ast.Node, at string) error {
	if _, ok := n.(*ast.MappingNode); ok {
		return yamltext.At(n, `files: expected a pattern in quotes, such as "{array}_{time}.npy", got a mapping: put quotes around it`)
	}
	var err error
	p.m.Files, err = p.text(n, at)
	return err
}

func (p *parser) raw(n ast.Node, at string) error {
	list, err := p.entries(n, at, "type, shape and, where needed, offset, tail, order and markers")
	if err != nil {
		return err
	}
	r := &Raw{}
	for _, e := range list {
		key := at + "." + e.key
		var v int
		switch e.key {
		case "type":
			r.Type, err = p.text(e.value, key)
		case "shape":
			r.Shape, err = p.integers(e.value, key)
		case "offset":
			v, err = p.integer(e.value, key)
			r.Offset = int64(v)
		case "markers":
			if r.Markers, err = p.integer(e.value, key); err == nil && r.Markers != 4 && r.Markers != 8 {
				err = yamltext.At(e.value, "%s: expected 4 or 8, the bytes of the length before and after each record, got %d", key, r.Markers)
			}
		case "tail":
			v, err = p.integer(e.value, key)
			r.Tail = int64(v)
		case "order":
			var order string
			if order, err = p.text(e.value, key); err == nil && order != "C" && order != "F" {
				err = yamltext.At(e.value, "%s: expected C (the last axis varies fastest) or F (the first does), got %q", key, order)
			}
			r.ColumnMajor = order == "F"
		default:
			err = unknown(e, at, "type", "shape", "offset", "tail", "order", "markers")
		}
		if err != nil {
			return err
		}
	}
	p.m.Raw = r
	return nil
}

func (p *parser) integers(n ast.Node, at string) ([]int, error) {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		return nil, yamltext.At(n, "%s: expected a list of whole numbers, got %s", at, yamltext.Describe(n))
	}
	var out []int
	for _, v := range list.Values {
		i, err := p.integer(p.doc.Resolve(v), at)
		if err != nil {
			return nil, err
		}
		out = append(out, i)
	}
	return out, nil
}

func (p *parser) fields(n ast.Node, at string) error {
	list, err := p.entries(n, at, "the name of each field with its array, such as density: rho")
	if err != nil {
		return err
	}
	for _, e := range list {
		f, err := p.field(e.value, at+"."+e.key)
		if err != nil {
			return err
		}
		f.Name = e.key
		p.m.Fields = append(p.m.Fields, f)
	}
	return nil
}

// field reads a field: an array, the arrays of its components, or an array with an axis of
// components.
func (p *parser) field(n ast.Node, at string) (Field, error) {
	var f Field
	if _, ok := n.(*ast.MappingNode); !ok {
		s, err := p.source(n, at)
		f.Components = map[string]Source{"": s}
		return f, err
	}
	list, err := p.entries(n, at, "an array")
	if err != nil {
		return f, err
	}
	var s sourceKeys
	components := map[string]Source{}
	var names []string
	symmetric := false
	for _, e := range list {
		key := at + "." + e.key
		known, err := p.sourceKey(&s, e, at)
		switch {
		case err != nil || known:
		case e.key == "components":
			names, err = p.words(e.value, key)
		case e.key == "units":
			f.Units, err = p.text(e.value, key)
		case e.key == "constant":
			var ok bool
			if f.Constant, ok = yamltext.Bool(e.value); !ok {
				err = yamltext.At(e.value, "%s: expected true or false, got %s", key, yamltext.Describe(e.value))
			}
		case e.key == "symmetric":
			var ok bool
			if symmetric, ok = yamltext.Bool(e.value); !ok {
				err = yamltext.At(e.value, "%s: expected true or false, got %s", key, yamltext.Describe(e.value))
			}
		case e.key == "scale":
			if f.Scale, err = p.number(e.value, key); err == nil && f.Scale == 0 {
				err = yamltext.At(e.value, "%s: expected a number other than 0", key)
			}
		case e.key == "offset":
			f.Offset, err = p.number(e.value, key)
		case e.key == "fill":
			var v float64
			v, err = p.number(e.value, key)
			f.Fill = &v
		default:
			var c Source
			c, err = p.source(e.value, key)
			components[e.key] = c
		}
		if err != nil {
			return f, err
		}
	}
	if !s.has("array") {
		if len(components) == 0 {
			return f, yamltext.At(n, "%s: expected array: NAME, or the array of each component, such as x: u", at)
		}
		for k, c := range components { // axes and file hold for all components
			if c.Axes == nil {
				c.Axes = s.source.Axes
			}
			if c.File == "" {
				c.File = s.source.File
			}
			components[k] = c
		}
		f.Components = mirrored(components, symmetric)
		return f, nil
	}
	for k := range components {
		return f, yamltext.At(n, "%s: expected one array or an array per component, got array and %s", at, k)
	}
	f.Components, err = expand(s.source, s.source.Axes, p.m.Axes, names)
	if err != nil {
		return f, yamltext.At(n, "%s: %w", at, err)
	}
	f.Components = mirrored(f.Components, symmetric)
	return f, nil
}

// mirrored adds the components yx of a symmetric tensor that gives xy, and the like.
func mirrored(components map[string]Source, symmetric bool) map[string]Source {
	for _, name := range keysOf(components) {
		if r := []rune(name); symmetric && len(r) == 2 {
			mirror := string([]rune{r[1], r[0]})
			if _, ok := components[mirror]; !ok {
				components[mirror] = components[name]
			}
		}
	}
	return components
}

// component is the name of an axis of components.
const component = "component"

// expand returns the components of an array: one, or those along its axis of components.
// names holds the name of each entry of the axis; entries named "-" are left out.
func expand(s Source, axes, fallback, names []string) (map[string]Source, error) {
	if axes == nil {
		axes = fallback
	}
	n := 0
	_, fixed := s.At[component]
	for _, a := range axes {
		if a == component && !fixed {
			n++
		}
	}
	if n == 0 && len(names) > 0 {
		return nil, fmt.Errorf("components: expected an axis called component among the axes %v: name the axis that holds them", axes)
	}
	if n == 0 {
		return map[string]Source{"": s}, nil
	}
	if len(names) == 0 {
		return nil, fmt.Errorf(`expected components: the names along the axis component in their order, such as "y, x", got none`)
	}
	if n > 2 {
		return nil, fmt.Errorf("expected at most two axes called component, got the axes %v", axes)
	}
	// Two axes of components become the axes component and component2.
	out := map[string]Source{}
	axes = slices.Clone(axes)
	if n == 2 {
		last := len(axes) - 1 - slices.Index(reversed(axes), component)
		axes[last] = component2
	}
	add := func(name string, at map[string]int) error {
		if strings.Contains(name, "-") {
			return nil
		}
		if _, dup := out[name]; dup {
			return fmt.Errorf("components: %s is given twice", name)
		}
		c := s
		c.Axes, c.At = axes, maps.Clone(s.At)
		if c.At == nil {
			c.At = map[string]int{}
		}
		maps.Copy(c.At, at)
		out[name] = c
		return nil
	}
	for i, a := range names {
		if n == 1 {
			if err := add(a, map[string]int{component: i}); err != nil {
				return nil, err
			}
			continue
		}
		for j, b := range names {
			if err := add(a+b, map[string]int{component: i, component2: j}); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// component2 is the second axis of components of a tensor.
const component2 = "component2"

func reversed(s []string) []string {
	s = slices.Clone(s)
	slices.Reverse(s)
	return s
}

// sourceKeys collects the keys of a source.
type sourceKeys struct {
	source Source
	given  []string
}

func (s sourceKeys) has(key string) bool { return slices.Contains(s.given, key) }

// sourceKey reads a key of a source; known is false for other keys.
func (p *parser) sourceKey(s *sourceKeys, e entry, at string) (known bool, err error) {
	key := at + "." + e.key
	switch e.key {
	case "array":
		var text string
		if text, err = p.text(e.value, key); err == nil {
			var ref Source
			if ref, err = parseSource(text); err != nil {
				err = yamltext.At(e.value, "%s: %w", key, err)
			}
			s.source.Array = ref.Array
			if ref.File != "" {
				s.source.File = ref.File
			}
			for axis, i := range ref.At {
				s.set(axis, i)
			}
		}
	case "file":
		s.source.File, err = p.text(e.value, key)
	case "axes":
		s.source.Axes, err = p.words(e.value, key)
	case "at":
		var list []entry
		list, err = p.entries(e.value, key, "an index for each axis, such as {channel: 0}")
		for _, a := range list {
			var i int
			if i, err = p.integer(a.value, key+"."+a.key); err != nil {
				break
			}
			s.set(a.key, i)
		}
	default:
		return false, nil
	}
	s.given = append(s.given, e.key)
	return true, err
}

func (s *sourceKeys) set(axis string, i int) {
	if s.source.At == nil {
		s.source.At = map[string]int{}
	}
	s.source.At[axis] = i
}

// source reads a source: a text or a mapping.
func (p *parser) source(n ast.Node, at string) (Source, error) {
	if _, ok := n.(*ast.MappingNode); !ok {
		text, err := p.text(n, at)
		if err != nil {
			return Source{}, yamltext.At(n, "%s: expected the name of an array, got %s", at, yamltext.Describe(n))
		}
		s, err := parseSource(text)
		if err != nil {
			return s, yamltext.At(n, "%s: %w", at, err)
		}
		return s, nil
	}
	list, err := p.entries(n, at, "an array")
	if err != nil {
		return Source{}, err
	}
	var s sourceKeys
	for _, e := range list {
		known, err := p.sourceKey(&s, e, at)
		if err == nil && !known {
			err = unknown(e, at, "array", "axes", "at", "file")
		}
		if err != nil {
			return Source{}, err
		}
	}
	if !s.has("array") {
		return Source{}, yamltext.At(n, "%s: expected array: NAME, got none", at)
	}
	return s.source, nil
}

var sourcePattern = regexp.MustCompile(`^(.*?)(?:\[([^\[\]]*=[^\[\]]*)\])?(?: in (.+))?$`)

// parseSource parses "ARRAY", "ARRAY[axis=0, axis=1]" and these with " in FILE".
func parseSource(text string) (Source, error) {
	parts := sourcePattern.FindStringSubmatch(strings.TrimSpace(text))
	if parts == nil || parts[1] == "" {
		return Source{}, fmt.Errorf(`expected the name of an array, such as rho, "data[channel=0]" or "rho in other.h5", got %q`, text)
	}
	s := Source{Array: parts[1], File: strings.TrimSpace(parts[3])}
	for part := range strings.SplitSeq(parts[2], ",") {
		if parts[2] == "" {
			break
		}
		axis, index, _ := strings.Cut(part, "=")
		i, err := strconv.Atoi(strings.TrimSpace(index))
		if err != nil || i < 0 {
			return s, fmt.Errorf("expected an index of at least 0 for each axis, such as [channel=0], got [%s]", parts[2])
		}
		if s.At == nil {
			s.At = map[string]int{}
		}
		s.At[strings.TrimSpace(axis)] = i
	}
	return s, nil
}

func (p *parser) coordinates(n ast.Node, at string) error {
	list, err := p.entries(n, at, "the coordinates of each axis, such as {x: x, y: {from: 0, to: 1}}")
	if err != nil {
		return err
	}
	p.m.Coordinates = map[string]Values{}
	for _, e := range list {
		if p.m.Coordinates[e.key], err = p.values(e.value, at+"."+e.key); err != nil {
			return err
		}
	}
	return nil
}

// values reads coordinates or times.
func (p *parser) values(n ast.Node, at string) (Values, error) {
	switch t := n.(type) {
	case *ast.SequenceNode:
		var v Values
		for _, e := range t.Values {
			x, err := p.number(p.doc.Resolve(e), at)
			if err != nil {
				return v, err
			}
			v.List = append(v.List, x)
		}
		return v, nil
	case *ast.MappingNode:
		list, err := p.entries(n, at, "an array or a range")
		if err != nil {
			return Values{}, err
		}
		if slices.ContainsFunc(list, func(e entry) bool { return e.key == "from" || e.key == "to" || e.key == "step" }) {
			return p.numbers(list, n, at)
		}
	default:
		if s, ok := yamltext.String(n); ok {
			if name, ok := placeholderOnly(s); ok {
				return Values{Name: name}, nil
			}
			if name, ok := strings.CutPrefix(s, "@"); ok {
				return Values{Attribute: name}, nil
			}
		}
	}
	s, err := p.source(n, at)
	return Values{Source: &s}, err
}

// numbers reads {from, to} or {from, step}.
func (p *parser) numbers(list []entry, n ast.Node, at string) (Values, error) {
	r := &Range{}
	given := map[string]bool{}
	for _, e := range list {
		v, err := p.number(e.value, at+"."+e.key)
		if err != nil {
			return Values{}, err
		}
		given[e.key] = true
		switch e.key {
		case "from":
			r.From = v
		case "to":
			r.To = v
		case "step":
			r.Step = v
		default:
			return Values{}, unknown(e, at, "from", "to", "step")
		}
	}
	if given["to"] == given["step"] || (given["step"] && r.Step == 0) || (given["to"] && r.To == r.From) {
		return Values{}, yamltext.At(n, "%s: expected from and to, which differ, or from and a step that is not 0", at)
	}
	return Values{Range: r}, nil
}

// placeholderOnly returns the name of a text that is a name in braces.
func placeholderOnly(s string) (string, bool) {
	if m := placeholder.FindStringSubmatch(s); m != nil && m[0] == s {
		return m[1], true
	}
	return "", false
}

func (p *parser) boundaries(n ast.Node, at string) error {
	list, err := p.entries(n, at, "the boundary of each axis, such as {x: periodic, y: wall/open}")
	if err != nil {
		return err
	}
	p.m.Boundaries = map[string]data.Boundary{}
	for _, e := range list {
		key := at + "." + e.key
		text, err := p.text(e.value, key)
		if err != nil {
			return err
		}
		b, err := data.ParseBoundaries(text)
		if err != nil || len(b) != 1 {
			return yamltext.At(e.value, "%s: expected periodic, wall, open, or the low and the high end such as wall/open, got %q: fill in the boundary of the axis", key, text)
		}
		p.m.Boundaries[e.key] = b[0]
	}
	return nil
}

func (p *parser) parameters(n ast.Node, at string) error {
	list, err := p.entries(n, at, "numbers, such as {viscosity: 0.01}")
	if err != nil {
		return err
	}
	for _, e := range list {
		key := at + "." + e.key
		q := Parameter{Name: e.key}
		text, isText := yamltext.String(e.value)
		name, inName := placeholderOnly(text)
		switch {
		case isText && inName:
			q.Placeholder = name
		case isText && strings.HasPrefix(text, "@"):
			q.Attribute = text[1:]
		case isText || e.value.Type() == ast.MappingType:
			var s Source
			s, err = p.source(e.value, key)
			q.Source = &s
		default:
			q.Value, err = p.number(e.value, key)
		}
		if err != nil {
			return err
		}
		p.m.Parameters = append(p.m.Parameters, q)
	}
	return nil
}

func (p *parser) split(n ast.Node, at string) error {
	list, err := p.entries(n, at, "the share of each split, such as {train: 0.8, valid: 0.1, test: 0.1}")
	if err != nil {
		return err
	}
	s := Split{Ratios: map[string]float64{}, Patterns: map[string]string{}, Numbers: map[string][]int{}}
	for _, e := range list {
		key := at + "." + e.key
		if e.key == "seed" {
			var v int
			if v, err = p.integer(e.value, key); err != nil {
				return err
			}
			s.Seed = uint64(v)
			continue
		}
		if !slices.Contains(splitNames, e.key) {
			return unknown(e, at, append(slices.Clone(splitNames), "seed")...)
		}
		if v, ok := yamltext.Float(e.value); ok {
			if !(v >= 0 && v <= 1) {
				return yamltext.At(e.value, "%s: expected a share of 0 to 1, a list of trajectories such as [8, 9], or a pattern of files, got %v", key, v)
			}
			s.Ratios[e.key] = v
		} else if _, ok := e.value.(*ast.SequenceNode); ok {
			if s.Numbers[e.key], err = p.integers(e.value, key); err != nil {
				return err
			}
		} else if s.Patterns[e.key], err = p.text(e.value, key); err != nil {
			return err
		}
	}
	forms := 0
	for _, n := range []int{len(s.Ratios), len(s.Patterns), len(s.Numbers)} {
		if n > 0 {
			forms++
		}
	}
	if forms > 1 {
		return yamltext.At(n, "split: expected shares, lists of trajectories or patterns of files, got several of them")
	}
	p.m.Split = s
	return nil
}

package mapping

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/gowalrus/gowalrus/internal/yamltext"
)

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

// fieldKeys collects the keys of a field.
type fieldKeys struct {
	field      Field
	source     sourceKeys
	components map[string]Source
	names      []string // of the entries of the axis of components
	symmetric  bool
}

// field reads a field: an array, the arrays of its components, or an array with an axis of
// components.
func (p *parser) field(n ast.Node, at string) (Field, error) {
	if _, ok := n.(*ast.MappingNode); !ok {
		s, err := p.source(n, at)
		return Field{Components: map[string]Source{"": s}}, err
	}
	list, err := p.entries(n, at, "an array")
	if err != nil {
		return Field{}, err
	}
	k := fieldKeys{components: map[string]Source{}}
	for _, e := range list {
		known, err := p.sourceKey(&k.source, e, at)
		if err == nil && !known {
			err = p.fieldKey(&k, e, at+"."+e.key)
		}
		if err != nil {
			return Field{}, err
		}
	}
	if k.field.Components, err = k.all(p.m.Axes); err != nil {
		return Field{}, yamltext.At(n, "%s: %w", at, err)
	}
	return k.field, nil
}

// fieldKey reads a key of a field that is no key of a source: an option or a component.
func (p *parser) fieldKey(k *fieldKeys, e entry, key string) (err error) {
	f := &k.field
	boolean := func() (v bool, err error) {
		v, ok := yamltext.Bool(e.value)
		if !ok {
			err = yamltext.At(e.value, "%s: expected true or false, got %s", key, yamltext.Describe(e.value))
		}
		return v, err
	}
	switch e.key {
	case "components":
		k.names, err = p.words(e.value, key)
	case "units":
		f.Units, err = p.text(e.value, key)
	case "constant":
		f.Constant, err = boolean()
	case "symmetric":
		k.symmetric, err = boolean()
	case "scale":
		if f.Scale, err = p.number(e.value, key); err == nil && f.Scale == 0 {
			err = yamltext.At(e.value, "%s: expected a number other than 0", key)
		}
	case "offset":
		f.Offset, err = p.number(e.value, key)
	case "fill":
		var v float64
		v, err = p.number(e.value, key)
		f.Fill = &v
	default:
		k.components[e.key], err = p.source(e.value, key)
	}
	return err
}

// all returns the components of a field: the given ones, which inherit axes and file of the
// field, or the entries of its array. axes holds the axes of the mapping.
func (k fieldKeys) all(axes []string) (map[string]Source, error) {
	s := k.source.source
	if k.source.has("array") {
		for name := range k.components {
			return nil, fmt.Errorf("expected one array or an array per component, got array and %s", name)
		}
		out, err := expand(s, s.Axes, axes, k.names)
		return mirrored(out, k.symmetric), err
	}
	if len(k.components) == 0 {
		return nil, errors.New("expected array: NAME, or the array of each component, such as x: u")
	}
	for name, c := range k.components {
		if c.Axes == nil {
			c.Axes = s.Axes
		}
		if c.File == "" {
			c.File = s.File
		}
		k.components[name] = c
	}
	return mirrored(k.components, k.symmetric), nil
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

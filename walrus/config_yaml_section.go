package walrus

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/gowalrus/gowalrus/internal/yamltext"
)

// section is a mapping of the document whose keys are read one by one; done reports
// the keys that were not read. A nil section is one that is missing and already
// reported: reading from it yields zero values.
type section struct {
	doc    *document
	path   string
	values map[string]*ast.MappingValueNode
	order  []string
	known  []string
}

// fail records a problem of a key, or of the section itself when key is "".
func (s *section) fail(key, format string, args ...any) {
	path := strings.Trim(s.path+"."+key, ".")
	line := ""
	if v := s.values[key]; v != nil {
		line = fmt.Sprintf(" (line %d)", v.Key.GetToken().Position.Line)
	}
	s.doc.errs = append(s.doc.errs, fmt.Errorf("walrus: config: %s%s: "+format, append([]any{path, line}, args...)...))
}

// mapping returns the section of a node, or nil if the node is not a mapping.
func (d *document) mapping(n ast.Node, path string) *section {
	m, ok := d.Resolve(n).(*ast.MappingNode)
	if !ok {
		return nil
	}
	s := &section{doc: d, path: path, values: make(map[string]*ast.MappingValueNode)}
	for _, v := range m.Values {
		key, ok := yamltext.String(v.Key)
		if !ok {
			key = v.Key.String()
		}
		s.values[key] = v
		s.order = append(s.order, key)
	}
	return s
}

// take returns the value of a key; ok is false when the key is missing.
func (s *section) take(key string) (n ast.Node, ok bool) {
	s.known = append(s.known, key)
	v, ok := s.values[key]
	if !ok {
		return nil, false
	}
	return s.doc.Resolve(v.Value), true
}

// child returns the section under a key. It reports a problem if the key is missing or
// its value is not a mapping.
func (s *section) child(key string) *section {
	if s == nil {
		return nil
	}
	n, ok := s.take(key)
	if !ok {
		s.fail(key, "missing: expected a mapping")
		return nil
	}
	c := s.doc.mapping(n, strings.Trim(s.path+"."+key, "."))
	if c == nil {
		s.fail(key, "expected a mapping, got %s", yamltext.Describe(n))
	}
	return c
}

// done reports every key that was not read.
func (s *section) done() {
	if s == nil {
		return
	}
	for _, key := range s.order {
		if !slices.Contains(s.known, key) {
			s.fail(key, "unknown key; this library knows %s here", strings.Join(s.known, ", "))
		}
	}
}

// value reads one key with conv. A missing key yields *def, or a problem if def is
// nil. ok reports whether the key was there and conv could read it.
func value[T any](s *section, key, want string, def *T, conv func(ast.Node) (T, bool)) (v T, ok bool) {
	if s == nil {
		return v, false
	}
	n, ok := s.take(key)
	switch {
	case ok:
		if v, ok = conv(n); !ok {
			s.fail(key, "expected %s, got %s", want, yamltext.Describe(n))
		}
	case def != nil:
		v = *def
	default:
		s.fail(key, "missing: expected %s", want)
	}
	return v, ok
}

// valueOf is value without the result ok.
func valueOf[T any](s *section, key, want string, def *T, conv func(ast.Node) (T, bool)) T {
	v, _ := value(s, key, want, def, conv)
	return v
}

func (s *section) int(key string) int { return valueOf(s, key, "an integer", nil, yamltext.Int) }

func (s *section) intOr(key string, def int) int {
	return valueOf(s, key, "an integer", &def, yamltext.Int)
}

func (s *section) floatOr(key string, def float64) float64 {
	return valueOf(s, key, "a number", &def, yamltext.Float)
}

func (s *section) boolOr(key string, def bool) bool {
	return valueOf(s, key, "true or false", &def, asBool)
}

func (s *section) string(key string) (v string, ok bool) {
	return value(s, key, "a string", nil, yamltext.String)
}

// optional reads an integer that may be missing or null, both meaning 0.
func (s *section) optional(key string) int {
	return valueOf(s, key, "an integer or null", new(int), func(n ast.Node) (int, bool) {
		if isNull(n) {
			return 0, true
		}
		return yamltext.Int(n)
	})
}

// ints reads a list of integers.
func (s *section) ints(key string, def *[]int) []int {
	return valueOf(s, key, "a list of integers", def, func(n ast.Node) ([]int, bool) {
		return asList(s.doc, n, yamltext.Int)
	})
}

// pairs reads a list of lists of integers.
func (s *section) pairs(key string, def *[][]int) [][]int {
	return valueOf(s, key, "a list of pairs of integers", def, func(n ast.Node) ([][]int, bool) {
		return asList(s.doc, n, func(n ast.Node) ([]int, bool) { return asList(s.doc, n, yamltext.Int) })
	})
}

// asList reads a list whose items conv reads.
func asList[T any](d *document, n ast.Node, conv func(ast.Node) (T, bool)) ([]T, bool) {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		return nil, false
	}
	out := make([]T, len(list.Values))
	for i, item := range list.Values {
		if out[i], ok = conv(d.Resolve(item)); !ok {
			return nil, false
		}
	}
	return out, true
}

// inert marks keys as read whose values have no effect.
func (s *section) inert(keys ...string) {
	if s != nil {
		s.known = append(s.known, keys...)
	}
}

// must reports a problem unless a switch has the value that this library implements.
func (s *section) must(key string, want bool, why string) {
	if got, ok := value(s, key, "true or false", nil, asBool); ok && got != want {
		s.fail(key, "expected %v, got %v: %s", want, got, why)
	}
}

// target reads the class that a section instantiates and returns its index in
// classes. It reports any other class.
func (s *section) target(classes ...string) int {
	got, ok := s.string("_target_")
	if !ok {
		return 0
	}
	i := slices.Index(classes, got)
	if i < 0 {
		s.fail("_target_", "expected %s, got %s", strings.Join(classes, " or "), got)
	}
	return max(i, 0)
}

package yamltext

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// Reader reads the sections of a document and collects the problems found meanwhile.
type Reader struct {
	*Document
	// Name begins each problem, as in "walrus: config".
	Name string
	// Errs are the problems so far.
	Errs []error
}

// Root returns the document's mapping, or nil if the document is no mapping.
func (r *Reader) Root() *Section { return r.section(r.Document.Root, "") }

// section returns the section of a node, or nil if the node is not a mapping.
func (r *Reader) section(n ast.Node, path string) *Section {
	m, ok := r.Resolve(n).(*ast.MappingNode)
	if !ok {
		return nil
	}
	s := &Section{reader: r, path: path, values: make(map[string]*ast.MappingValueNode)}
	for _, v := range m.Values {
		key := keyText(v)
		s.values[key] = v
		s.order = append(s.order, key)
	}
	return s
}

// Value returns the value of a key in a node, or nil if the node is no mapping or has no
// such key. It does not follow an alias.
func (d *Document) Value(n ast.Node, key string) ast.Node {
	m, ok := d.Resolve(n).(*ast.MappingNode)
	if !ok {
		return nil
	}
	if v := find(m, key); v != nil {
		return v.Value
	}
	return nil
}

// find returns the last entry of a key, or nil.
func find(m *ast.MappingNode, key string) *ast.MappingValueNode {
	for _, v := range slices.Backward(m.Values) {
		if keyText(v) == key {
			return v
		}
	}
	return nil
}

func keyText(v *ast.MappingValueNode) string {
	if key, ok := String(v.Key); ok {
		return key
	}
	return v.Key.String()
}

// Section is a mapping of a document whose keys are read one by one; [Section.Done] reports
// the keys that were not read. A nil section is one that is missing and already reported:
// reading from it yields zero values.
type Section struct {
	reader *Reader
	path   string
	values map[string]*ast.MappingValueNode
	order  []string
	known  []string
}

// Keys returns the keys in the order of the text.
func (s *Section) Keys() []string { return slices.Clone(s.order) }

// Key returns the node of a key, or nil if the section has no such key.
func (s *Section) Key(key string) ast.Node {
	if v := s.values[key]; v != nil {
		return v.Key
	}
	return nil
}

// Failed reports whether the reader has found a problem so far.
func (s *Section) Failed() bool { return len(s.reader.Errs) > 0 }

// Fail records a problem of a key, or of the section itself when key is "".
func (s *Section) Fail(key, format string, args ...any) {
	path := strings.Trim(s.path+"."+key, ".")
	line := ""
	if v := s.values[key]; v != nil {
		line = fmt.Sprintf(" (line %d)", Line(v.Key))
	}
	r := s.reader
	r.Errs = append(r.Errs, fmt.Errorf("%s: %s%s: "+format, append([]any{r.Name, path, line}, args...)...))
}

// Take returns the value of a key; ok is false when the key is missing.
func (s *Section) Take(key string) (n ast.Node, ok bool) {
	s.known = append(s.known, key)
	v, ok := s.values[key]
	if !ok {
		return nil, false
	}
	return s.reader.Resolve(v.Value), true
}

// Child returns the section under a key. It reports a problem if the key is missing or
// its value is not a mapping.
func (s *Section) Child(key string) *Section {
	if s == nil {
		return nil
	}
	n, ok := s.Take(key)
	if !ok {
		s.Fail(key, "missing: expected a mapping")
		return nil
	}
	c := s.reader.section(n, strings.Trim(s.path+"."+key, "."))
	if c == nil {
		s.Fail(key, "expected a mapping, got %s", Describe(n))
	}
	return c
}

// Done reports every key that was not read.
func (s *Section) Done() {
	if s == nil {
		return
	}
	for _, key := range s.order {
		if !slices.Contains(s.known, key) {
			s.Fail(key, "unknown key; this library knows %s here", strings.Join(s.known, ", "))
		}
	}
}

// value reads one key with conv. A missing key yields *def, or a problem if def is
// nil. ok reports whether the key was there and conv could read it.
func value[T any](s *Section, key, want string, def *T, conv func(ast.Node) (T, bool)) (v T, ok bool) {
	if s == nil {
		return v, false
	}
	n, ok := s.Take(key)
	switch {
	case ok:
		if v, ok = conv(n); !ok {
			s.Fail(key, "expected %s, got %s", want, Describe(n))
		}
	case def != nil:
		v = *def
	default:
		s.Fail(key, "missing: expected %s", want)
	}
	return v, ok
}

// valueOf is value without the result ok.
func valueOf[T any](s *Section, key, want string, def *T, conv func(ast.Node) (T, bool)) T {
	v, _ := value(s, key, want, def, conv)
	return v
}

func (s *Section) Int(key string) int { return valueOf(s, key, "an integer", nil, Int) }

func (s *Section) IntOr(key string, def int) int {
	return valueOf(s, key, "an integer", &def, Int)
}

func (s *Section) FloatOr(key string, def float64) float64 {
	return valueOf(s, key, "a number", &def, Float)
}

func (s *Section) BoolOr(key string, def bool) bool {
	return valueOf(s, key, "true or false", &def, Bool)
}

func (s *Section) String(key string) (v string, ok bool) {
	return value(s, key, "a string", nil, String)
}

// Optional reads an integer that may be missing or null, both meaning 0.
func (s *Section) Optional(key string) int {
	return valueOf(s, key, "an integer or null", new(int), func(n ast.Node) (int, bool) {
		if IsNull(n) {
			return 0, true
		}
		return Int(n)
	})
}

// Ints reads a list of integers.
func (s *Section) Ints(key string, def *[]int) []int {
	return valueOf(s, key, "a list of integers", def, func(n ast.Node) ([]int, bool) {
		return asList(s.reader.Document, n, Int)
	})
}

// Pairs reads a list of lists of integers.
func (s *Section) Pairs(key string, def *[][]int) [][]int {
	return valueOf(s, key, "a list of pairs of integers", def, func(n ast.Node) ([][]int, bool) {
		return asList(s.reader.Document, n, func(n ast.Node) ([]int, bool) { return asList(s.reader.Document, n, Int) })
	})
}

// asList reads a list whose items conv reads.
func asList[T any](d *Document, n ast.Node, conv func(ast.Node) (T, bool)) ([]T, bool) {
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

// Inert marks keys as read whose values have no effect.
func (s *Section) Inert(keys ...string) {
	if s != nil {
		s.known = append(s.known, keys...)
	}
}

// Must reports a problem unless a switch has the value that this library implements.
func (s *Section) Must(key string, want bool, why string) {
	if got, ok := value(s, key, "true or false", nil, Bool); ok && got != want {
		s.Fail(key, "expected %v, got %v: %s", want, got, why)
	}
}

// OneOf reads a string and returns its index in the list. It reports any other string, and
// then returns 0.
func (s *Section) OneOf(key string, list ...string) int {
	got, ok := s.String(key)
	if !ok {
		return 0
	}
	i := slices.Index(list, got)
	if i < 0 {
		s.Fail(key, "expected %s, got %s", strings.Join(list, " or "), got)
	}
	return max(i, 0)
}

// IsNull reports whether a value is null or left out.
func IsNull(n ast.Node) bool {
	_, ok := n.(*ast.NullNode)
	return ok
}

// Bool reads true or false.
func Bool(n ast.Node) (bool, bool) {
	t, ok := n.(*ast.BoolNode)
	return ok && t.Value, ok
}

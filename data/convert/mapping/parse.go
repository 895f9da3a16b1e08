package mapping

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

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

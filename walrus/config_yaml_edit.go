package walrus

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// change is one setting to write into a document or to delete from it.
type change struct {
	path   []string
	value  any
	delete bool
}

// changes lists the settings that differ between two layouts.
func changes(path []string, from, to mapping) []change {
	var out []change
	for _, e := range to {
		at := append(slices.Clone(path), e.key)
		old, had := lookup(from, e.key)
		if sub, ok := e.value.(mapping); ok {
			was, _ := old.(mapping)
			out = append(out, changes(at, was, sub)...)
			continue
		}
		if _, kept := e.value.(keep); !kept && !(had && reflect.DeepEqual(old, e.value)) {
			out = append(out, change{path: at, value: e.value})
		}
	}
	for _, e := range from {
		if _, has := lookup(to, e.key); !has {
			out = append(out, change{path: append(slices.Clone(path), e.key), delete: true})
		}
	}
	return out
}

func lookup(m mapping, key string) (any, bool) {
	for _, e := range m {
		if e.key == key {
			return e.value, true
		}
	}
	return nil, false
}

// edit returns the text of a document with the settings replaced that differ between
// two layouts. All other lines stay as they are.
func edit(text []byte, from, to mapping) ([]byte, error) {
	for _, ch := range changes(nil, from, to) {
		// Every change moves lines, so each one parses the text again.
		doc, err := parseYAML(text)
		if err != nil {
			return nil, err
		}
		lines, err := apply(strings.SplitAfter(string(text), "\n"), doc, ch)
		if err != nil {
			return nil, fmt.Errorf("walrus: config: %s: %w", strings.Join(ch.path, "."), err)
		}
		text = []byte(strings.Join(lines, ""))
	}
	return text, nil
}

// apply makes one change.
func apply(lines []string, doc *document, ch change) ([]string, error) {
	parent, key, err := locate(doc, ch.path)
	if err != nil {
		return nil, err
	}
	if len(parent.Values) == 0 || parent.IsFlowStyle {
		return nil, fmt.Errorf("the section around it is written as {…} and cannot be edited in place")
	}
	indent := parent.Values[0].Key.GetToken().Position.Column - 1
	first, last := keyLines(lines, indent, parent, key)
	if first < 0 || first > len(lines) {
		return nil, fmt.Errorf("its line was not found")
	}
	if ch.delete {
		return slices.Delete(lines, first, last), nil
	}
	var b strings.Builder
	emit(&b, indent, entry{ch.path[len(ch.path)-1], ch.value})
	out := b.String()
	if first > 0 && !strings.HasSuffix(lines[first-1], "\n") {
		out = "\n" + out // the last line of the file lacks its newline
	}
	return slices.Replace(lines, first, last, out), nil
}

// locate returns the mapping that holds a path and the entry of its last key, which
// is nil if the mapping has no such key.
func locate(doc *document, path []string) (*ast.MappingNode, *ast.MappingValueNode, error) {
	node := doc.Root
	for _, key := range path[:len(path)-1] {
		s := doc.mapping(node, "")
		if s == nil || s.values[key] == nil {
			return nil, nil, fmt.Errorf("the section around it is missing")
		}
		node = s.values[key].Value
	}
	m, ok := node.(*ast.MappingNode) // not resolved: the lines of an alias are elsewhere
	if !ok {
		return nil, nil, fmt.Errorf("the section around it is not written as a separate mapping and cannot be edited in place")
	}
	return m, doc.mapping(m, "").values[path[len(path)-1]], nil
}

// keyLines returns the half-open range of lines of an entry: the line of its key and
// the following lines that are indented deeper or are items of its list. For a missing
// entry it returns the empty range before the first key of the mapping.
func keyLines(lines []string, indent int, parent *ast.MappingNode, e *ast.MappingValueNode) (first, last int) {
	if e == nil {
		at := parent.Values[0].Key.GetToken().Position.Line - 1
		return at, at
	}
	first = e.Key.GetToken().Position.Line - 1
	last = first + 1
	for i := last; i < len(lines); i++ {
		body := strings.TrimLeft(lines[i], " ")
		if strings.TrimSpace(body) == "" || strings.HasPrefix(body, "#") {
			continue // belongs to the entry only if a later line does
		}
		depth := len(lines[i]) - len(body)
		item := strings.HasPrefix(body, "- ") || strings.TrimSpace(body) == "-"
		if depth < indent || depth == indent && !item {
			break
		}
		last = i + 1
	}
	return first, last
}

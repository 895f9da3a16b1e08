package yamltext

import (
	"errors"
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
func changes(path []string, from, to Mapping) []change {
	var out []change
	for _, e := range to {
		at := append(slices.Clone(path), e.Key)
		old, had := lookup(from, e.Key)
		if sub, ok := e.Value.(Mapping); ok {
			was, _ := old.(Mapping)
			out = append(out, changes(at, was, sub)...)
			continue
		}
		if _, kept := e.Value.(Keep); !kept && !(had && reflect.DeepEqual(old, e.Value)) {
			out = append(out, change{path: at, value: e.Value})
		}
	}
	for _, e := range from {
		if _, has := lookup(to, e.Key); !has {
			out = append(out, change{path: append(slices.Clone(path), e.Key), delete: true})
		}
	}
	return out
}

func lookup(m Mapping, key string) (any, bool) {
	for _, e := range m {
		if e.Key == key {
			return e.Value, true
		}
	}
	return nil, false
}

// Edit returns the text of a document with the settings replaced that differ between
// two layouts. All other lines stay as they are.
func Edit(text []byte, from, to Mapping) ([]byte, error) {
	for _, ch := range changes(nil, from, to) {
		// Every change moves lines, so each one parses the text again.
		doc, err := Parse(text)
		if err != nil {
			return nil, err
		}
		lines, err := apply(strings.SplitAfter(string(text), "\n"), doc, ch)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", strings.Join(ch.path, "."), err)
		}
		text = []byte(strings.Join(lines, ""))
	}
	return text, nil
}

// apply makes one change.
func apply(lines []string, doc *Document, ch change) ([]string, error) {
	parent, key, err := locate(doc, ch.path)
	if err != nil {
		return nil, err
	}
	if len(parent.Values) == 0 || parent.IsFlowStyle {
		return nil, errors.New("the section around it is written as {…} and cannot be edited in place")
	}
	indent := parent.Values[0].Key.GetToken().Position.Column - 1
	first, last := keyLines(lines, indent, parent, key)
	if first < 0 || first > len(lines) {
		return nil, errors.New("its line was not found")
	}
	if ch.delete {
		return slices.Delete(lines, first, last), nil
	}
	var b strings.Builder
	emit(&b, indent, Entry{ch.path[len(ch.path)-1], ch.value})
	out := b.String()
	if first > 0 && !strings.HasSuffix(lines[first-1], "\n") {
		out = "\n" + out // the last line of the file lacks its newline
	}
	return slices.Replace(lines, first, last, out), nil
}

// locate returns the Mapping that holds a path and the Entry of its last key, which
// is nil if the Mapping has no such key.
func locate(doc *Document, path []string) (*ast.MappingNode, *ast.MappingValueNode, error) {
	node := doc.Root
	for _, key := range path[:len(path)-1] {
		if node = doc.Value(node, key); node == nil {
			return nil, nil, errors.New("the section around it is missing")
		}
	}
	m, ok := node.(*ast.MappingNode) // not resolved: the lines of an alias are elsewhere
	if !ok {
		return nil, nil, errors.New("the section around it is not written as a separate mapping and cannot be edited in place")
	}
	return m, find(m, path[len(path)-1]), nil
}

// keyLines returns the half-open range of lines of an entry: the line of its key and
// the following lines that are indented deeper or are items of its list. For a missing
// Entry it returns the empty range before the first key of the mapping.
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
			continue // belongs to the Entry only if a later line does
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

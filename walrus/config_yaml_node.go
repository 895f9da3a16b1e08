package walrus

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limits that keep a hostile document from exhausting the parser's stack.
const (
	maxYAMLLine  = 1 << 14
	maxYAMLDepth = 256
)

// document is a parsed YAML file and the problems found while reading it.
type document struct {
	root    ast.Node
	anchors map[string]ast.Node
	errs    []error
}

// parseYAML parses the single document of a file, whose root must be a
// mapping.
func parseYAML(data []byte) (doc *document, err error) {
	if err := checkYAMLSize(data); err != nil {
		return nil, err
	}
	defer func() {
		if p := recover(); p != nil { // the parser panics on some broken input
			doc, err = nil, fmt.Errorf("walrus: config: not a YAML document: %v", p)
		}
	}()
	f, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, fmt.Errorf("walrus: config: not a YAML document: %s", yaml.FormatError(err, false, false))
	}
	docs := slices.DeleteFunc(f.Docs, func(d *ast.DocumentNode) bool { return d.Body == nil })
	switch len(docs) {
	case 0:
		return nil, errors.New("walrus: config: empty: expected a YAML document with the sections model, data and trainer")
	case 1:
	default:
		return nil, fmt.Errorf("walrus: config: expected one YAML document, got %d", len(docs))
	}
	doc = &document{root: docs[0].Body, anchors: make(map[string]ast.Node)}
	if doc.root.Type() != ast.MappingType {
		return nil, fmt.Errorf("walrus: config: expected a mapping with the sections model, data and trainer, got %s", describe(doc.root))
	}
	ast.Walk(anchorVisitor(doc.anchors), doc.root)
	return doc, nil
}

// checkYAMLSize returns an error for documents that are too large or too deeply
// nested to be configurations.
func checkYAMLSize(data []byte) error {
	if len(data) > maxConfigBytes {
		return fmt.Errorf("walrus: config: expected at most %d bytes", maxConfigBytes)
	}
	depth := 0
	for i, line := range bytes.Split(data, []byte("\n")) {
		if len(line) > maxYAMLLine {
			return fmt.Errorf("walrus: config: line %d: expected at most %d bytes, got %d", i+1, maxYAMLLine, len(line))
		}
		for _, b := range line {
			switch b {
			case '[', '{':
				depth++
			case ']', '}':
				depth = max(depth-1, 0)
			}
		}
		if n := max(depth, bytes.Count(line, []byte("- ")), bytes.Count(line, []byte("!"))); n > maxYAMLDepth {
			return fmt.Errorf("walrus: config: line %d: nested more than %d levels deep", i+1, maxYAMLDepth)
		}
	}
	return nil
}

// anchorVisitor collects the values of anchors by name.
type anchorVisitor map[string]ast.Node

// Visit implements [ast.Visitor].
func (v anchorVisitor) Visit(n ast.Node) ast.Visitor {
	if a, ok := n.(*ast.AnchorNode); ok && a.Name != nil && a.Value != nil {
		v[a.Name.GetToken().Value] = a.Value
	}
	return v
}

// resolve follows anchors, aliases and tags and returns the value.
func (d *document) resolve(n ast.Node) ast.Node {
	for range 16 {
		switch t := n.(type) {
		case *ast.AnchorNode:
			n = t.Value
		case *ast.AliasNode:
			if t.Value == nil {
				return nil
			}
			n = d.anchors[t.Value.GetToken().Value]
		case *ast.TagNode:
			n = t.Value
		default:
			return n
		}
	}
	return nil
}

// describe names a value for an error message.
func describe(n ast.Node) string {
	switch t := n.(type) {
	case nil:
		return "nothing"
	case *ast.MappingNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.NullNode:
		return "null"
	case *ast.StringNode:
		hint := ""
		if strings.Contains(t.Value, "${") {
			hint = " (an interpolation: save the resolved configuration)"
		}
		return fmt.Sprintf("%.60q%s", t.Value, hint)
	}
	if t := n.GetToken(); t != nil {
		return fmt.Sprintf("%.60s", t.Value)
	}
	return n.Type().String()
}

// isNull reports whether a value is null or left out.
func isNull(n ast.Node) bool {
	_, ok := n.(*ast.NullNode)
	return ok
}

// asInt reads an integer.
func asInt(n ast.Node) (int, bool) {
	t, ok := n.(*ast.IntegerNode)
	if !ok {
		return 0, false
	}
	switch v := t.Value.(type) {
	case int64:
		return int(v), int64(int(v)) == v
	case uint64:
		return int(v), v <= math.MaxInt
	}
	return 0, false
}

// asFloat reads an integer, a float, or a float in a form that the release's loader
// accepts but YAML 1.2 does not (1e-4).
func asFloat(n ast.Node) (float64, bool) {
	switch t := n.(type) {
	case *ast.FloatNode:
		return t.Value, true
	case *ast.NanNode:
		return math.NaN(), true
	case *ast.InfinityNode:
		return t.Value, true
	case *ast.StringNode:
		if t.GetToken().Type != token.StringType {
			return 0, false // quoted
		}
		v, err := strconv.ParseFloat(t.Value, 64)
		return v, err == nil
	}
	i, ok := asInt(n)
	return float64(i), ok
}

// asBool reads true or false.
func asBool(n ast.Node) (bool, bool) {
	t, ok := n.(*ast.BoolNode)
	return ok && t.Value, ok
}

// asString reads a string.
func asString(n ast.Node) (string, bool) {
	switch t := n.(type) {
	case *ast.StringNode:
		return t.Value, true
	case *ast.LiteralNode:
		return t.Value.Value, true
	}
	return "", false
}

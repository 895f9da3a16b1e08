package yamltext

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// expand collects the anchors, counts the values that aliases stand for and stores the
// values of floats with an exponent.
func (d *Document) expand() error {
	e := expansion{d, map[string]int{}}
	_, err := e.count(d.Root)
	return err
}

// expansion holds the number of values under each anchor, 0 while it is being counted.
type expansion struct {
	*Document
	sizes map[string]int
}

// count returns the number of values of a node after its aliases are replaced.
func (e expansion) count(n ast.Node) (total int, err error) {
	total = 1
	var children []ast.Node
	switch n := n.(type) {
	case *ast.MappingNode:
		for _, v := range n.Values {
			children = append(children, v.Key, v.Value)
		}
	case *ast.MappingValueNode:
		children = []ast.Node{n.Key, n.Value}
	case *ast.SequenceNode:
		children = n.Values
	case *ast.TagNode: // package yaml panics on some
		return 0, At(n, "expected a value without a tag, got the tag %.40s", n.GetToken().Value)
	case *ast.MappingKeyNode:
		children = []ast.Node{n.Value}
	case *ast.AnchorNode:
		return e.anchor(n)
	case *ast.AliasNode:
		if n.Value == nil {
			return 1, nil
		}
		name := n.Value.GetToken().Value
		size, known := e.sizes[name]
		if known && size == 0 {
			return 0, At(n, "the alias *%s is part of its own anchor", name)
		}
		total = max(size, 1)
	case *ast.FloatNode:
		if isFloat(n.Token.Value) {
			if n.Value, err = strconv.ParseFloat(n.Token.Value, 64); err != nil {
				return 0, At(n, "expected a number within float64, got %s", n.Token.Value)
			}
		}
	}
	for _, c := range children {
		size, err := e.count(c)
		if err != nil {
			return 0, err
		}
		if total += size; total > MaxNodes {
			return 0, At(n, "expected aliases that stand for at most %d values, got more", MaxNodes)
		}
	}
	return total, nil
}

// anchor counts the value of an anchor and stores it under the anchor's name.
func (e expansion) anchor(n *ast.AnchorNode) (int, error) {
	if n.Name == nil || n.Value == nil {
		return 1, nil
	}
	name := n.Name.GetToken().Value
	e.sizes[name] = 0
	size, err := e.count(n.Value)
	e.sizes[name], e.anchors[name] = size, n.Value
	return size, err
}

// Resolve follows anchors and aliases and returns the value. It is nil for an alias
// without an anchor.
func (d *Document) Resolve(n ast.Node) ast.Node {
	for range 16 {
		switch t := n.(type) {
		case *ast.AnchorNode:
			n = t.Value
		case *ast.AliasNode:
			if t.Value == nil {
				return nil
			}
			n = d.anchors[t.Value.GetToken().Value]
		default:
			return n
		}
	}
	return nil
}

// Int returns the value of an integer; ok is false for other nodes.
func Int(n ast.Node) (v int, ok bool) {
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

// Float returns the value of a number; ok is false for other nodes.
func Float(n ast.Node) (v float64, ok bool) {
	switch t := n.(type) {
	case *ast.FloatNode:
		return t.Value, true
	case *ast.NanNode:
		return math.NaN(), true
	case *ast.InfinityNode:
		return t.Value, true
	case *ast.IntegerNode:
		switch v := t.Value.(type) {
		case int64:
			return float64(v), true
		case uint64:
			return float64(v), true
		}
	}
	return 0, false
}

// String returns the value of a text; ok is false for other nodes.
func String(n ast.Node) (v string, ok bool) {
	switch t := n.(type) {
	case *ast.StringNode:
		return t.Value, true
	case *ast.LiteralNode:
		return t.Value.Value, true
	}
	return "", false
}

// Describe names a value for an error message.
func Describe(n ast.Node) string {
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

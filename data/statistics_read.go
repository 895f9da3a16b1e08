package data

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/gowalrus/gowalrus/internal/yamltext"
)

// ReadStatistics reads a stats.yaml file.
func ReadStatistics(path string) (*Statistics, error) {
	text, err := yamltext.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("data: statistics: %w", err)
	}
	s, err := ParseStatistics(text)
	if err != nil {
		return nil, fmt.Errorf("data: statistics %s: %w", path, err)
	}
	return s, nil
}

// ParseStatistics parses the text of a stats.yaml: kind → field → number, list or list of
// lists of one length. The kinds are mean, std, rms and the same with _delta; other keys are
// errors. All numbers are finite, and only means may be negative.
func ParseStatistics(text []byte) (*Statistics, error) {
	doc, err := yamltext.Parse(text)
	switch {
	case errors.Is(err, yamltext.ErrEmpty):
		return nil, errors.New("expected at least one of mean, std, rms, got an empty document")
	case err != nil:
		return nil, err
	}
	root, err := members(doc, doc.Root)
	if err != nil {
		return nil, err
	}
	if len(root) == 0 {
		return nil, errors.New("expected at least one of mean, std, rms, got an empty document")
	}
	s := &Statistics{}
	kinds := s.tables()
	for _, kind := range root {
		name := kind.Key.GetToken().Value
		into, ok := kinds[name]
		if !ok {
			return nil, yamltext.At(kind.Key, "unknown key %q: expected mean, std, rms or one of these with _delta", name)
		}
		fields, err := members(doc, kind.Value)
		if err != nil {
			return nil, err
		}
		*into = map[string][]float64{}
		for _, f := range fields {
			field := f.Key.GetToken().Value
			r := valueReader{doc: doc, name: name + " of " + field, signed: strings.HasPrefix(name, "mean")}
			if (*into)[field], err = r.read(f.Value); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

// members returns the entries of a mapping; null has none.
func members(doc *yamltext.Document, n ast.Node) ([]*ast.MappingValueNode, error) {
	switch m := doc.Resolve(n).(type) {
	case *ast.NullNode:
		return nil, nil
	case *ast.MappingNode:
		return m.Values, nil
	}
	return nil, yamltext.At(n, "expected kinds with fields, e.g. rms: {density: 1.2}")
}

// valueReader reads the value of one field.
type valueReader struct {
	doc    *yamltext.Document
	name   string // kind and field, for errors
	signed bool   // whether numbers may be negative
}

func (r valueReader) fail(n ast.Node, format string, args ...any) error {
	return yamltext.At(n, "%s: "+format, append([]any{r.name}, args...)...)
}

// read returns the numbers of a number, a list, or a list of lists of one length.
func (r valueReader) read(n ast.Node) ([]float64, error) {
	list, ok := r.doc.Resolve(n).(*ast.SequenceNode)
	if !ok {
		v, err := r.number(n)
		return []float64{v}, err
	}
	if len(list.Values) == 0 {
		return nil, r.fail(n, "expected a number or a list of numbers, got []")
	}
	var out []float64
	for _, item := range list.Values {
		row, err := r.row(item, list.Values[0])
		if err != nil {
			return nil, err
		}
		out = append(out, row...)
	}
	return out, nil
}

// row returns the numbers of an item of a list: a number or a list as long as the first
// item.
func (r valueReader) row(n, first ast.Node) ([]float64, error) {
	list, isList := r.doc.Resolve(n).(*ast.SequenceNode)
	model, wantList := r.doc.Resolve(first).(*ast.SequenceNode)
	switch {
	case isList != wantList:
		return nil, r.fail(n, "expected numbers alone or lists alone, got both")
	case !isList:
		v, err := r.number(n)
		return []float64{v}, err
	case len(list.Values) != len(model.Values) || len(list.Values) == 0:
		return nil, r.fail(n, "expected lists of one length, got lists of %d and %d values", len(model.Values), len(list.Values))
	}
	out := make([]float64, len(list.Values))
	for i, item := range list.Values {
		var err error
		if out[i], err = r.number(item); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// number returns a finite number.
func (r valueReader) number(n ast.Node) (float64, error) {
	resolved := r.doc.Resolve(n)
	v, ok := yamltext.Float(resolved)
	switch {
	case !ok:
		return 0, r.fail(n, "expected a number or a list of numbers, got %s", yamltext.Describe(resolved))
	case math.IsNaN(v) || math.IsInf(v, 0):
		return 0, r.fail(n, "expected a finite number, got %v", v)
	case v < 0 && !r.signed:
		return 0, r.fail(n, "expected a number of at least 0, got %v", v)
	}
	return v, nil
}

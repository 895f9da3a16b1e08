package walrus

import (
	"errors"
	"fmt"

	"github.com/goccy/go-yaml/ast"

	"github.com/gowalrus/gowalrus/internal/yamltext"
)

// document is a parsed YAML file and the problems found while reading it.
type document struct {
	*yamltext.Document
	errs []error
}

// parseYAML parses the single document of a file, whose root must be a mapping.
func parseYAML(data []byte) (*document, error) {
	doc, err := yamltext.Parse(data)
	switch {
	case errors.Is(err, yamltext.ErrEmpty):
		return nil, errors.New("walrus: config: empty: expected a YAML document with the sections model, data and trainer")
	case err != nil:
		return nil, fmt.Errorf("walrus: config: not a YAML document: %w", err)
	}
	if doc.Root.Type() != ast.MappingType {
		return nil, fmt.Errorf("walrus: config: expected a mapping with the sections model, data and trainer, got %s", yamltext.Describe(doc.Root))
	}
	return &document{Document: doc}, nil
}

// isNull reports whether a value is null or left out.
func isNull(n ast.Node) bool {
	_, ok := n.(*ast.NullNode)
	return ok
}

// asBool reads true or false.
func asBool(n ast.Node) (bool, bool) {
	t, ok := n.(*ast.BoolNode)
	return ok && t.Value, ok
}

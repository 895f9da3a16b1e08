// Package yamltext reads YAML text from unknown authors: recipes, configurations and the
// statistics next to data. Every YAML reader of this module uses it.
//
// The parser of github.com/goccy/go-yaml panics on some texts, and its memory grows with
// the square of the nesting depth and of the number of keys. So this package limits size,
// depth and number of words before it parses, and turns panics into errors. Aliases are
// limited, too: few lines of them stand for any number of values. Errors name the line.
package yamltext

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Limits of a document. The release's configuration has 8 KB, 1,500 tokens and 6 levels.
const (
	// MaxBytes is the size of a text.
	MaxBytes = 1 << 19
	// MaxTokens is the number of values and punctuation marks.
	MaxTokens = 1 << 14
	// MaxDepth is the depth of nested lists, mappings, tags and anchors.
	MaxDepth = 256
	// MaxNodes is the number of values after aliases are replaced by the values they name.
	MaxNodes = 1 << 16
)

// ErrEmpty is the error of a text without a value.
var ErrEmpty = errors.New("expected a YAML document, got an empty text")

// Error is a problem at a line of the text; Line is 0 if the line is unknown.
type Error struct {
	Line int
	Err  error
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Err.Error()
	}
	return fmt.Sprintf("line %d: %v", e.Line, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// At returns the error of a node, with its line.
func At(n ast.Node, format string, args ...any) error {
	return &Error{Line(n), fmt.Errorf(format, args...)}
}

// Line returns the line of a node, 0 if it has none.
func Line(n ast.Node) int {
	if n == nil {
		return 0
	}
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 0
}

// ReadFile reads a file of at most MaxBytes.
func ReadFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return text, nil
}

// Read reads a text of at most MaxBytes.
func Read(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return nil, err
	}
	return text, checkSize(text)
}

func checkSize(text []byte) error {
	if len(text) > MaxBytes {
		return fmt.Errorf("expected at most %d bytes of YAML, got more", MaxBytes)
	}
	return nil
}

// Document is a parsed text.
type Document struct {
	// Root is the value of the document.
	Root    ast.Node
	anchors map[string]ast.Node
}

// Parse parses a text that holds one document. 1e-5 is a number, as in YAML 1.2; quote a
// name of this form. A text without a value returns [ErrEmpty].
func Parse(text []byte) (d *Document, err error) {
	if err := checkSize(text); err != nil {
		return nil, err
	}
	if !utf8.Valid(text) {
		return nil, errors.New("expected UTF-8 text")
	}
	defer recovered(&err)
	tokens, err := tokenize(string(text))
	if err != nil {
		return nil, err
	}
	f, err := parser.Parse(tokens, 0)
	if err != nil {
		return nil, located(err)
	}
	docs := slices.DeleteFunc(f.Docs, func(d *ast.DocumentNode) bool { return d.Body == nil })
	switch len(docs) {
	case 0:
		return nil, ErrEmpty
	case 1:
	default:
		return nil, fmt.Errorf("expected one YAML document, got %d", len(docs))
	}
	d = &Document{Root: docs[0].Body, anchors: map[string]ast.Node{}}
	return d, d.expand()
}

// Decode stores the values of a node in the value that v points to. Errors of values
// wrap those of package yaml.
func Decode(n ast.Node, v any, options ...yaml.DecodeOption) (err error) {
	defer recovered(&err)
	return located(yaml.NodeToValue(n, v, options...))
}

// recovered stores a panic of the parser as an error.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("expected YAML, got a text that the parser fails on: %v", p)
	}
}

// located adds the line to an error of package yaml.
func located(err error) error {
	var e yaml.Error
	if !errors.As(err, &e) {
		return err
	}
	line := 0
	if t := e.GetToken(); t != nil && t.Position != nil {
		line = t.Position.Line
	}
	return &Error{line, &cause{e}}
}

// cause is an error of package yaml whose text has no copy of the source.
type cause struct{ of yaml.Error }

func (c *cause) Error() string {
	message, _, _ := strings.Cut(c.of.GetMessage(), "\n")
	return message
}

func (c *cause) Unwrap() error { return c.of }

package walrus

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/gowalrus/gowalrus/internal/yamltext"
)

// Recipe is a training recipe in the layout of the release's extended_config.yaml: the
// network's Config, the Scaling of its fields and the unchanged text of all other
// settings, such as data, optimiser and logging.
//
// A caller may change Config or Scaling and write the recipe back. Only the lines of
// changed settings are replaced; all other lines stay byte for byte, comments included.
type Recipe struct {
	Config Config
	// Scaling is the scaling that trainer.revin and trainer.epsilon describe, nil without
	// trainer.revin. Its statistics are empty if the class needs those of a data set,
	// because a recipe does not hold statistics.
	Scaling *Scaling

	text   []byte           // the document as read
	layout yamltext.Mapping // the settings in text
}

// NewRecipe returns a recipe that holds only a configuration and a scaling.
func NewRecipe(c Config, s Scaling) (*Recipe, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if err := s.Validate(); err != nil {
		return nil, fmt.Errorf("walrus: scaling: %w", err)
	}
	r, err := ParseRecipe([]byte(layout(c, &s).String()))
	if err != nil {
		return nil, err
	}
	r.Config, r.Scaling = c, &s
	return r, nil
}

// ReadRecipe is [ParseRecipe] on a file; errors name the file.
func ReadRecipe(path string) (*Recipe, error) {
	b, err := yamltext.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("walrus: config: %w", err)
	}
	r, err := ParseRecipe(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// ParseRecipe reads the text of an extended_config.yaml. [ParseConfig] lists the keys
// that must be there and the settings that are errors.
func ParseRecipe(data []byte) (*Recipe, error) {
	doc, err := parseYAML(data)
	if err != nil {
		return nil, err
	}
	c, s, err := readDocument(doc)
	if err != nil {
		return nil, err
	}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return &Recipe{Config: c, Scaling: s, text: bytes.Clone(data), layout: layout(c, s)}, nil
}

// Bytes returns the text of the recipe with its Config and Scaling. If neither has
// changed, it is the text that was read.
func (r *Recipe) Bytes() ([]byte, error) {
	if err := r.Config.Validate(); err != nil {
		return nil, err
	}
	if r.Scaling != nil {
		if err := r.Scaling.Validate(); err != nil {
			return nil, fmt.Errorf("walrus: scaling: %w", err)
		}
	}
	want := layout(r.Config, r.Scaling)
	if sameLayout(want, r.layout) {
		return bytes.Clone(r.text), nil
	}
	out, err := yamltext.Edit(r.text, r.layout, want)
	if err != nil {
		return nil, fmt.Errorf("walrus: config: %w", err)
	}
	back, err := ParseRecipe(out)
	if err != nil {
		return nil, fmt.Errorf("walrus: config: the file cannot be edited in place; write the configuration alone with Config.WriteYAML: %w", err)
	}
	if !sameLayout(back.layout, want) {
		return nil, fmt.Errorf("walrus: config: the file cannot be edited in place (it would read back differently); write the configuration alone with Config.WriteYAML")
	}
	return out, nil
}

// WriteYAML writes [Recipe.Bytes].
func (r *Recipe) WriteYAML(w io.Writer) error {
	b, err := r.Bytes()
	if err != nil {
		return err
	}
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("walrus: config: write: %w", err)
	}
	return nil
}

// Decode stores a part of the recipe, as it was read, in the value that v points to.
// path is a list of keys joined by dots, such as "optimizer" or
// "trainer.grad_acc_steps". Structs use the tags of package
// github.com/goccy/go-yaml.
func (r *Recipe) Decode(path string, v any) error {
	doc, err := parseYAML(r.text)
	if err != nil {
		return err
	}
	node := doc.Document.Root
	for _, key := range strings.Split(path, ".") {
		if node = doc.Value(node, key); node == nil {
			return fmt.Errorf("walrus: config: the recipe has no %s", path)
		}
	}
	if err := yamltext.Decode(node, v); err != nil {
		return fmt.Errorf("walrus: config: %s: %w", path, err)
	}
	return nil
}

// sameLayout reports whether two layouts give the same YAML text.
func sameLayout(a, b yamltext.Mapping) bool { return a.String() == b.String() }

package walrus

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gowalrus/gowalrus/csm"
)

// Bounds on the sizes in a configuration. They are far beyond any network in use
// and keep a damaged file from requesting absurd amounts of memory.
const (
	maxWidth  = 1 << 20
	maxBlocks = 1 << 12
	maxStates = 1 << 16
)

// minHeadWidth is the least head width for the axial rotary embedding. Each axis
// gets a quarter of the head. Heads narrower than 8 would have no frequency, and
// attention over space would not depend on the positions of tokens. For widths 8 to
// 11 the released code divides by zero.
const minHeadWidth = 12

// Validate returns nil if a network can be built from the configuration, and
// otherwise one error that lists every problem, one per line.
func (c Config) Validate() error {
	var p problems
	c.validateName(&p)
	c.validateSizes(&p)
	c.validateStrides(&p)
	c.validateHeads(&p)
	c.validateRates(&p)
	c.validateDims(&p)
	c.validateEnums(&p)
	c.validateRegistry(&p)
	return errors.Join(p...)
}

// problems collects errors.
type problems []error

func (p *problems) addf(format string, args ...any) {
	*p = append(*p, fmt.Errorf("walrus: config: "+format, args...))
}

func (c Config) validateName(p *problems) {
	if !printable(c.Name) {
		p.addf("name %q: expected printable UTF-8", c.Name)
	}
}

func (c Config) validateSizes(p *problems) {
	for _, s := range []struct {
		name          string
		value, lo, hi int
	}{
		{"hidden", c.Hidden, 1, maxWidth},
		{"intermediate", c.Intermediate, 1, maxWidth},
		{"blocks", c.Blocks, 1, maxBlocks},
		{"heads", c.Heads, 1, maxWidth},
		{"groups", c.Groups, 1, maxWidth},
		{"mlp", c.MLP, 0, maxWidth},
		{"checkpoint_every", c.CheckpointEvery, 0, math.MaxInt},
		{"projection_dim", c.ProjectionDim, 0, math.MaxInt},
		{"kernel[0]", c.Kernel[0], 1, maxWidth},
		{"kernel[1]", c.Kernel[1], 1, maxWidth},
		{"tokens[0]", c.Tokens[0], 0, maxWidth},
		{"tokens[1]", c.Tokens[1], 0, maxWidth},
		{"tokens[2]", c.Tokens[2], 0, maxWidth},
	} {
		if s.value < s.lo {
			p.addf("%s: expected at least %d, got %d", s.name, s.lo, s.value)
		}
		if s.value > s.hi {
			p.addf("%s: expected at most %d, got %d", s.name, s.hi, s.value)
		}
	}
	if c.MLP%2 != 0 {
		p.addf("mlp: expected an even width (value and gate), got %d", c.MLP)
	}
}

func (c Config) validateStrides(p *problems) {
	for _, dims := range slices.Sorted(maps.Keys(c.Strides)) {
		if dims < 1 || dims > 3 {
			p.addf("strides: expected 1, 2 or 3 axes, got %d", dims)
			continue
		}
		if err := (csm.Options{Kernel: c.Kernel, Strides: c.Strides[dims]}).Validate(); err != nil {
			p.addf("strides of %d axes: %w", dims, err)
		}
	}
}

func (c Config) validateHeads(p *problems) {
	if c.Hidden < 1 || c.Heads < 1 {
		return // reported with the sizes
	}
	if c.Hidden%c.Heads != 0 {
		p.addf("hidden %d is not divisible by heads %d", c.Hidden, c.Heads)
		return
	}
	if w := c.HeadWidth(); w < minHeadWidth {
		p.addf("head width %d (hidden %d / heads %d): expected at least %d, "+
			"the narrowest the axial rotary embedding of three axes can serve; use fewer heads",
			w, c.Hidden, c.Heads, minHeadWidth)
	}
}

func (c Config) validateRates(p *problems) {
	// Written so that NaN fails too.
	if !(c.DropPath >= 0 && c.DropPath < 1) {
		p.addf("drop_path: expected a rate in [0, 1), got %v", c.DropPath)
	}
	if !(c.FieldDrop >= 0 && c.FieldDrop <= 1) {
		p.addf("field_drop: expected a rate in [0, 1], got %v", c.FieldDrop)
	}
}

func (c Config) validateDims(p *problems) {
	for i, d := range c.Dims {
		if d < 1 || d > 3 {
			p.addf("dims: expected 1, 2 or 3, got %d", d)
		}
		if i > 0 && d <= c.Dims[i-1] {
			p.addf("dims: expected ascending and distinct, got %v", c.Dims)
			break
		}
	}
	if !slices.Contains(c.Dims, 3) {
		p.addf("dims: expected 3 among them, got %v: the release reads the encoder's options from its 3-D encoder", c.Dims)
	}
	if len(c.APE) == 0 {
		return
	}
	if len(c.APE) != 3 {
		p.addf("ape: expected the token grid h, w, d, got %v", c.APE)
	}
	for _, n := range c.APE {
		if n < 1 || n > maxWidth {
			p.addf("ape: expected token counts from 1 to %d, got %v", maxWidth, c.APE)
			break
		}
	}
}

func (c Config) validateEnums(p *problems) {
	for _, e := range []interface{ MarshalText() ([]byte, error) }{
		c.Jitter, c.TimeBias, c.Norm, c.RoPE, c.Prediction,
	} {
		if _, err := e.MarshalText(); err != nil {
			p.addf("%w", err)
		}
	}
	if c.Norm != NormGroup || c.Groups < 1 {
		return
	}
	if c.Hidden%c.Groups != 0 {
		p.addf("hidden %d is not divisible by groups %d, as the group norm needs", c.Hidden, c.Groups)
	}
	if c.Intermediate%c.Groups != 0 {
		p.addf("intermediate %d is not divisible by groups %d, as the group norm needs", c.Intermediate, c.Groups)
	}
}

func (c Config) validateRegistry(p *problems) {
	if c.Registry.Len() == 0 {
		p.addf("registry: empty: expected at least the three boundary entries; see data.ReleasedRegistry and data.MustRegistry")
		return
	}
	for _, name := range c.Registry.Names() {
		if name == "" || !printable(name) {
			p.addf("registry: field name %q: expected printable UTF-8", name)
		}
		if i, _ := c.Registry.Index(name); i >= maxStates {
			p.addf("registry: field %q: expected an index below %d, got %d", name, maxStates, i)
		}
	}
}

// printable reports whether s is valid UTF-8 without control characters.
func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsPrint(r)
	})
}

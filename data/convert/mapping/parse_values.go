package mapping

import (
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/yamltext"
)

func (p *parser) coordinates(n ast.Node, at string) error {
	list, err := p.entries(n, at, "the coordinates of each axis, such as {x: x, y: {from: 0, to: 1}}")
	if err != nil {
		return err
	}
	p.m.Coordinates = map[string]Values{}
	for _, e := range list {
		if p.m.Coordinates[e.key], err = p.values(e.value, at+"."+e.key); err != nil {
			return err
		}
	}
	return nil
}

// values reads coordinates or times.
func (p *parser) values(n ast.Node, at string) (Values, error) {
	switch t := n.(type) {
	case *ast.SequenceNode:
		var v Values
		for _, e := range t.Values {
			x, err := p.number(p.doc.Resolve(e), at)
			if err != nil {
				return v, err
			}
			v.List = append(v.List, x)
		}
		return v, nil
	case *ast.MappingNode:
		list, err := p.entries(n, at, "an array or a range")
		if err != nil {
			return Values{}, err
		}
		if slices.ContainsFunc(list, func(e entry) bool { return e.key == "from" || e.key == "to" || e.key == "step" }) {
			return p.numbers(list, n, at)
		}
	default:
		if s, ok := yamltext.String(n); ok {
			if name, ok := placeholderOnly(s); ok {
				return Values{Name: name}, nil
			}
			if name, ok := strings.CutPrefix(s, "@"); ok {
				return Values{Attribute: name}, nil
			}
		}
	}
	s, err := p.source(n, at)
	return Values{Source: &s}, err
}

// numbers reads {from, to} or {from, step}.
func (p *parser) numbers(list []entry, n ast.Node, at string) (Values, error) {
	r := &Range{}
	given := map[string]bool{}
	for _, e := range list {
		v, err := p.number(e.value, at+"."+e.key)
		if err != nil {
			return Values{}, err
		}
		given[e.key] = true
		switch e.key {
		case "from":
			r.From = v
		case "to":
			r.To = v
		case "step":
			r.Step = v
		default:
			return Values{}, unknown(e, at, "from", "to", "step")
		}
	}
	if given["to"] == given["step"] || (given["step"] && r.Step == 0) || (given["to"] && r.To == r.From) {
		return Values{}, yamltext.At(n, "%s: expected from and to, which differ, or from and a step that is not 0", at)
	}
	return Values{Range: r}, nil
}

// placeholderOnly returns the name of a text that is a name in braces.
func placeholderOnly(s string) (string, bool) {
	if m := placeholder.FindStringSubmatch(s); m != nil && m[0] == s {
		return m[1], true
	}
	return "", false
}

func (p *parser) boundaries(n ast.Node, at string) error {
	list, err := p.entries(n, at, "the boundary of each axis, such as {x: periodic, y: wall/open}")
	if err != nil {
		return err
	}
	p.m.Boundaries = map[string]data.Boundary{}
	for _, e := range list {
		key := at + "." + e.key
		text, err := p.text(e.value, key)
		if err != nil {
			return err
		}
		b, err := data.ParseBoundaries(text)
		if err != nil || len(b) != 1 {
			return yamltext.At(e.value, "%s: expected periodic, wall, open, or the low and the high end such as wall/open, got %q: fill in the boundary of the axis", key, text)
		}
		p.m.Boundaries[e.key] = b[0]
	}
	return nil
}

func (p *parser) parameters(n ast.Node, at string) error {
	list, err := p.entries(n, at, "numbers, such as {viscosity: 0.01}")
	if err != nil {
		return err
	}
	for _, e := range list {
		key := at + "." + e.key
		q := Parameter{Name: e.key}
		text, isText := yamltext.String(e.value)
		name, inName := placeholderOnly(text)
		switch {
		case isText && inName:
			q.Placeholder = name
		case isText && strings.HasPrefix(text, "@"):
			q.Attribute = text[1:]
		case isText || e.value.Type() == ast.MappingType:
			var s Source
			s, err = p.source(e.value, key)
			q.Source = &s
		default:
			q.Value, err = p.number(e.value, key)
		}
		if err != nil {
			return err
		}
		p.m.Parameters = append(p.m.Parameters, q)
	}
	return nil
}

func (p *parser) split(n ast.Node, at string) error {
	list, err := p.entries(n, at, "the share of each split, such as {train: 0.8, valid: 0.1, test: 0.1}")
	if err != nil {
		return err
	}
	s := Split{Ratios: map[string]float64{}, Patterns: map[string]string{}, Numbers: map[string][]int{}}
	for _, e := range list {
		key := at + "." + e.key
		if e.key == "seed" {
			var v int
			if v, err = p.integer(e.value, key); err != nil {
				return err
			}
			s.Seed = uint64(v)
			continue
		}
		if !slices.Contains(splitNames, e.key) {
			return unknown(e, at, append(slices.Clone(splitNames), "seed")...)
		}
		if v, ok := yamltext.Float(e.value); ok {
			if !(v >= 0 && v <= 1) {
				return yamltext.At(e.value, "%s: expected a share of 0 to 1, a list of trajectories such as [8, 9], or a pattern of files, got %v", key, v)
			}
			s.Ratios[e.key] = v
		} else if _, ok := e.value.(*ast.SequenceNode); ok {
			if s.Numbers[e.key], err = p.integers(e.value, key); err != nil {
				return err
			}
		} else if s.Patterns[e.key], err = p.text(e.value, key); err != nil {
			return err
		}
	}
	forms := 0
	for _, n := range []int{len(s.Ratios), len(s.Patterns), len(s.Numbers)} {
		if n > 0 {
			forms++
		}
	}
	if forms > 1 {
		return yamltext.At(n, "split: expected shares, lists of trajectories or patterns of files, got several of them")
	}
	p.m.Split = s
	return nil
}

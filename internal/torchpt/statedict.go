package torchpt

import (
	"fmt"
	"slices"
)

// StateDict is a dict of tensors.
type StateDict struct {
	// Path is its position in the tree, from the root: {"app", "model"}; empty if it is
	// the root itself.
	Path []string
	// Tensors are its values in the file's order, with their names.
	Tensors []*Tensor

	index map[string]int
}

// Get returns the tensor of that name, and false if there is none.
func (s *StateDict) Get(name string) (*Tensor, bool) {
	i, ok := s.index[name]
	if !ok {
		return nil, false
	}
	return s.Tensors[i], true
}

// Names lists the tensors in the file's order.
func (s *StateDict) Names() []string {
	names := make([]string, len(s.Tensors))
	for i, t := range s.Tensors {
		names[i] = t.Name
	}
	return names
}

// Tensors returns the dict of tensors at a path of keys; without a path, the root. It
// returns an error if the dict holds anything but tensors under string keys.
func (f *File) Tensors(path ...string) (*StateDict, error) {
	v, err := f.Lookup(anys(path)...)
	if err != nil {
		return nil, err
	}
	s, err := newStateDict(v, path)
	if err != nil {
		return nil, f.fail(err)
	}
	return s, nil
}

// statePaths are the positions at which training programs store a model's state: the
// reference's checkpoints, common conventions, a bare state dict.
var statePaths = [][]string{{"app", "model"}, {"model"}, {"state_dict"}, {"model_state"}, {}}

// StateDict finds the model's parameters: at "app", "model", at "model", at
// "state_dict", at "model_state" or at the root, in this order. The result's Path is the
// position.
func (f *File) StateDict() (*StateDict, error) {
	got := describe(f.root)
	for _, path := range statePaths {
		v, err := f.Lookup(anys(path)...)
		if err != nil {
			continue
		}
		s, err := newStateDict(v, path)
		if err == nil && len(s.Tensors) > 0 {
			return s, nil
		}
		if err != nil && len(path) > 0 {
			got += "; " + err.Error() // why this position was skipped
		}
	}
	return nil, f.fail(fmt.Errorf("expected tensors at app.model, model, state_dict, model_state or the top level, got %s", got))
}

// anys converts path for Lookup.
func anys(path []string) []any {
	keys := make([]any, len(path))
	for i, p := range path {
		keys[i] = p
	}
	return keys
}

// newStateDict checks that v, found at path, is a dict of tensors.
func newStateDict(v any, path []string) (*StateDict, error) {
	where := joined(anys(path))
	d, ok := v.(*Dict)
	if !ok {
		return nil, fmt.Errorf("%s: expected a dict of tensors, got %s", where, kind(v))
	}
	s := &StateDict{Path: slices.Clone(path), index: make(map[string]int, d.Len())}
	for i, key := range d.keys {
		name, ok := key.(string)
		if !ok {
			return nil, fmt.Errorf("%s: expected names of tensors, got the key %v", where, key)
		}
		t, ok := d.values[key].(*Tensor)
		if !ok {
			return nil, fmt.Errorf("%s: expected only tensors, got %s at %q", where, kind(d.values[key]), name)
		}
		named := *t
		named.Name = name
		s.Tensors = append(s.Tensors, &named)
		s.index[name] = i
	}
	return s, nil
}

// describe names the first keys of a dict for an error.
func describe(v any) string {
	d, ok := v.(*Dict)
	if !ok {
		return "a " + kind(v)
	}
	const shown = 8
	text := fmt.Sprintf("a dict with the keys %v", d.keys[:min(shown, d.Len())])
	if d.Len() > shown {
		text += fmt.Sprintf(" and %d more", d.Len()-shown)
	}
	return text
}

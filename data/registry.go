package data

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The first three names of every registry. They are the boundary channels that package
// jitter appends to the fields.
const (
	ClosedBoundary = "closed_boundary"
	OpenBoundary   = "open_boundary"
	BiasCorrection = "bias_correction"
)

// Registry maps channel names to indices in the weights of the encoder and the decoder. The
// weights have one column per index; the model selects the columns of its input's channels
// (paper §3.1, "sub-selected projection"). A Registry is immutable: Extend returns a new
// one.
type Registry struct {
	index map[string]int
}

// NewRegistry returns a registry with the given names and indices. The indices of the three
// boundary channels must be 0, 1 and 2 as in the release, and no two names may share an
// index.
func NewRegistry(index map[string]int) (Registry, error) {
	seen := make(map[int]string, len(index))
	for _, name := range slices.Sorted(maps.Keys(index)) {
		i := index[name]
		if i < 0 {
			return Registry{}, fmt.Errorf("data: registry: field %q has the negative index %d", name, i)
		}
		if other, dup := seen[i]; dup {
			return Registry{}, fmt.Errorf("data: registry: fields %q and %q share index %d", other, name, i)
		}
		seen[i] = name
	}
	for i, name := range []string{ClosedBoundary, OpenBoundary, BiasCorrection} {
		if got, ok := index[name]; !ok || got != i {
			return Registry{}, fmt.Errorf("data: registry: expected %q at index %d, as in the release", name, i)
		}
	}
	return Registry{index: maps.Clone(index)}, nil
}

// MustRegistry returns a registry of the boundary channels followed by the given names. It
// panics if a name is repeated and is meant for literals.
func MustRegistry(names ...string) Registry {
	r, err := boundaryRegistry().Extend(names...)
	if err != nil {
		panic(err)
	}
	if r.Len() != 3+len(names) {
		panic(fmt.Sprintf("data: MustRegistry: repeated name in %v", names))
	}
	return r
}

func boundaryRegistry() Registry {
	return Registry{index: map[string]int{ClosedBoundary: 0, OpenBoundary: 1, BiasCorrection: 2}}
}

// ReleasedRegistry returns the 67 entries of the released weights.
func ReleasedRegistry() Registry {
	return MustRegistry(strings.Fields(releasedFields)...)
}

const releasedFields = `pressure velocity_x velocity_y velocity_z zeros_like_density
 speed_of_sound concentration
 D_xx D_xy D_xz D_yx D_yy D_yz D_zx D_zy D_zz
 E_xx E_xy E_xz E_yx E_yy E_yz E_zx E_zy E_zz
 density energy velocity_r velocity_theta velocity_phi
 momentum_x momentum_y momentum_z pressure_re pressure_im mask
 magnetic_field_x magnetic_field_y magnetic_field_z A B height
 internal_energy temperature electron_fraction entropy
 magnetic_field_log_r magnetic_field_log_theta magnetic_field_log_phi
 velocity_log_r buoyancy tracer log10_density log10_temperature c_zz
 C_xx C_xy C_xz C_yx C_yy C_yz C_zx C_zy C_zz`

// Len returns the number of names.
func (r Registry) Len() int { return len(r.index) }

// States returns the number of weight columns of a model with this registry: the largest
// index plus one.
func (r Registry) States() int {
	n := 0
	for _, i := range r.index {
		n = max(n, i+1)
	}
	return n
}

// Index returns the index of a name.
func (r Registry) Index(name string) (int, bool) {
	i, ok := r.index[name]
	return i, ok
}

// Indices returns the indices of several names. The error is an
// [*UnknownFieldsError] with all unknown names.
func (r Registry) Indices(names []string) ([]int, error) {
	out := make([]int, len(names))
	var unknown []string
	for k, name := range names {
		i, ok := r.index[name]
		if !ok {
			unknown = append(unknown, name)
		}
		out[k] = i
	}
	if len(unknown) > 0 {
		return nil, &UnknownFieldsError{Unknown: unknown, Known: r.Names()[min(3, r.Len()):]}
	}
	return out, nil
}

// Names returns all names, sorted by index.
func (r Registry) Names() []string {
	return slices.SortedFunc(maps.Keys(r.index), func(a, b string) int { return r.index[a] - r.index[b] })
}

// Map returns the names and indices as a new map.
func (r Registry) Map() map[string]int { return maps.Clone(r.index) }

// Extend returns a registry with the given names added. As in the release, unknown names
// get the indices after the largest one, in the given order; known names keep theirs.
func (r Registry) Extend(names ...string) (Registry, error) {
	index := maps.Clone(r.index)
	if index == nil {
		index = map[string]int{}
	}
	next := r.States()
	for _, name := range names {
		if name == "" {
			return Registry{}, fmt.Errorf("data: registry: empty field name")
		}
		if _, ok := index[name]; !ok {
			index[name] = next
			next++
		}
	}
	return NewRegistry(index)
}

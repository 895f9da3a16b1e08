package sweep

import (
	"iter"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/layers"
)

type point struct {
	X, Y   float64
	Names  []string
	Parent *point
}

// TestInvokeFindsPanics: also those of iterators, with the arguments' line.
func TestInvokeFindsPanics(t *testing.T) {
	for _, c := range []struct {
		f     any
		args  []any
		fault string
	}{
		{func(v []int) int { return v[0] }, []any{[]int{}}, "index out of range"},
		{func(p *point) float64 { return p.X }, []any{(*point)(nil)}, "nil pointer dereference"},
		{func(n int) []int { return make([]int, n) }, []any{-1}, "makeslice"},
		{func(n int) iter.Seq[int] {
			return func(yield func(int) bool) { panic("in the loop") }
		}, []any{1}, "in the loop"},
		{func(a int, b ...int) int { return a + b[1] }, []any{1, []int{2}}, "index out of range"},
		{func(v []int) int { return len(v) }, []any{[]int(nil)}, ""},
	} {
		var args []reflect.Value
		for _, a := range c.args {
			args = append(args, reflect.ValueOf(a))
		}
		_, fault := invoke(reflect.ValueOf(c.f), args)
		if c.fault == "" {
			assert.Empty(t, fault)
			continue
		}
		assert.Contains(t, fault, c.fault)
	}
}

// TestDrawIsNonsense: the generator draws every kind of bad value, and values that differ
// from a valid one in one place.
func TestDrawIsNonsense(t *testing.T) {
	g := &generator{rng: rand.New(rand.NewPCG(1, 2)), strings: []string{"known"}, pool: map[reflect.Type][]reflect.Value{}}
	valid := point{X: 1, Y: 2, Names: []string{"a"}}
	g.add(reflect.ValueOf(valid))
	var zero, inf, nan, deep, same, spoilt, known int
	for range 2000 {
		p := g.draw(reflect.TypeFor[*point](), 0)
		if p.IsNil() {
			zero++
			continue
		}
		v := p.Interface().(*point)
		count(&nan, math.IsNaN(v.X))
		count(&inf, math.IsInf(v.X, 0))
		count(&deep, v.Parent != nil && v.Parent.Parent != nil)
		count(&same, reflect.DeepEqual(*v, valid))
		count(&spoilt, v.X == 1 && v.Y == 2 && !reflect.DeepEqual(*v, valid))
		for _, name := range v.Names {
			count(&known, name == "known")
		}
	}
	for what, n := range map[string]int{"nil": zero, "infinite": inf, "NaN": nan, "nested": deep, "valid": same, "spoilt": spoilt, "known": known} {
		assert.Positive(t, n, what)
	}
	assert.Equal(t, point{X: 1, Y: 2, Names: []string{"a"}}, valid, "draws are copies")
	var negative, huge, ragged int
	for range 2000 {
		n := g.draw(reflect.TypeFor[int](), 0).Int()
		count(&negative, n < 0)
		count(&huge, n == math.MaxInt64)
		rows := g.draw(reflect.TypeFor[[][]float32](), 0).Interface().([][]float32)
		count(&ragged, len(rows) > 1 && len(rows[0]) != len(rows[1]))
	}
	for what, n := range map[string]int{"negative": negative, "huge": huge, "ragged": ragged} {
		assert.Positive(t, n, what)
	}
}

func count(n *int, yes bool) {
	if yes {
		*n++
	}
}

func TestBuildsGraph(t *testing.T) {
	for _, f := range []any{layers.Dense, layers.SiLU, func(*graph.Graph) {}, func() []*graph.Node { return nil }, func(layers.Vars) {},
		func(struct{ A map[string]*graph.Node }) {}, layers.VarsFrom} {
		assert.True(t, buildsGraph(reflect.TypeOf(f)), "%T", f)
	}
	for _, f := range []any{layers.RoPEBase, func(*point) error { return nil }, func(reflect.Type) {}} {
		assert.False(t, buildsGraph(reflect.TypeOf(f)), "%T", f)
	}
}

// TestExported: a name that is not in the list is found in the sources.
func TestExported(t *testing.T) {
	functions, methods, err := exported(".")
	require.NoError(t, err)
	assert.Equal(t, map[string]bool{"Run": true}, functions)
	assert.Empty(t, methods)
	functions, methods, err = exported("../../data")
	require.NoError(t, err)
	assert.True(t, functions["NewWindows"])
	assert.Contains(t, methods["Window"], "Validate")
	assert.NotContains(t, methods, "dropped", "unexported types")
}

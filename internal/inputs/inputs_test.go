package inputs

import (
	"sync"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/testbackend"
)

func list(values map[string]float32, names ...string) (l List) {
	for _, name := range names {
		l.Add(name, tensors.FromValue(values[name]))
	}
	return l
}

// TestProgram: a program finds its inputs by name in whatever order they come, and refuses
// calls with other names than those of the first.
func TestProgram(t *testing.T) {
	values := map[string]float32{"a": 7, "b": 2}
	for _, names := range [][]string{{"a", "b"}, {"b", "a"}} {
		p, err := NewProgram(testbackend.New(t), func(in Nodes) []*Node { return []*Node{Sub(in.Get("a"), in.Get("b"))} })
		require.NoError(t, err)
		defer p.Close()
		var work sync.WaitGroup
		for range 4 {
			work.Go(func() {
				out, err := p.Call(0, list(values, names...))
				require.NoError(t, err)
				require.Equal(t, float32(5), tensors.ToScalar[float32](out[0]))
			})
		}
		work.Wait()
		_, err = p.Call(0, list(values, names[1], names[0]))
		require.EqualError(t, err, "inputs: expected "+map[string]string{"a": "[a b]", "b": "[b a]"}[names[0]]+" as in the first call, got "+map[string]string{"a": "[b a]", "b": "[a b]"}[names[0]])
	}
}

// TestNames: a missing input, one name twice, and another number of nodes are errors of the
// graph.
func TestNames(t *testing.T) {
	for want, f := range map[string]struct {
		names []string
		build func(in Nodes) []*Node
	}{
		"expected an input c, got none": {[]string{"a", "b"}, func(in Nodes) []*Node { return []*Node{in.Get("c")} }},
		"two inputs have the name a":    {[]string{"a", "a"}, func(in Nodes) []*Node { return []*Node{in.Get("a")} }},
		"expected nodes of [a], got 0":  {[]string{"a"}, func(in Nodes) []*Node { return []*Node{List{{Name: "a"}}.Nodes(nil).Get("a")} }},
	} {
		p, err := NewProgram(testbackend.New(t), f.build)
		require.NoError(t, err)
		_, err = p.Call(0, list(map[string]float32{"a": 1, "b": 2}, f.names...))
		require.ErrorContains(t, err, want)
		p.Close()
	}
}

// TestStatistics: the four statistics are found, or none.
func TestStatistics(t *testing.T) {
	p, err := NewProgram(testbackend.New(t), func(in Nodes) []*Node {
		s, ok := in.Statistics()
		if !ok {
			return []*Node{in.Get("x")}
		}
		return s[:]
	})
	require.NoError(t, err)
	defer p.Close()
	var l List
	l.AddStatistics([4]*tensors.Tensor{tensors.FromValue(float32(1)), tensors.FromValue(float32(2)), tensors.FromValue(float32(3)), tensors.FromValue(float32(4))})
	out, err := p.Call(0, l)
	require.NoError(t, err)
	require.Equal(t, float32(3), tensors.ToScalar[float32](out[2]))
	require.Nil(t, List{}.Nodes(nil).Optional("mean"))
}

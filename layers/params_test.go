package layers

import (
	"math/rand/v2"
	"slices"

	. "github.com/gomlx/gomlx/core/graph"
)

// param is a parameter that a Weights method gets from its Vars.
type param struct {
	key  string
	dims []int
	init Init
}

// paramsOf lists the parameters that weights gets from its Vars, without a graph.
func paramsOf(weights func(v Vars)) (out []param) {
	weights(VarsFrom(func(key string, init Init, dims []int) *Node {
		out = append(out, param{key: key, dims: slices.Clone(dims), init: init})
		return nil
	}))
	return out
}

// paramSet holds random values for the parameters of a block.
type paramSet struct {
	keys []string
	in   []array
}

// randomParams draws values that keep activations near 1 and differ from all initial
// values: norm weights around 1, matrices N(0, 1/fan-in), frequencies and others of order
// 1.
func randomParams(rng *rand.Rand, weights func(v Vars)) (s paramSet) {
	for _, p := range paramsOf(weights) {
		a := normal(rng, p.dims...)
		for i, v := range a.data {
			switch {
			case p.init.Constant == 1:
				v = 1 + 0.2*v
			case len(p.dims) > 1 && p.init.Normal == 0:
				v /= sqrt(float64(len(a.data) / p.dims[0]))
			case len(p.dims) == 1 && p.init.Values == nil:
				v *= 0.3
			}
			a.data[i] = float64(float32(v))
		}
		s.keys, s.in = append(s.keys, p.key), append(s.in, a)
	}
	return s
}

// vars returns Vars that finds the parameters among nodes in the order of the keys.
func (s paramSet) vars(nodes []*Node) Vars {
	return VarsFrom(func(key string, _ Init, dims []int) *Node {
		i := slices.Index(s.keys, key)
		must(i >= 0, "expected one of %q, got %q", s.keys, key)
		nodes[i].AssertDims(dims...)
		return nodes[i]
	})
}

// get returns the values of the parameter with a key.
func (s paramSet) get(key string) array {
	i := slices.Index(s.keys, key)
	must(i >= 0, "expected one of %q, got %q", s.keys, key)
	return s.in[i]
}

// sub returns the parameters whose keys start with a prefix, with the prefix removed.
func (s paramSet) sub(prefix string) (out paramSet) {
	for i, k := range s.keys {
		if len(k) > len(prefix) && k[:len(prefix)] == prefix {
			out.keys, out.in = append(out.keys, k[len(prefix):]), append(out.in, s.in[i])
		}
	}
	return out
}

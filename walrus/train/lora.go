package train

import (
	"fmt"
	"math"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/gowalrus/gowalrus/internal/lora"
	"github.com/gowalrus/gowalrus/internal/shard"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus"
)

// LoRA trains low-rank adapters in place of some tensors (Hu et al. 2021,
// arXiv 2106.09685):
//
//	W = W₀ + Alpha/Rank · B·A,  A [Rank, in], B [out, Rank]
//
// W₀ does not change. A starts with random values and B with zeros, so that training
// starts at W = W₀. The weights of the trainer always hold W, so that forecasts,
// checkpoints and averages do not depend on adapters.
type LoRA struct {
	// Rank is the rank of the adapters.
	Rank int
	// Alpha/Rank multiplies B·A; 0 means Rank.
	Alpha float64
	// Targets are patterns as in Options.Freeze; nil means DefaultTargets(). Tensors of
	// one dimension are never adapted.
	Targets []string
}

// DefaultTargets returns patterns for the matrices of the processor: attention over space,
// its MLP, and attention in time. They do not match the table of relative positions, whose
// rows are looked up and not multiplied.
func DefaultTargets() []string { return lora.Targets() }

// Suffixes of the names of adapters.
const (
	adapterA = ".lora_a"
	adapterB = ".lora_b"
)

// adapters describes the low-rank adapters of a network's tensors. Groups hold their
// values: A and B in group.params, W₀ in group.base.
type adapters struct {
	rank   int
	alpha  float64
	params []walrus.Param // A and B of each target, in the order of the targets
	target map[string]bool
	keys   []string // targets, in the network's order
}

// newAdapters describes adapters for the matching tensors of a network.
func newAdapters(params []walrus.Param, o LoRA) (*adapters, error) {
	if o.Rank < 1 || o.Alpha < 0 || !finite(o.Alpha) {
		return nil, fmt.Errorf("train: LoRA: expected a positive rank and scale, got %d and %v", o.Rank, o.Alpha)
	}
	if o.Targets == nil {
		o.Targets = DefaultTargets()
	}
	if o.Alpha == 0 {
		o.Alpha = float64(o.Rank)
	}
	chosen, err := matching(params, o.Targets)
	if err != nil {
		return nil, err
	}
	a := &adapters{rank: o.Rank, alpha: o.Alpha, target: map[string]bool{}}
	for _, p := range params {
		if !chosen[p.Key] || len(p.Dims) < 2 || p.Init.Buffer {
			continue
		}
		out, in := p.Dims[0], p.Size()/p.Dims[0]
		if o.Rank > min(out, in) {
			return nil, fmt.Errorf("train: LoRA: rank %d: expected at most %d for %s %v", o.Rank, min(out, in), p.Key, p.Dims)
		}
		a.params = append(a.params,
			walrus.Param{Key: p.Key + adapterA, Dims: []int{o.Rank, in}, Init: layers.Init{Normal: 1 / math.Sqrt(float64(in))}},
			walrus.Param{Key: p.Key + adapterB, Dims: []int{out, o.Rank}})
		a.keys, a.target[p.Key] = append(a.keys, p.Key), true
	}
	if len(a.keys) == 0 {
		return nil, fmt.Errorf("train: LoRA: targets %q match no matrix of the network", o.Targets)
	}
	return a, nil
}

// adapts reports whether a tensor of the network is adapted. A trainer without LoRA has nil
// adapters.
func (a *adapters) adapts(key string) bool { return a != nil && a.target[key] }

// has reports whether key is the name of an adapter.
func (a *adapters) has(key string) bool {
	if a == nil {
		return false
	}
	target, ok := strings.CutSuffix(key, adapterA)
	if !ok {
		target, ok = strings.CutSuffix(key, adapterB)
	}
	return ok && a.target[target]
}

// merged computes W from W₀, A and B.
func (a *adapters) merged(base, first, second *Node) *Node {
	product := Reshape(Dot(second, first).Product(), base.Shape().Dimensions...)
	return Add(base, MulScalar(product, a.alpha/float64(a.rank)))
}

// mergeAdapters sets the adapted tensors to W.
func (g *group) mergeAdapters() error {
	a := g.t.lora
	exec, err := once(g.programs, g.programs.merges, "", func() (*Exec, error) {
		var in []int
		for _, key := range a.keys {
			in = append(in, g.slot(key).Axis(), -1, -1)
		}
		return g.layout.Program("adapters", func(in []*Node) []*Node {
			out := make([]*Node, len(a.keys))
			for i, key := range a.keys {
				s := g.slot(key)
				out[i] = g.layout.Flat(s, a.merged(s.Whole(in[3*i]), in[3*i+1], in[3*i+2]))
			}
			return out
		}, in, g.axes(a.keys))
	})
	if err != nil {
		return fmt.Errorf("train: LoRA: %w", err)
	}
	var args [][]any
	for _, key := range a.keys {
		args = append(args, shard.Any(g.base[key]), shard.Any(g.params[key+adapterA]), shard.Any(g.params[key+adapterB]))
	}
	out, err := g.layout.Call(exec, args)
	if err != nil {
		return fmt.Errorf("train: LoRA: %w", err)
	}
	for i, key := range a.keys {
		if err := g.replace(g.t.net.Tensors(), g.params, key, out[i]); err != nil {
			return err
		}
	}
	return nil
}

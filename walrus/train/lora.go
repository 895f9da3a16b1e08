package train

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gowalrus/gowalrus/internal/safetensors"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus"
)

// LoRA trains low-rank adapters in place of some tensors (Hu et al. 2021,
// arXiv 2106.09685):
//
//	W = W₀ + Alpha/Rank · B·A,  A [Rank, in], B [out, Rank]
//
// W₀ stays; A begins with random values, B with zeros, so that training begins at
// W₀. The weights of the trainer are W at any time: forecasts, checkpoints and
// averages need to know nothing of adapters.
type LoRA struct {
	// Rank of the adapters.
	Rank int
	// Alpha scales them; 0 is Rank.
	Alpha float64
	// Targets are patterns as in Options.Freeze; nil is every matrix of the
	// processor, "blocks.*.weight". Tensors of one dimension are never adapted.
	Targets []string
}

// Suffixes of the names of adapters.
const (
	adapterA = ".lora_a"
	adapterB = ".lora_b"
)

// adapters are the low-rank parts of some tensors.
type adapters struct {
	scale  float64
	base   map[string]*tensors.Tensor // W₀ by target
	values map[string]*tensors.Tensor // A and B by name
	params []walrus.Param             // of A and B, in the order of the targets
	target map[string]bool
	keys   []string // targets, in the network's order
	merge  *Exec
}

// newAdapters makes adapters for the matching tensors of weights.
func newAdapters(b compute.Backend, w *walrus.Weights, o LoRA, seed uint64) (*adapters, error) {
	if o.Rank < 1 || o.Alpha < 0 || math.IsInf(o.Alpha, 0) || math.IsNaN(o.Alpha) {
		return nil, fmt.Errorf("train: LoRA: expected a positive rank and scale, got %d and %v", o.Rank, o.Alpha)
	}
	if o.Targets == nil {
		o.Targets = []string{"blocks.*.weight"}
	}
	if o.Alpha == 0 {
		o.Alpha = float64(o.Rank)
	}
	chosen, err := Frozen(w.Params(), o.Targets)
	if err != nil {
		return nil, err
	}
	a := &adapters{scale: o.Alpha / float64(o.Rank), base: map[string]*tensors.Tensor{}, values: map[string]*tensors.Tensor{}, target: map[string]bool{}}
	for _, p := range w.Params() {
		if !chosen[p.Key] || len(p.Dims) < 2 || p.Init.Buffer {
			continue
		}
		if err := a.add(w, p, o.Rank, seed); err != nil {
			return nil, err
		}
	}
	if len(a.keys) == 0 {
		return nil, fmt.Errorf("train: LoRA: targets %q match no matrix of the network", o.Targets)
	}
	a.merge, err = NewExec(b, func(in []*Node) []*Node {
		out := make([]*Node, len(a.keys))
		for i := range out {
			out[i] = a.merged(in[3*i], in[3*i+1], in[3*i+2])
		}
		return out
	})
	return a, err
}

// add makes the adapter of a tensor [out, in, …].
func (a *adapters) add(w *walrus.Weights, p walrus.Param, rank int, seed uint64) error {
	out, in := p.Dims[0], p.Size()/p.Dims[0]
	if rank > min(out, in) {
		return fmt.Errorf("train: LoRA: rank %d: expected at most that of %s %v, %d", rank, p.Key, p.Dims, min(out, in))
	}
	now, _ := w.Tensor(p.Key)
	flat, err := tensors.CopyFlatData[float32](now)
	if err != nil {
		return fmt.Errorf("train: LoRA: %s: %w", p.Key, err)
	}
	first := walrus.Param{Key: p.Key + adapterA, Dims: []int{rank, in}, Init: layers.Init{Normal: 1 / math.Sqrt(float64(in))}}
	second := walrus.Param{Key: p.Key + adapterB, Dims: []int{out, rank}}
	values := make([]float32, first.Size())
	if err := first.Init.Fill(values, seed, first.Key); err != nil {
		return fmt.Errorf("train: LoRA: %s: %w", first.Key, err)
	}
	a.base[p.Key] = tensors.FromFlatDataAndDimensions(flat, p.Dims...)
	a.values[first.Key] = tensors.FromFlatDataAndDimensions(values, first.Dims...)
	a.values[second.Key] = tensors.FromFlatDataAndDimensions(make([]float32, second.Size()), second.Dims...)
	a.params = append(a.params, first, second)
	a.keys, a.target[p.Key] = append(a.keys, p.Key), true
	return nil
}

// merged is W of W₀, A and B.
func (a *adapters) merged(base, first, second *Node) *Node {
	product := Reshape(Dot(second, first).Product(), base.Shape().Dimensions...)
	return Add(base, MulScalar(product, a.scale))
}

// apply sets the adapted tensors of the weights to W.
func (a *adapters) apply(w *walrus.Weights) error {
	var args []any
	for _, key := range a.keys {
		args = append(args, a.base[key], a.values[key+adapterA], a.values[key+adapterB])
	}
	out, err := a.merge.Call(args...)
	if err != nil {
		return fmt.Errorf("train: LoRA: %w", err)
	}
	for i, key := range a.keys {
		if err := w.Set(key, out[i]); err != nil {
			return err
		}
	}
	return nil
}

// save writes adapters and what they adapt.
func (a *adapters) save(path string) error {
	var infos []safetensors.Info
	var values []*tensors.Tensor
	for _, list := range []map[string]*tensors.Tensor{a.base, a.values} {
		for _, key := range slices.Sorted(maps.Keys(list)) {
			infos = append(infos, safetensors.Info{Name: key, DType: safetensors.F32, Shape: list[key].Shape().Dimensions})
			values = append(values, list[key])
		}
	}
	return saveTensors(path, infos, values)
}

// load reads what save wrote.
func (a *adapters) load(path string) error {
	f, err := safetensors.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for _, list := range []map[string]*tensors.Tensor{a.base, a.values} {
		for key, old := range list {
			x, err := readTensor(f, path, key, old.Shape().Dimensions)
			if err != nil {
				return err
			}
			list[key] = x
			old.FinalizeAll()
		}
	}
	return nil
}

func (a *adapters) close() {
	a.merge.Finalize()
	for _, list := range []map[string]*tensors.Tensor{a.base, a.values} {
		for _, x := range list {
			x.FinalizeAll()
		}
	}
}

package train

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

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
func DefaultTargets() []string {
	return []string{"blocks.*.fused_ff_qkv.weight", "blocks.*.ff_out.weight", "blocks.*.attn_out.weight",
		"blocks.*.input_head.weight", "blocks.*.output_head.weight"}
}

// Suffixes of the names of adapters.
const (
	adapterA = ".lora_a"
	adapterB = ".lora_b"
)

// adapters holds the low-rank adapters of a network's tensors.
type adapters struct {
	rank   int
	alpha  float64
	base   map[string]*tensors.Tensor // W₀ by target
	values map[string]*tensors.Tensor // A and B by name
	params []walrus.Param             // A and B of each target, in the order of the targets
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
		o.Targets = DefaultTargets()
	}
	if o.Alpha == 0 {
		o.Alpha = float64(o.Rank)
	}
	chosen, err := Frozen(w.Params(), o.Targets)
	if err != nil {
		return nil, err
	}
	a := &adapters{rank: o.Rank, alpha: o.Alpha, base: map[string]*tensors.Tensor{}, values: map[string]*tensors.Tensor{}, target: map[string]bool{}}
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
		return fmt.Errorf("train: LoRA: rank %d: expected at most %d for %s %v", rank, min(out, in), p.Key, p.Dims)
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

// merged computes W from W₀, A and B.
func (a *adapters) merged(base, first, second *Node) *Node {
	product := Reshape(Dot(second, first).Product(), base.Shape().Dimensions...)
	return Add(base, MulScalar(product, a.alpha/float64(a.rank)))
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

// Metadata keys of a file of adapters alone.
const (
	rankKey  = "lora_rank"
	alphaKey = "lora_alpha"
	baseKey  = "lora_base" // SHA-256 of the adapted tensors before training
)

// SaveAdapters writes only the adapters, for [ApplyAdapters]: A and B of every target and,
// in the file's metadata, rank, alpha and the SHA-256 of the weights that they adapt. The file does not hold other trained tensors,
// which are all tensors that Options.Freeze does not freeze ("*" freezes all).
func (t *Trainer) SaveAdapters(path string) error {
	if t.lora == nil {
		return fmt.Errorf("train: adapters: expected a trainer with Options.LoRA, got one without")
	}
	var infos []safetensors.Info
	var values []*tensors.Tensor
	for _, p := range t.lora.params {
		infos = append(infos, safetensors.Info{Name: p.Key, DType: safetensors.F32, Shape: p.Dims})
		values = append(values, t.lora.values[p.Key])
	}
	base, err := digest(t.lora.keys, func(key string) (*tensors.Tensor, bool) { x, ok := t.lora.base[key]; return x, ok })
	if err != nil {
		return fmt.Errorf("train: adapters: %w", err)
	}
	metadata := map[string]string{rankKey: strconv.Itoa(t.lora.rank), alphaKey: strconv.FormatFloat(t.lora.alpha, 'g', -1, 64), baseKey: base}
	if err := saveTensors(path, infos, values, metadata); err != nil {
		return fmt.Errorf("train: adapters: %w", err)
	}
	return nil
}

// ApplyAdapters merges adapters that SaveAdapters wrote into the weights that they were
// trained from, W = W₀ + Alpha/Rank · B·A, on the host. It returns an
// error and changes nothing if the adapters do not fit, were trained from other weights, or
// have values that are not finite. So it is also an error to apply adapters twice.
func ApplyAdapters(weights *walrus.Weights, path string) error {
	f, err := safetensors.Open(path)
	if err != nil {
		return fmt.Errorf("train: adapters: %w", err)
	}
	defer f.Close()
	fail := func(err error) error { return fmt.Errorf("train: adapters %s: %w", path, err) }
	rank, scale, err := adapterScale(f.Metadata())
	if err != nil {
		return fail(err)
	}
	targets, err := adapted(f, weights, rank)
	if err != nil {
		return fail(err)
	}
	keys := make([]string, len(targets))
	for i, p := range targets {
		keys[i] = p.Key
	}
	base, err := digest(keys, weights.Tensor)
	if err != nil {
		return fail(err)
	}
	if want := f.Metadata()[baseKey]; want != base {
		return fail(fmt.Errorf("base weights: expected the weights that the adapters were trained from (SHA-256 %s), got %s: load those weights, and apply adapters once", want, base))
	}
	merged := make([]*tensors.Tensor, len(targets))
	for i, p := range targets {
		if merged[i], err = addProduct(weights, f, p, rank, scale); err != nil {
			return fail(fmt.Errorf("%s: %w", p.Key, err))
		}
	}
	for i, p := range targets {
		if err := weights.Set(p.Key, merged[i]); err != nil {
			return fail(err)
		}
	}
	return nil
}

// adapterScale reads rank and alpha/rank from the metadata of a file.
func adapterScale(metadata map[string]string) (rank int, scale float64, err error) {
	rank, err1 := strconv.Atoi(metadata[rankKey])
	alpha, err2 := strconv.ParseFloat(metadata[alphaKey], 64)
	if errors.Join(err1, err2) != nil || metadata[baseKey] == "" {
		return 0, 0, fmt.Errorf("expected %s, %s and %s in the metadata, got %v", rankKey, alphaKey, baseKey, metadata)
	}
	if rank < 1 || !(alpha > 0) || !finite(alpha) {
		return 0, 0, fmt.Errorf("expected a positive %s and a positive finite %s, got %d and %v", rankKey, alphaKey, rank, alpha)
	}
	return rank, alpha / float64(rank), nil
}

// digest returns the SHA-256 of names and values of tensors in hexadecimal digits. It
// does not depend on the order of keys.
func digest(keys []string, tensor func(key string) (*tensors.Tensor, bool)) (string, error) {
	h := sha256.New()
	for _, key := range slices.Sorted(slices.Values(keys)) {
		x, ok := tensor(key)
		if !ok {
			return "", fmt.Errorf("%s: expected a value, got none", key)
		}
		flat, err := tensors.CopyFlatData[float32](x)
		if err != nil {
			return "", fmt.Errorf("%s: %w", key, err)
		}
		fmt.Fprintf(h, "%s %v\n", key, x.Shape().Dimensions)
		if err := binary.Write(h, binary.LittleEndian, flat); err != nil {
			return "", fmt.Errorf("%s: %w", key, err)
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// adapted lists the tensors that a file has adapters for and checks the shapes.
func adapted(f *safetensors.File, weights *walrus.Weights, rank int) ([]walrus.Param, error) {
	var out []walrus.Param
	found := 0
	for _, p := range weights.Params() {
		first, ok := f.Info(p.Key + adapterA)
		if !ok {
			continue
		}
		second, ok := f.Info(p.Key + adapterB)
		rows := p.Dims[0]
		if want := []int{rank, p.Size() / rows}; !slices.Equal(first.Shape, want) {
			return nil, fmt.Errorf("%s: expected %v, got %v", first.Name, want, first.Shape)
		}
		if want := []int{rows, rank}; !ok || !slices.Equal(second.Shape, want) {
			return nil, fmt.Errorf("%s: expected %v, got %v", p.Key+adapterB, want, second.Shape)
		}
		if _, ok := weights.Tensor(p.Key); !ok {
			return nil, fmt.Errorf("%s: expected a value, got finalized weights", p.Key)
		}
		out, found = append(out, p), found+2
	}
	if names := f.Names(); found == 0 || found != len(names) {
		return nil, fmt.Errorf("expected adapters of the network's tensors, got %d tensors, %d of them adapters of the network", len(names), found)
	}
	return out, nil
}

// addProduct returns a tensor of the weights plus scale·B·A. Values that are not finite are
// an error.
func addProduct(weights *walrus.Weights, f *safetensors.File, p walrus.Param, rank int, scale float64) (*tensors.Tensor, error) {
	a, _, err := f.Float32(p.Key + adapterA)
	if err != nil {
		return nil, err
	}
	b, _, err := f.Float32(p.Key + adapterB)
	if err != nil {
		return nil, err
	}
	now, _ := weights.Tensor(p.Key)
	flat, err := tensors.CopyFlatData[float32](now)
	if err != nil {
		return nil, err
	}
	columns := len(a) / rank
	for i := range flat {
		row, column, sum := i/columns, i%columns, 0.0
		for k := range rank {
			sum += float64(b[row*rank+k]) * float64(a[k*columns+column])
		}
		flat[i] += float32(scale * sum)
		if !finite(float64(flat[i])) {
			return nil, fmt.Errorf("value %d: expected a finite sum of weight and adapter, got %v", i, flat[i])
		}
	}
	return tensors.FromFlatDataAndDimensions(flat, p.Dims...), nil
}

// save writes A, B and W₀ of every target.
func (a *adapters) save(path string) error {
	var infos []safetensors.Info
	var values []*tensors.Tensor
	for _, list := range []map[string]*tensors.Tensor{a.base, a.values} {
		for _, key := range slices.Sorted(maps.Keys(list)) {
			infos = append(infos, safetensors.Info{Name: key, DType: safetensors.F32, Shape: list[key].Shape().Dimensions})
			values = append(values, list[key])
		}
	}
	return saveTensors(path, infos, values, nil)
}

// load reads the file that save wrote.
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

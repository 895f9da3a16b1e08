package train

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gowalrus/gowalrus/internal/safetensors"
	"github.com/gowalrus/gowalrus/walrus"
)

// Metadata keys of a file of adapters alone.
const (
	rankKey  = "lora_rank"
	alphaKey = "lora_alpha"
	baseKey  = "lora_base" // SHA-256 of the adapted tensors before training
)

// SaveAdapters writes only the adapters, for [ApplyAdapters]: A and B of every target and,
// in the file's metadata, rank, alpha and the SHA-256 of the weights that they adapt. The
// file does not hold other trained tensors, which are all tensors that Options.Freeze does
// not freeze ("*" freezes all).
func (t *Trainer) SaveAdapters(path string) error {
	if t.lora == nil {
		return fmt.Errorf("train: adapters: expected a trainer with Options.LoRA, got one without")
	}
	if err := t.enter(); err != nil {
		return fmt.Errorf("train: adapters: %w", err)
	}
	defer t.uses.Leave()
	var list []saved
	for _, p := range t.lora.params {
		list = append(list, saved{p.Key, p.Key, t.groups[0].params})
	}
	base, err := digest(t.targets(), func(key string) ([]float32, error) { return t.groups[0].get(t.groups[0].base, key) })
	if err != nil {
		return fmt.Errorf("train: adapters: %w", err)
	}
	metadata := map[string]string{rankKey: strconv.Itoa(t.lora.rank), alphaKey: strconv.FormatFloat(t.lora.alpha, 'g', -1, 64), baseKey: base}
	if err := t.save(path, list, metadata); err != nil {
		return fmt.Errorf("train: adapters: %w", err)
	}
	return nil
}

// ApplyAdapters merges adapters that SaveAdapters wrote into the weights that they were
// trained from, W = W₀ + Alpha/Rank · B·A, on the host. It returns an error and changes
// nothing if the adapters do not fit, were trained from other weights, or have values that
// are not finite. So it is also an error to apply adapters twice.
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
	base, err := digest(targets, func(key string) ([]float32, error) { return valuesOf(&weights.TensorSet, key) })
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

// digest returns the SHA-256 of names, shapes and values of tensors in hexadecimal digits.
// It does not depend on their order.
func digest(params []walrus.Param, values func(key string) ([]float32, error)) (string, error) {
	h := sha256.New()
	for _, p := range slices.SortedFunc(slices.Values(params), byKey) {
		flat, err := values(p.Key)
		if err != nil {
			return "", fmt.Errorf("%s: %w", p.Key, err)
		}
		fmt.Fprintf(h, "%s %v\n", p.Key, p.Dims)
		if err := binary.Write(h, binary.LittleEndian, flat); err != nil {
			return "", fmt.Errorf("%s: %w", p.Key, err)
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func byKey(a, b walrus.Param) int { return strings.Compare(a.Key, b.Key) }

// valuesOf copies a tensor.
func valuesOf(w *walrus.TensorSet, key string) ([]float32, error) {
	x, ok := w.Tensor(key)
	if !ok {
		return nil, fmt.Errorf("%s: expected a value, got none", key)
	}
	return tensors.CopyFlatData[float32](x)
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
			return nil, fmt.Errorf("%s: the weights were freed", p.Key)
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
	flat, err := valuesOf(&weights.TensorSet, p.Key)
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

// saveAdapters writes A, B and W₀ of every target.
func (t *Trainer) saveAdapters(path string) error {
	var list []saved
	for _, p := range slices.SortedFunc(slices.Values(t.targets()), byKey) {
		list = append(list, saved{p.Key, p.Key, t.groups[0].base})
	}
	for _, p := range slices.SortedFunc(slices.Values(t.lora.params), byKey) {
		list = append(list, saved{p.Key, p.Key, t.groups[0].params})
	}
	return t.save(path, list, nil)
}

// targets lists the adapted tensors.
func (t *Trainer) targets() []walrus.Param {
	var out []walrus.Param
	for _, key := range t.lora.keys {
		out = append(out, t.index[key])
	}
	return out
}

// loadAdapters reads the file that saveAdapters wrote.
func (t *Trainer) loadAdapters(path string) error {
	f, err := safetensors.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for _, p := range t.targets() {
		if err := t.loadInto(f, path, p.Key, p, func(g *group) stored { return g.base }); err != nil {
			return err
		}
	}
	for _, p := range t.lora.params {
		if err := t.loadInto(f, path, p.Key, p, func(g *group) stored { return g.params }); err != nil {
			return err
		}
	}
	return nil
}

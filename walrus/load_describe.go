package walrus

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/gowalrus/gowalrus/internal/torchpt"
)

// WeightsSummary describes a weight file without reading its values.
type WeightsSummary struct {
	Path string `json:"path"`
	// Format and Where are as in LoadReport.
	Format string `json:"format"`
	Where  string `json:"where"`
	// Tensors and Values are the numbers of tensors and of their values at Where, Bytes
	// is their size in the file, and FileBytes the size of the whole file.
	Tensors   int   `json:"tensors"`
	Values    int64 `json:"values"`
	Bytes     int64 `json:"bytes"`
	FileBytes int64 `json:"file_bytes"`
	// DTypes counts the tensors of each element type.
	DTypes map[string]int `json:"dtypes"`
	// Largest lists up to five tensors, the largest first.
	Largest []TensorInfo `json:"largest"`
	// Metadata is the free text of a safetensors file.
	Metadata map[string]string `json:"metadata,omitempty"`
	Training TrainingState     `json:"training"`
}

// TrainingState is the information in a checkpoint about its training. Fields are nil
// for values that the checkpoint lacks.
type TrainingState struct {
	// Optimizer is true if the state of an optimiser is saved, too.
	Optimizer   bool     `json:"optimizer"`
	Step        *int64   `json:"step,omitempty"`
	Epoch       *int64   `json:"epoch,omitempty"`
	ValLoss     *float64 `json:"val_loss,omitempty"`
	BestValLoss *float64 `json:"best_val_loss,omitempty"`
}

// DescribeWeights describes a .pt or .safetensors file. It reads the state of a training
// from app.optimizer of a .pt file and from a metadata.pt in the same folder, as the
// release's trainer writes them.
func DescribeWeights(path string) (*WeightsSummary, error) {
	f, err := openWeightFile(path, LoadOptions{})
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("walrus: weights: %w", err)
	}
	s := &WeightsSummary{Path: path, Format: f.format, Where: f.where, Tensors: len(f.entries),
		FileBytes: info.Size(), DTypes: map[string]int{}, Metadata: f.metadata}
	for _, e := range f.entries {
		s.Values += int64(e.size())
		s.Bytes += e.Bytes()
		s.DTypes[e.DType]++
		s.Largest = append(s.Largest, e.TensorInfo)
	}
	slices.SortStableFunc(s.Largest, func(a, b TensorInfo) int { return cmp.Compare(b.Bytes(), a.Bytes()) })
	s.Largest = s.Largest[:min(5, len(s.Largest))]
	if f.torch != nil {
		s.Training.fromOptimizer(f.torch)
		s.Training.fromTrainer(f.torch)
		s.Training.fromMetadata(filepath.Join(filepath.Dir(path), "metadata.pt"))
	}
	return s, nil
}

// Describe is [DescribeWeights], completed from the manifest.
func (f Found) Describe() (*WeightsSummary, error) {
	s, err := DescribeWeights(f.Weights)
	if err != nil || f.Manifest == nil {
		return s, err
	}
	step := f.Manifest.Step
	s.Training.Step = &step
	_, s.Training.Optimizer = f.Manifest.Part(OptimizerFile)
	return s, nil
}

// fromOptimizer reads the step of the first parameter that has one, because torch
// counts steps per parameter.
func (s *TrainingState) fromOptimizer(f *torchpt.File) {
	for _, at := range [][]any{{"app", "optimizer"}, {"optimizer"}, {"optimizer_state_dict"}} {
		if _, err := f.Lookup(at...); err != nil {
			continue
		}
		s.Optimizer = true
		state, _ := f.Lookup(append(at, "state")...)
		params, ok := state.(*torchpt.Dict)
		if !ok {
			return
		}
		for _, key := range params.Keys() {
			v, _ := params.Get(key)
			if moments, ok := v.(*torchpt.Dict); ok {
				step, _ := moments.Get("step")
				s.Step = integer(step)
				return
			}
		}
	}
}

// fromTrainer reads the counters iters and epoch, which MPP's trainer saves with the
// weights.
func (s *TrainingState) fromTrainer(f *torchpt.File) {
	if steps, err := f.Lookup("iters"); err == nil && s.Step == nil {
		s.Step = integer(steps)
	}
	if epoch, err := f.Lookup("epoch"); err == nil {
		s.Epoch = integer(epoch)
	}
}

// fromMetadata reads the release's metadata.pt if it exists and is readable.
func (s *TrainingState) fromMetadata(path string) {
	f, err := torchpt.Open(path, torchpt.Options{})
	if err != nil {
		return
	}
	defer f.Close()
	get := func(key string) any { v, _ := f.Lookup(key); return v }
	s.Epoch, s.ValLoss, s.BestValLoss = integer(get("epoch")), number(get("val_loss")), number(get("best_val_loss"))
}

// number returns the value of a Python number or of a tensor with one element, and nil
// for anything else.
func number(v any) *float64 {
	var x float64
	switch v := v.(type) {
	case int64:
		x = float64(v)
	case float64:
		x = v
	case *torchpt.Tensor:
		if v.Elements() != 1 {
			return nil
		}
		values, err := v.Float32()
		if err != nil {
			return nil
		}
		x = float64(values[0])
	default:
		return nil
	}
	return &x
}

// integer is number for counts.
func integer(v any) *int64 {
	x := number(v)
	if x == nil {
		return nil
	}
	n := int64(*x)
	return &n
}

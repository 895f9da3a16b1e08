package walrus

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gowalrus/gowalrus/internal/safetensors"
	"github.com/gowalrus/gowalrus/internal/torchpt"
)

// Names of the formats of weight files in reports.
const (
	FormatTorch       = "torch .pt"
	FormatSafetensors = "safetensors"
)

// weightFile is an open file of tensors, of either format.
type weightFile struct {
	path, format string
	where        string        // where in the file the tensors are
	entries      []weightEntry // in file order
	metadata     map[string]string
	torch        *torchpt.File // nil for safetensors
	io.Closer
}

// weightEntry is one tensor of a file.
type weightEntry struct {
	TensorInfo
	read func(dst []float32) error
}

// TensorInfo describes a tensor of a weight file.
type TensorInfo struct {
	Name string `json:"name"`
	// DType is the file's element type: "F32", "BF16".
	DType string `json:"dtype"`
	Shape []int  `json:"shape"`
}

func (t TensorInfo) size() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// Bytes returns the bytes of the tensor's values in the file.
func (t TensorInfo) Bytes() int64 {
	size, _ := safetensors.ByteSize(t.DType)
	return int64(t.size()) * int64(size)
}

// openWeightFile opens a file of either format by its content.
func openWeightFile(path string, o LoadOptions) (*weightFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("walrus: weights: %w", err)
	}
	w, err := readWeightFile(f, path, o)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("walrus: weights: %w", err)
	}
	return w, nil
}

// readWeightFile lists the tensors of an open file, which the result closes.
func readWeightFile(f *os.File, path string, o LoadOptions) (*weightFile, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, fmt.Errorf("%s: expected a .pt or .safetensors file, got a folder (see FindCheckpoint)", path)
	}
	head := make([]byte, min(32, info.Size()))
	if _, err := f.ReadAt(head, 0); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	switch {
	case len(head) == 0:
		return nil, fmt.Errorf("%s: expected a .pt or .safetensors file, got an empty one", path)
	case bytes.HasPrefix(head, []byte("version https://git-lfs")):
		return nil, fmt.Errorf("%s: expected weights, got a Git LFS pointer; fetch the file itself with git lfs pull", path)
	case bytes.HasPrefix(head, []byte("PK\x03\x04")) || slices.Contains([]string{".pt", ".pth", ".ckpt", ".bin"}, strings.ToLower(filepath.Ext(path))):
		return readTorch(f, info.Size(), path, o)
	}
	s, err := safetensors.NewFile(f, info.Size(), path)
	if err != nil {
		return nil, err
	}
	return weightsIn(s, f, path), nil
}

func readTorch(file *os.File, size int64, path string, o LoadOptions) (*weightFile, error) {
	f, err := torchpt.NewFile(file, size, path, torchpt.Options{SkipCRC: o.SkipCRC})
	if err != nil {
		return nil, err
	}
	state, err := f.StateDict()
	if err != nil {
		return nil, err
	}
	w := &weightFile{path: path, format: FormatTorch, where: strings.Join(state.Path, "."), Closer: file, torch: f}
	for _, t := range state.Tensors {
		w.entries = append(w.entries, weightEntry{TensorInfo{t.Name, t.DType, t.Shape}, t.ReadFloat32})
	}
	if w.where == "" {
		w.where = "top level"
	}
	return w, nil
}

// weightsIn lists the tensors of a safetensors file.
func weightsIn(f *safetensors.File, closer io.Closer, path string) *weightFile {
	w := &weightFile{path: path, format: FormatSafetensors, where: "top level", Closer: closer, metadata: f.Metadata()}
	for _, name := range f.Names() {
		info, _ := f.Info(name)
		w.entries = append(w.entries, weightEntry{TensorInfo{name, info.DType, info.Shape},
			func(dst []float32) error { return f.ReadFloat32(name, dst) }})
	}
	return w
}

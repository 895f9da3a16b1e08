package walrus

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gowalrus/gowalrus/internal/torchpt"
)

// TensorFile describes the content of a weight file.
type TensorFile struct {
	Path string
	// Format and Where are as in LoadReport.
	Format, Where string
	// Tensors lists names, types and shapes in the file's order. A prefix "model.",
	// "module." or "_orig_mod." that all names have is removed.
	Tensors []TensorInfo
	// Settings holds the plain values of the argparse.Namespace or the dictionary that
	// some training programs save as "args" in a .pt file: nil, bool, int64, float64,
	// string, []any and map[string]any. Values of other types are left out. Nil without
	// such an entry.
	Settings map[string]any
}

// ListTensors lists the tensors of a PyTorch checkpoint or a .safetensors file without
// reading their values, so that a network's configuration can be derived from them.
func ListTensors(path string) (*TensorFile, error) {
	f, err := openWeightFile(path, LoadOptions{})
	if err != nil {
		return nil, err
	}
	defer f.Close()
	out := &TensorFile{Path: path, Format: f.format, Where: f.where}
	for _, e := range f.entries {
		out.Tensors = append(out.Tensors, TensorInfo{e.Name, e.DType, slices.Clone(e.Shape)})
	}
	out.trim()
	if f.torch != nil {
		if v, err := f.torch.Lookup("args"); err == nil {
			p := plainer{left: maxSettings}
			out.Settings, _ = p.value(v, settingsDepth).(map[string]any)
			if p.left < 0 {
				return nil, fmt.Errorf("walrus: weights: %s: settings: expected at most %d values, got more", path, maxSettings)
			}
		}
	}
	return out, nil
}

// trim removes a prefix that all names have.
func (f *TensorFile) trim() {
	for _, prefix := range weightPrefixes[1:] {
		if len(f.Tensors) == 0 || slices.ContainsFunc(f.Tensors, func(t TensorInfo) bool { return !strings.HasPrefix(t.Name, prefix) }) {
			continue
		}
		for i := range f.Tensors {
			f.Tensors[i].Name = strings.TrimPrefix(f.Tensors[i].Name, prefix)
		}
		f.Where += fmt.Sprintf(", prefix %q", prefix)
		return
	}
}

// Shape returns the shape of a tensor, and false if the file has none of that name.
func (f *TensorFile) Shape(name string) ([]int, bool) {
	for _, t := range f.Tensors {
		if t.Name == name {
			return slices.Clone(t.Shape), true
		}
	}
	return nil, false
}

// settingsDepth and maxSettings bound the nesting and the number of settings. In a hostile
// file, containers contain themselves or the same container many times.
const (
	settingsDepth = 8
	maxSettings   = 1 << 14
)

// plainer converts values of a .pt file.
type plainer struct {
	left int // values that may still be converted; negative if there were more
}

// value returns a plain value, or nil for one that is not plain.
func (p *plainer) value(v any, depth int) any {
	if p.left--; p.left < 0 || depth == 0 {
		return nil
	}
	switch v := v.(type) {
	case bool, int64, float64, string:
		return v
	case *torchpt.Namespace:
		return p.mapping(&v.Dict, depth)
	case *torchpt.Dict:
		return p.mapping(v, depth)
	case *torchpt.List:
		return p.list(v.Items, depth)
	case torchpt.Tuple:
		return p.list(v, depth)
	}
	return nil
}

func (p *plainer) mapping(d *torchpt.Dict, depth int) map[string]any {
	out := map[string]any{}
	for _, key := range d.Keys() {
		name, ok := key.(string)
		item, _ := d.Get(key)
		if plain := p.value(item, depth-1); ok && (plain != nil || item == nil) {
			out[name] = plain
		}
		if p.left < 0 {
			break
		}
	}
	return out
}

func (p *plainer) list(items []any, depth int) []any {
	out := []any{}
	for _, item := range items {
		if plain := p.value(item, depth-1); plain != nil || item == nil {
			out = append(out, plain)
		}
		if p.left < 0 {
			break
		}
	}
	return out
}

// TorchLayout describes a file that [TensorSet.SaveTorch] writes. The zero value is a state
// dict alone.
type TorchLayout struct {
	// At are the keys of the dictionaries around the state dict: {"app", "model"}.
	At []string
	// Settings is written as the argparse.Namespace "args" into the outermost dictionary. Its
	// values have the types of TensorFile.Settings. torch.load then needs
	// weights_only=False, as for every file with such settings. Nil means none.
	Settings map[string]any
}

// SaveTorch writes the weights to a file of torch under their keys, one tensor at a time.
// The file appears under its name only when it is complete.
func (w *TensorSet) SaveTorch(path string, layout TorchLayout) error {
	var more []torchpt.Entry
	if layout.Settings != nil {
		if len(layout.At) == 0 {
			return fmt.Errorf("walrus: saving weights to %s: expected a key for the tensors next to the settings, got none in TorchLayout.At", path)
		}
		settings, err := pickled(layout.Settings, settingsDepth)
		if err != nil {
			return fmt.Errorf("walrus: saving weights to %s: settings: %w", path, err)
		}
		more = []torchpt.Entry{{Key: "args", Value: settings}}
	}
	if err := w.saveTorch(path, more, layout.At...); err != nil {
		return fmt.Errorf("walrus: saving weights to %s: %w", path, err)
	}
	return nil
}

// pickled converts settings to values of torchpt.
func pickled(v any, depth int) (any, error) {
	if depth == 0 {
		return nil, errors.New("expected values that are not nested deeper")
	}
	switch v := v.(type) {
	case nil, bool, int64, float64, string:
		return v, nil
	case []any:
		out := &torchpt.List{}
		for _, item := range v {
			x, err := pickled(item, depth-1)
			if err != nil {
				return nil, err
			}
			out.Items = append(out.Items, x)
		}
		return out, nil
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, item := range v {
			x, err := pickled(item, depth-1)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", key, err)
			}
			out[key] = x
		}
		n := torchpt.NewNamespace(out)
		if depth == settingsDepth {
			return n, nil
		}
		return &n.Dict, nil // only the outermost mapping is a namespace
	}
	return nil, fmt.Errorf("expected nil, bool, int64, float64, string, []any or map[string]any, got %T", v)
}

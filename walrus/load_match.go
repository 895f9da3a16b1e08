package walrus

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/gowalrus/gowalrus/data"
)

// matching assigns the tensors of a file to the parameters of a network.
type matching struct {
	file     *weightFile
	weights  *TensorSet
	registry data.Registry // of the network; empty for other networks than Walrus
	options  LoadOptions
	report   *LoadReport
	users    map[int][]int // entry of the file → parameters read from it
	columns  []columnMove  // nil when the registries agree
	states   int           // field columns of tensors in the file
}

// weightPrefixes are the prefixes that names may have: none, the name of the model
// in a larger module, and the prefixes that wrappers of torch add.
var weightPrefixes = []string{"", "model.", "module.", "_orig_mod."}

// floatTypes are the element types that are read and converted to float32.
var floatTypes = []string{"F32", "F64", "F16", "BF16"}

// match compares a file's tensors with a network's.
func match(f *weightFile, w *TensorSet, registry data.Registry, o LoadOptions) *matching {
	m := &matching{file: f, weights: w, registry: registry, options: o, users: map[int][]int{}, states: registry.States()}
	m.report = &LoadReport{Path: f.path, Format: f.format, Where: f.where, Converted: map[string]int{}}
	m.alignFields()
	prefix := bestPrefix(f, w)
	if prefix != "" {
		m.report.Where += fmt.Sprintf(", prefix %q", prefix)
	}
	index := map[string]int{}
	for e, entry := range f.entries {
		if name, ok := strings.CutPrefix(entry.Name, prefix); ok {
			index[name] = e
		}
	}
	for i, p := range w.params {
		m.matchParam(i, p, index)
	}
	for e, entry := range f.entries {
		if name, ok := strings.CutPrefix(entry.Name, prefix); ok && m.users[e] == nil && !m.report.mismatched(name) {
			m.report.Unexpected = append(m.report.Unexpected, name)
		}
	}
	return m
}

// bestPrefix returns the prefix with which the file contains most names of the network.
func bestPrefix(f *weightFile, w *TensorSet) string {
	best, most := "", 0
	for _, prefix := range weightPrefixes {
		n := 0
		for _, e := range f.entries {
			if name, ok := strings.CutPrefix(e.Name, prefix); ok {
				if _, ok := w.index[name]; ok {
					n++
				}
			}
		}
		if n > most {
			best, most = prefix, n
		}
	}
	return best
}

// matchParam finds the entry of one parameter and records a problem in the report.
func (m *matching) matchParam(i int, p Param, index map[string]int) {
	e, ok := index[p.Key]
	if !ok {
		base, perAxis := sharedFrequencies(p.Key)
		if e, ok = index[base]; !perAxis || !ok {
			m.report.Missing = append(m.report.Missing, p.Key)
			return
		}
		m.report.Expanded = append(m.report.Expanded, p.Key)
	}
	entry, want := m.file.entries[e], slices.Clone(p.Dims)
	if axis, _ := fieldAxis(p.Key); axis >= 0 && m.registry.Len() > 0 {
		want[axis] = m.states
	}
	if !slices.Equal(want, entry.Shape) || !slices.Contains(floatTypes, entry.DType) {
		m.report.Mismatched = append(m.report.Mismatched, Mismatch{p.Key, want, entry.Shape, entry.DType})
		return
	}
	m.users[e] = append(m.users[e], i)
	m.report.Tensors++
	if !p.Init.Buffer {
		m.report.Parameters += int64(p.Size())
	}
	if entry.DType != "F32" {
		m.report.Converted[entry.DType]++
	}
}

// sharedFrequencies turns the key of one axis's rotary frequencies into the key of
// frequencies that all axes share. It returns false for other keys.
func sharedFrequencies(key string) (string, bool) {
	for _, axis := range []string{".0", ".1", ".2"} {
		if base, ok := strings.CutSuffix(key, axis); ok && strings.HasSuffix(base, ".rotary_emb.freqs") {
			return base, true
		}
	}
	return "", false
}

// alignFields computes the moves of field columns if the registries differ.
func (m *matching) alignFields() {
	from, to := m.options.Source, m.registry
	if from.Len() == 0 || sameRegistry(from, to) {
		return
	}
	m.states = from.States()
	m.columns, m.report.NewFields, m.report.DroppedFields = columnMoves(from, to)
	m.report.Aligned = true
}

// scale returns the factor for moved columns.
func (m *matching) scale(scaled bool) float32 {
	if !scaled {
		return 1
	}
	return float32(math.Sqrt(float64(m.states) / float64(m.registry.States())))
}

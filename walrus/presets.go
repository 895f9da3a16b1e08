package walrus

import (
	"fmt"
	"strings"

	"github.com/gowalrus/gowalrus/data"
)

// Walrus returns the configuration of the released weights: 1.29·10⁹
// parameters in 40 blocks (paper Table 2; the release's extended_config.yaml).
func Walrus() Config {
	return Config{
		Name:            "walrus",
		Registry:        data.ReleasedRegistry(),
		Hidden:          1408,
		Intermediate:    352,
		Blocks:          40,
		Heads:           16,
		Groups:          16,
		DropPath:        0.05,
		Causal:          true,
		Dims:            []int{2, 3},
		Kernel:          [2]int{8, 4},
		CheckpointEvery: 2,
		ProjectionDim:   48,
	}
}

// HalfWalrus returns the configuration of the paper's ablation model: 30
// blocks of width 1088, about half the parameters (paper Table 2).
func HalfWalrus() Config {
	c := Walrus()
	c.Name, c.Hidden, c.Blocks = "half-walrus", 1088, 30
	return c
}

// Small returns a network of 4 blocks of width 256 with 4 heads, a size that can be
// trained on a workstation. Like Tiny and Micro it has no drop path and recomputes no
// blocks; everything else is as released.
func Small() Config {
	return shrunk("small", 256, 64, 4, 4, 16)
}

// Tiny returns a network of 2 blocks of width 64 with 4 heads, for experiments
// on a CPU.
func Tiny() Config {
	return shrunk("tiny", 64, 16, 2, 4, 4)
}

// Micro returns a network of 1 block of width 32 with 2 heads, for tests. It has
// nothing to do with walrus-nano, the trained weights of package walrus/nano.
func Micro() Config {
	return shrunk("micro", 32, 8, 1, 2, 2)
}

// shrunk returns the released configuration with other sizes and without drop path and
// recomputation, which only large networks need.
func shrunk(name string, hidden, intermediate, blocks, heads, groups int) Config {
	c := Walrus()
	c.Name, c.Hidden, c.Intermediate, c.Blocks, c.Heads, c.Groups = name, hidden, intermediate, blocks, heads, groups
	c.DropPath, c.CheckpointEvery = 0, 0
	return c
}

// presets lists the presets from the largest to the smallest.
var presets = []struct {
	name  string
	build func() Config
}{
	{"walrus", Walrus},
	{"half-walrus", HalfWalrus},
	{"small", Small},
	{"tiny", Tiny},
	{"micro", Micro},
}

// renamed is the former name of the preset micro.
const renamed = "nano"

// Preset returns the configuration with the given name; see [PresetNames].
func Preset(name string) (Config, error) {
	if name == renamed {
		return Config{}, fmt.Errorf("walrus: preset: %q is now called %q; for the trained weights walrus-nano give weights: nano in a recipe, -weights nano to a program, or use package walrus/nano", renamed, Micro().Name)
	}
	for _, p := range presets {
		if p.name == name {
			return p.build(), nil
		}
	}
	return Config{}, fmt.Errorf("walrus: preset: expected one of %s, got %q", strings.Join(PresetNames(), ", "), name)
}

// PresetNames returns the names of the presets from the largest to the
// smallest.
func PresetNames() []string {
	names := make([]string, len(presets))
	for i, p := range presets {
		names[i] = p.name
	}
	return names
}

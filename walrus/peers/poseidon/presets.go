package poseidon

import (
	"fmt"
	"strings"
)

// T returns the configuration of Poseidon-T, 21 million parameters.
func T() Config { return published("poseidon-t", 48, 4) }

// S returns a configuration of 40 million parameters. Its training script was published,
// its weights were not.
func S() Config { return published("poseidon-s", 48, 8) }

// B returns the configuration of Poseidon-B, 158 million parameters.
func B() Config { return published("poseidon-b", 96, 8) }

// L returns the configuration of Poseidon-L, 629 million parameters, the variant of the
// Walrus paper (Table 4).
func L() Config { return published("poseidon-l", 192, 8) }

func published(name string, width, depth int) Config {
	return Config{Name: name, Grid: [2]int{128, 128}, Patch: 4, InChannels: 4, OutChannels: 4,
		EmbedDim: width, Depths: []int{depth, depth, depth, depth}, Heads: []int{3, 6, 12, 24}, Skips: []int{2, 2, 2, 0},
		Window: 16, MLPRatio: 4, Conditioned: true, Distance: L1, Groups: []int{0, 1, 3, 4}}
}

// Presets returns the configurations of the published weights and of [S], the smallest
// first.
func Presets() []Config { return []Config{T(), S(), B(), L()} }

// Preset returns the configuration of [Presets] with the given name, such as "poseidon-t".
func Preset(name string) (Config, error) {
	var names []string
	for _, c := range Presets() {
		if c.Name == name {
			return c, nil
		}
		names = append(names, c.Name)
	}
	return Config{}, fmt.Errorf("poseidon: preset: expected one of %s, got %q", strings.Join(names, ", "), name)
}

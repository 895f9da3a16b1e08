package dpot

import (
	"fmt"
	"strings"
)

// Ti returns the configuration of DPOT-Ti, 7.5 million parameters.
func Ti() Config { return published("dpot-ti", 512, 4, 4, 1, 32) }

// S returns the configuration of DPOT-S, 31 million parameters.
func S() Config { return published("dpot-s", 1024, 6, 8, 1, 32) }

// M returns the configuration of DPOT-M, 122 million parameters.
func M() Config { return published("dpot-m", 1024, 12, 8, 4, 32) }

// L returns the configuration of DPOT-L, 509 million parameters. The original's sources
// disagree about its mixing blocks and its decoder; these values fit the size of the
// published file.
func L() Config { return published("dpot-l", 1536, 24, 16, 4, 128) }

// H returns the configuration of DPOT-H, 1.03 billion parameters. The original's sources
// disagree about its MLP and its decoder; these values fit the size of the published file.
func H() Config { return published("dpot-h", 2048, 27, 8, 4, 128) }

// Ti3D returns [Ti] for 3D fields on 64³ points. It has no published weights; see
// [Transfer].
func Ti3D() Config { return in3D(Ti()) }

// H3D returns [H] for 3D fields on 64³ points, 1.15 billion parameters: the network of the
// Walrus paper (Table 4). It has no published weights; see [Transfer].
func H3D() Config { return in3D(H()) }

func published(name string, hidden, depth, mixing, ratio, out int) Config {
	return Config{Name: name, Grid: []int{128, 128}, Patch: 8, InChannels: 4, OutChannels: 4, InSteps: 10, OutSteps: 1,
		Hidden: hidden, Depth: depth, MixingBlocks: mixing, Modes: 32, MLP: ratio * hidden, OutWidth: out, Classes: 12}
}

func in3D(c Config) Config {
	c.Name, c.Grid = c.Name+"-3d", []int{64, 64, 64}
	return c
}

// Presets returns the configurations of the published weights and of two 3D networks, the
// smallest first within each dimensionality.
func Presets() []Config { return []Config{Ti(), S(), M(), L(), H(), Ti3D(), H3D()} }

// Preset returns the configuration of [Presets] with the given name, such as "dpot-ti".
func Preset(name string) (Config, error) {
	var names []string
	for _, c := range Presets() {
		if c.Name == name {
			return c, nil
		}
		names = append(names, c.Name)
	}
	return Config{}, fmt.Errorf("dpot: preset: expected one of %s, got %q", strings.Join(names, ", "), name)
}

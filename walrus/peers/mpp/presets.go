package mpp

import (
	"fmt"
	"strings"
)

// Ti returns the configuration of MPP-AViT-Ti, 7.3 million parameters.
func Ti() Config { return published("mpp-avit-ti", 192, 3, 12) }

// S returns the configuration of MPP-AViT-S, 29 million parameters.
func S() Config { return published("mpp-avit-s", 384, 6, 12) }

// B returns the configuration of MPP-AViT-B, 116 million parameters.
func B() Config { return published("mpp-avit-b", 768, 12, 12) }

// L returns the configuration of MPP-AViT-L, 407 million parameters, the variant of the
// Walrus paper (Table 4).
func L() Config { return published("mpp-avit-l", 1024, 16, 24) }

func published(name string, hidden, heads, blocks int) Config {
	return Config{Name: name, Hidden: hidden, Heads: heads, Blocks: blocks, States: 12, DropPath: 0.2}
}

// Presets returns the configurations of the published weights, the smallest first.
func Presets() []Config { return []Config{Ti(), S(), B(), L()} }

// Preset returns the configuration of [Presets] with the given name, such as "mpp-avit-ti".
func Preset(name string) (Config, error) {
	var names []string
	for _, c := range Presets() {
		if c.Name == name {
			return c, nil
		}
		names = append(names, c.Name)
	}
	return Config{}, fmt.Errorf("mpp: preset: expected one of %s, got %q", strings.Join(names, ", "), name)
}

// Fields returns the fields of the columns of the published weights, in order. The names
// are prefixed by the kind of system: "swe" for the shallow water equations, "diffre" for
// diffusion-reaction, "incompns" and "compns" for incompressible and compressible
// Navier-Stokes. The last two columns have no field: they were never trained.
func Fields() []string {
	return []string{"swe_height", "incompns_velocity_x", "incompns_velocity_y", "incompns_particles",
		"diffre_activator", "diffre_inhibitor", "compns_velocity_x", "compns_velocity_y", "compns_density", "compns_pressure"}
}

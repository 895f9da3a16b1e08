package convert

import (
	"fmt"
	"path/filepath"
	"strings"
)

// Format is a layout that can be converted.
type Format struct {
	// Name is the value of Options.Format.
	Name string
	// Description says which files have this format and where boundaries and names come
	// from.
	Description string
	// Dataset is the default name of the data set.
	Dataset string

	matches func(path string) bool
	open    func(path string) (*source, error)
}

// has returns a function that reports whether the name of a file contains all words.
func has(words ...string) func(path string) bool {
	return func(path string) bool {
		for _, w := range words {
			if !strings.Contains(strings.ToLower(filepath.Base(path)), w) {
				return false
			}
		}
		return true
	}
}

// Formats returns the supported formats. If Options.Format is empty, Convert uses the first
// one that matches the name of the input.
func Formats() []Format {
	return []Format{
		{"pdebench-cns", "PDEBench compressible Navier–Stokes, 2D and 3D: *_CFD_*.hdf5 (density, pressure, Vx, Vy, Vz); boundaries from the name: periodic, or open for trans",
			"pdebench_cns", has("_cfd_"), openPDEBenchCNS},
		{"pdebench-ns", "PDEBench inhomogeneous incompressible Navier–Stokes: ns_incom_*.h5 (velocity, particles, force); walls, as the benchmark's Dirichlet conditions",
			"pdebench_ns_incom", has("ns_incom"), openPDEBenchNS},
		{"pdebench-diff-react", "PDEBench diffusion–reaction: 2D_diff-react_*.h5, one group per simulation; walls, as the benchmark's no-flow conditions",
			"pdebench_diff_react", has("diff-react"), openDiffusionReaction},
		{"pdebench-rdb", "PDEBench shallow water, radial dam break: 2D_rdb_*.h5, one group per simulation; open, as the benchmark's Neumann conditions",
			"pdebench_rdb", has("rdb"), openDamBreak},
		{"pdearena", "PDEArena conditioned incompressible Navier–Stokes: NavierStokes2D_*.h5 (u is the smoke, vx, vy; buoyancy buo_y); walls, as the closed box it is made in",
			"pdearena_ns_conditioned", has("navierstokes2d"), openPDEArena},
		{"pdegym", "PDEGym of Poseidon: CE-*.nc, NS-*.nc (periodic), Wave-*.nc (open: absorbing)",
			"pdegym", has(".nc"), openPDEGym},
		{"flowbench", "FlowBench flow past objects: Re_*.npz with input_geometry.npz beside it; open: inflow, outflow and far field",
			"flowbench_fpo", has("re_", ".npz"), openFlowBench},
		{"bubbleml", "BubbleML 2 pool boiling: Twall_*.hdf5 with a .json beside it; a heated wall below, open above, walls at the sides",
			"bubbleml_pool_boiling", has("twall"), openBubbleML},
	}
}

// format returns the format named in o, or the first one that matches the input.
func (o Options) format() (Format, error) {
	var names []string
	for _, f := range Formats() {
		if f.Name == o.Format || (o.Format == "" && f.matches(o.Input)) {
			return f, nil
		}
		names = append(names, f.Name)
	}
	if o.Format != "" {
		return Format{}, fmt.Errorf("convert: unknown format %q: expected one of %s", o.Format, strings.Join(names, ", "))
	}
	return Format{}, fmt.Errorf("convert: %s: the name fits none of the formats %s: state the format, or write a mapping for files of another layout: gowalrus import --guess %s begins one (in Go: mapping.Guess of package data/convert/mapping)", o.Input, strings.Join(names, ", "), o.Input)
}

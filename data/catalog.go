package data

import (
	"fmt"
	"slices"
)

// Entry describes one of the paper's data sets: its size (paper Tables 5 and 6), its
// transforms (§C.1), and the fields and boundaries that its source documents.
type Entry struct {
	// Name is the name that the source uses, ShortName the one in the paper's tables.
	Name, ShortName string
	// Source is the collection: "The Well", "FlowBench", ….
	Source string
	// Downstream marks data sets that pretraining does not use (paper Table 6).
	Downstream bool
	// Axes names the coordinates and Grid counts the points along each. Coordinates other
	// than x, y, z are curvilinear.
	Axes []string
	Grid []int
	// Steps is the number of frames per trajectory, 0 if it varies. Trajectories is the
	// number of trajectories.
	Steps, Trajectories int
	// Fields lists the fields in the files, before transforms.
	Fields []Field
	// Boundaries holds one condition per axis and side.
	Boundaries Boundaries
	// Transforms lists the transforms that all experiments of the paper apply.
	Transforms []Transform
	// Note holds further remarks. Unconfirmed names the properties that are taken from the
	// source's description because its files could not be read.
	Note, Unconfirmed string
}

// The release's history and micro-batch for 1D and 2D grids, and the factors that reduce
// them for 3D grids (docs/reference.md §11).
const (
	planeHistory, planeBatch   = 6, 2
	volumeHistory, volumeBatch = 0.5, 0.5
)

// Downsample returns max(1, ⌊n·factor⌋). The release reduces the input frames and the
// windows of a batch in this way (step_downsample_factor, batch_downsample_factor).
func Downsample(n int, factor float64) int { return max(1, int(float64(n)*factor)) }

// Volume reports whether the grid has three axes.
func (e Entry) Volume() bool { return len(e.Grid) == 3 }

// History returns the number of frames of history: 6 on 1D and 2D grids, 3 on 3D grids.
func (e Entry) History() int { return forGrid(e.Grid, planeHistory, volumeHistory) }

// Batch returns the number of windows per micro-batch: 2 on 1D and 2D grids, 1 on 3D grids.
func (e Entry) Batch() int { return forGrid(e.Grid, planeBatch, volumeBatch) }

// forGrid returns n for 1D and 2D grids and Downsample(n, factor) for 3D grids.
func forGrid(grid []int, n int, factor float64) int {
	if len(grid) == 3 {
		return Downsample(n, factor)
	}
	return n
}

// Curvilinear reports whether the coordinates are other than x, y, z.
func (e Entry) Curvilinear() bool { return len(e.Axes) > 0 && e.Axes[0] != cartesianAxes[0] }

// Channels returns the names of the channels that the network receives, after the
// transforms. Vectors and tensors have the components of three axes unless the data set is
// curvilinear.
func (e Entry) Channels() ([]string, error) {
	fields, err := TransformFields(e.Fields, e.Transforms)
	if err != nil {
		return nil, fmt.Errorf("data: catalog: %s: %w", e.Name, err)
	}
	w := Window{Fields: fields, Grid: e.Grid, Axes: e.Axes, Curvilinear: e.Curvilinear()}
	return w.Volume().Channels(), nil
}

// fieldsOf returns fields of one order with the given names.
func fieldsOf(order int, constant bool, names ...string) []Field {
	var out []Field
	for _, n := range names {
		out = append(out, Field{Name: n, Order: order, Constant: constant})
	}
	return out
}

func join(lists ...[]Field) (out []Field) {
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}

func scalars(names ...string) []Field   { return fieldsOf(0, false, names...) }
func vectors(names ...string) []Field   { return fieldsOf(1, false, names...) }
func constants(names ...string) []Field { return fieldsOf(0, true, names...) }

func logs(names ...string) (out []Transform) {
	for _, n := range names {
		out = append(out, Transform{n, Log10})
	}
	return out
}

func bounds(list ...Boundary) Boundaries { return list }

var (
	around, walled, free = Both(Periodic), Both(Wall), Both(Open)
	plane2               = cartesianAxes[:2]
)

// Catalog lists the paper's 27 data sets: 19 of pretraining, then 8 of downstream tasks. The
// caller owns the list.
func Catalog() []Entry { return slices.Clone(catalog) }

var catalog = []Entry{
	acoustic("acoustic_scattering_discontinuous", "Discontinuous", 102, 2000),
	acoustic("acoustic_scattering_inclusions", "Inclusions", 102, 4000),
	acoustic("acoustic_scattering_maze", "Maze", 202, 2000),
	{Name: "active_matter", ShortName: "Active Matter", Source: "The Well", Axes: plane2, Grid: []int{256, 256}, Steps: 81, Trajectories: 360,
		Fields: join(scalars("concentration"), vectors("velocity"), fieldsOf(2, false, "D", "E")), Boundaries: bounds(around, around)},
	{Name: "euler_multi_quadrants_periodicBC", ShortName: "MultiQuadrantsP", Source: "The Well", Axes: plane2, Grid: []int{512, 512}, Steps: 101, Trajectories: 5000,
		Fields: join(scalars("energy", "density", "pressure"), vectors("momentum")), Boundaries: bounds(around, around)},
	{Name: "euler_multi_quadrants_openBC", ShortName: "MultiQuadrantsO", Source: "The Well", Axes: plane2, Grid: []int{512, 512}, Steps: 101, Trajectories: 5000,
		Fields: join(scalars("energy", "density", "pressure"), vectors("momentum")), Boundaries: bounds(free, free)},
	{Name: "gray_scott_reaction_diffusion", ShortName: "Gray-Scott", Source: "The Well", Axes: plane2, Grid: []int{128, 128}, Steps: 1001, Trajectories: 1200,
		Fields: scalars("A", "B"), Boundaries: bounds(around, around)},
	{Name: "helmholtz_staircase", ShortName: "Staircase", Source: "The Well", Axes: plane2, Grid: []int{1024, 256}, Steps: 50, Trajectories: 512,
		Fields: join(scalars("pressure_re", "pressure_im"), constants(MaskName)), Boundaries: bounds(free, Boundary{Wall, Open}),
		Unconfirmed: "boundaries: open along x, wall below and open above are read from the description"},
	{Name: "MHD_64", ShortName: "MHD (3D)", Source: "The Well", Axes: cartesianAxes, Grid: []int{64, 64, 64}, Steps: 100, Trajectories: 100,
		Fields: join(scalars("density"), vectors("magnetic_field", "velocity")), Boundaries: bounds(around, around, around)},
	{Name: "planetswe", ShortName: "PlanetSWE", Source: "The Well", Axes: []string{"theta", "phi"}, Grid: []int{256, 512}, Steps: 1008, Trajectories: 120,
		Fields: join(scalars("height"), vectors("velocity")), Boundaries: bounds(free, around), Note: "equiangular grid: not embedded into three dimensions and not turned"},
	{Name: "rayleigh_benard", ShortName: "Rayleigh-Benard", Source: "The Well", Axes: plane2, Grid: []int{512, 128}, Steps: 200, Trajectories: 1750,
		Fields: join(scalars("buoyancy", "pressure"), vectors("velocity")), Boundaries: bounds(around, walled)},
	{Name: "rayleigh_taylor_instability", ShortName: "RT Instability (3D)", Source: "The Well", Axes: cartesianAxes, Grid: []int{128, 128, 128}, Steps: 120, Trajectories: 45,
		Fields: join(scalars("density"), vectors("velocity")), Boundaries: bounds(around, around, walled)},
	{Name: "shear_flow", ShortName: "Shear Flow", Source: "The Well", Axes: plane2, Grid: []int{256, 512}, Steps: 200, Trajectories: 1120,
		Fields: join(scalars("tracer", "pressure"), vectors("velocity")), Boundaries: bounds(around, around)},
	{Name: "supernova_explosion_128", ShortName: "Supernova (3D)", Source: "The Well", Axes: cartesianAxes, Grid: []int{128, 128, 128}, Steps: 59, Trajectories: 1000,
		Fields: join(scalars("pressure", "density", "temperature"), vectors("velocity")), Boundaries: bounds(free, free, free), Transforms: logs("density", "temperature")},
	{Name: "turbulence_gravity_cooling", ShortName: "TGC (3D)", Source: "The Well", Axes: cartesianAxes, Grid: []int{64, 64, 64}, Steps: 50, Trajectories: 2700,
		Fields: join(scalars("pressure", "density", "temperature"), vectors("velocity")), Boundaries: bounds(free, free, free), Transforms: logs("density", "temperature")},
	{Name: "turbulent_radiative_layer_2D", ShortName: "TRL (2D)", Source: "The Well", Axes: plane2, Grid: []int{128, 384}, Steps: 101, Trajectories: 90,
		Fields: join(scalars("density", "pressure"), vectors("velocity")), Boundaries: bounds(around, free)},
	{Name: "turbulent_radiative_layer_3D", ShortName: "TRL (3D)", Source: "The Well", Axes: cartesianAxes, Grid: []int{128, 128, 256}, Steps: 101, Trajectories: 90,
		Fields: join(scalars("density", "pressure"), vectors("velocity")), Boundaries: bounds(around, around, free), Transforms: logs("density"),
		Unconfirmed: "paper §C.1 also takes the logarithm of a temperature, which the description of the data set does not list"},
	{Name: "viscoelastic_instability", ShortName: "Viscoelastics", Source: "The Well", Axes: plane2, Grid: []int{512, 512}, Trajectories: 260,
		Fields: join(scalars("pressure", "c_zz"), vectors("velocity"), fieldsOf(2, false, "C")), Boundaries: bounds(around, walled), Note: "trajectories differ in length"},
	{Name: "FPO_NS_2D_512x128_harmonics", ShortName: "FBHarmonics", Source: "FlowBench", Axes: plane2, Grid: []int{512, 128}, Steps: 242, Trajectories: 400,
		Fields: join(scalars("pressure"), vectors("velocity"), constants(MaskName)), Boundaries: bounds(free, free),
		Note: "without the outlier of Reynolds number 614 (Table 5)", Unconfirmed: "boundaries"},

	{Name: "FPO_NS_2D_512x128_skelneton", ShortName: "FPOSkelenton", Source: "FlowBench", Downstream: true, Axes: plane2, Grid: []int{512, 128}, Steps: 242, Trajectories: 262,
		Fields: join(scalars("pressure"), vectors("velocity"), constants(MaskName)), Boundaries: bounds(free, free), Unconfirmed: "boundaries"},
	{Name: "PoolBoiling_Subcooled", ShortName: "PoolBoil Subcooled", Source: "BubbleML 2.0", Downstream: true, Axes: plane2, Grid: []int{512, 512}, Steps: 2001, Trajectories: 44,
		Fields:     join(scalars("temperature", "pressure", "signed_distance", "massflux"), vectors("velocity", "interface_normal")),
		Boundaries: bounds(walled, Boundary{Wall, Open}), Unconfirmed: "boundaries; names of the fields as data/convert writes them"},
	{Name: "pdearena_ns_conditioned", ShortName: "Conditioned Incompressible NS", Source: "PDEArena", Downstream: true, Axes: plane2, Grid: []int{128, 128}, Steps: 56, Trajectories: 6816,
		Fields: join(scalars("tracer"), vectors("velocity")), Boundaries: bounds(walled, walled), Unconfirmed: "names of the fields as data/convert writes them"},
	{Name: "CE-RM", ShortName: "CE-RM", Source: "PDEGym", Downstream: true, Axes: plane2, Grid: []int{128, 128}, Steps: 21, Trajectories: 1260,
		Fields: join(scalars("density", "pressure"), vectors("velocity")), Boundaries: bounds(around, around), Unconfirmed: "meaning of the fifth channel"},
	{Name: "3D_CFD_Turb", ShortName: "CNS Turbulent", Source: "PDEBench", Downstream: true, Axes: cartesianAxes, Grid: []int{64, 64, 64}, Steps: 21, Trajectories: 600,
		Fields: join(scalars("density", "pressure"), vectors("velocity")), Boundaries: bounds(around, around, around)},
	{Name: "3D_CFD_Rand", ShortName: "CNS Random", Source: "PDEBench", Downstream: true, Axes: cartesianAxes, Grid: []int{128, 128, 128}, Steps: 21, Trajectories: 100,
		Fields: join(scalars("density", "pressure"), vectors("velocity")), Boundaries: bounds(around, around, around)},
	{Name: "post_neutron_star_merger", ShortName: "post_neutron_star_merger", Source: "The Well", Downstream: true, Axes: []string{"log_r", "theta", "phi"}, Grid: []int{192, 128, 66}, Steps: 181, Trajectories: 8,
		Fields:     join(scalars("density", "internal_energy", "electron_fraction", "temperature", "entropy", "pressure"), vectors("velocity", "magnetic_field")),
		Boundaries: bounds(free, free, around), Transforms: logs("density", "temperature", "pressure", "entropy", "internal_energy"),
		Note: "curvilinear; the network resizes its third axis to 64 points (docs/reference.md §2)", Unconfirmed: "boundaries"},
	{Name: "convective_envelope_rsg", ShortName: "convective_envelope_rsg", Source: "The Well", Downstream: true, Axes: []string{"r", "theta", "phi"}, Grid: []int{256, 128, 256}, Steps: 100, Trajectories: 29,
		Fields: join(scalars("energy", "density", "pressure"), vectors("velocity")), Boundaries: bounds(free, free, around), Note: "curvilinear", Unconfirmed: "boundaries"},
}

// acoustic returns the entry of one of the three acoustic data sets, which differ in
// geometry and size only.
func acoustic(name, short string, steps, trajectories int) Entry {
	return Entry{Name: name, ShortName: short, Source: "The Well", Axes: plane2, Grid: []int{256, 256}, Steps: steps, Trajectories: trajectories,
		Fields:     join(scalars("pressure"), vectors("velocity"), constants("density", "speed_of_sound")),
		Boundaries: bounds(Boundary{Wall, Open}, Boundary{Wall, Open}), Transforms: []Transform{{"density", ZerosLike}},
		Note: "files differ in which sides are walls", Unconfirmed: "boundaries: those of one generating script"}
}

// FindEntry returns the entry with the given Name.
func FindEntry(name string) (Entry, bool) {
	for _, e := range catalog {
		if e.Name == name {
			return e, true
		}
	}
	return Entry{}, false
}

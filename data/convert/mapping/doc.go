// Package mapping reads any files of arrays as data sets: HDF5, NetCDF (classic and 4), NPY,
// NPZ, Zarr (2 and 3) and raw binary. A mapping, a short YAML text, says which array is
// which field and what its axes are.
//
//	name: channel_flow
//	files: "runs/run_{trajectory}.npz"       # one file per trajectory
//	axes: time, y, x                         # the axes of every array, slowest first
//	fields:
//	  pressure: p
//	  velocity: {x: u, y: v}                 # one array per component
//	  mask: {array: solid, axes: "y, x"}     # no time axis: a constant field
//	coordinates: {x: x, y: {from: 0, to: 1}}
//	times: t
//	boundaries: {x: periodic, y: wall}
//	parameters: {viscosity: 0.01}
//	split: {train: 0.8, valid: 0.1, test: 0.1, seed: 1}
//
// [Guess] looks into files and writes such a text with comments, to be edited.
// [Mapping.Open] opens the files as a [data.Dataset]: windows are read on demand.
// [Mapping.Write] writes a data set of The Well with statistics. Both give the same values.
//
//	m, err := mapping.Read("channel_flow.yaml")
//	report, err := m.Write(ctx, mapping.WriteOptions{Out: "datasets"})
//
// # Files
//
// Binary files without a header are described by raw, for example
//
//	raw: {type: float64 big-endian, shape: [100, 64, 64], offset: 512, order: F, markers: 4}
//
// where markers are the lengths that Fortran writes around every record. Their only array,
// like that of an NPY file, is called array.
//
// The key files is a pattern. "*" matches any part of a name, and so does a name in braces,
// with a meaning:
//
//	{trajectory}  one file, or one group of files, per trajectory
//	{time}        successive steps; files are sorted by the numbers in their names
//	{array}       the file holds the array of this name
//	{split}       train, valid or test
//	{anything}    a parameter: parameters: {nu: "{nu}"}
//
// The names in braces may also be in the names of arrays, for files with one group per
// trajectory or per step: "{trajectory}/rho", "step_{time}/rho". An attribute of a file is
// written "@name": times: "@time", parameters: {nu: "@nu"}.
//
// Relative patterns belong to the folder of the mapping. A field, a coordinate or a
// parameter may come from another file: "solid in geometry_{trajectory}.npz".
//
// # Axes
//
// axes lists the axes of an array in the order of its shape. The names trajectory, time and
// component have a meaning; x, y and z are the axes of the grid, in any order; "_" is an
// axis of length 1. Any other axis needs an index: "data[channel=2]". An array without an
// axis of the grid is constant along it. Other coordinate systems state grid_type and grid:
// "theta, phi", the names of the axes in the order of the result.
//
// A vector has an array per component, or one array with the axis component and the list
// components: "y, x" of its entries. Components are matched to axes by these names, whatever
// their order in memory. A tensor has components xx, xy, yx, yy;
// symmetric: true adds those below the diagonal.
//
// # Values
//
// Values are converted to float32, rounded once. As NetCDF's conventions say, numbers are
// multiplied by scale_factor, add_offset is added, and values equal to _FillValue or
// missing_value are missing. The keys scale and offset of a field convert units, and turn a
// mask that is 1 in the fluid round: {array: fluid, scale: -1, offset: 1}. A missing value, NaN or infinity is an error unless the field
// states fill, the number that replaces it.
package mapping

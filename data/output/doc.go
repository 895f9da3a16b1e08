// Package output writes forecasts to files that other programs open, step by step:
//
//	w, err := output.Create("forecast.nc", output.Header{Start: window, Times: times})
//	…
//	defer w.Abort()
//	for frame, err := range em.Rollout(ctx, window, len(times)) {
//		…
//		err = w.Step(frame.Values)
//	}
//	err = w.Close()
//
// The ending of the name selects the format:
//
//   - .hdf5, .h5: The Well's layout. Members of an ensemble are its trajectories.
//   - .nc: NetCDF classic with 64-bit offsets and an unlimited dimension time, for xarray,
//     scipy and the NetCDF tools. Every channel is a variable (time, member, x, …), and
//     attributes follow the CF conventions as far as quantities without units can.
//   - .zarr: a Zarr v2 folder with the same variables and consolidated metadata. A chunk is
//     one frame, compressed with zstd.
//   - .vti: a ParaView collection (.pvd, in the same folder) of VTK image data, one file per
//     step and member in a folder. Vectors have three components, tensors nine. The grid must
//     be Cartesian with equal spacings.
//   - .npz: NumPy's archive, as package data/npz writes it, with frames [T, C, x, …] or
//     [T, member, C, x, …].
//
// Each file has the grid with its coordinates, times, constant fields, boundaries and the
// provenance. Values are float32 in physical units, in the order of the window's axes.
package output

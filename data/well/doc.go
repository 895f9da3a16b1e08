// Package well reads and writes data sets in the HDF5 layout of The Well
// (https://polymathic-ai.org/the_well): files in the folders data/train, data/valid and
// data/test, and stats.yaml next to data.
//
//	ds, err := well.Open("datasets/shear_flow", well.Options{Split: "train"})
//	cut := data.Cut{Input: 6, Output: 1}
//	windows, err := data.NewWindows(ds, cut)
//	w, err := ds.Read(ctx, windows.Span(0, 1), nil)
//
// Reading and writing need no C library: the driver "go" is pure Go. Package
// data/well/libhdf5 (build tag hdf5) registers a second driver that uses the HDF5 library,
// to cross-check the first.
package well

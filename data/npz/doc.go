// Package npz reads and writes windows as NPZ files of NumPy, so that frames of any program
// can be forecast and forecasts opened in Python:
//
//	w, err := npz.Read("frames.npz", npz.Options{})
//	…
//	err = npz.Write("forecast.npz", w)
//
// The file has the array frames [T, C, H], [T, C, H, W] or [T, C, H, W, D], with the
// channels of the variable fields in their order; constants [C, H, …], if there are constant
// fields; times [T] and coordinates_x [H], …, if they are known. Write adds the member
// window.json, which describes fields and boundaries:
//
//	{"name": "tank", "fields": [{"name": "velocity", "order": 1}], "boundaries": "periodic,wall"}
//
// NumPy does not write such a member, so for files of other programs [Options] describes
// them. In Python, numpy.savez("frames.npz", frames=a) makes a file and
// numpy.load("forecast.npz")["frames"] reads one. An NPY file is read as frames alone.
//
// [Create] writes a file step by step, also the frames [T, member, C, H, …] of an ensemble.
//
// Nothing in a file is trusted: arrays must have the sizes that their headers say.
package npz

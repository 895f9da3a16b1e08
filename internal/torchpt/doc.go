// Package torchpt reads checkpoints written by torch.save: a zip archive
// with a pickle of the object tree (data.pkl) and one uncompressed entry per
// storage (data/0, data/1, …).
//
//	f, err := torchpt.Open("full_checkpoint.pt")
//	if err != nil { ... }
//	defer f.Close()
//	state, err := f.StateDict()
//	for _, t := range state.Tensors {
//		values := make([]float32, t.Elements())
//		err := t.ReadFloat32(values)
//		...
//	}
//
// Open parses the pickle only; a tensor's values are read from the archive when they
// are requested, with one small buffer in addition to the destination.
//
// # Safety
//
// A pickle is a program. The interpreter here (protocols 2 to 5) knows None, bools,
// numbers, strings, bytes, lists, tuples, sets, dicts, argparse.Namespace and tensors. The
// accepted names are listed in one table in globals.go, each with a Go function that only
// builds one of those values; any other name ends the reading before it is used. Counts and
// sizes are bounded, and every tensor is checked against the entry that holds it. A hostile
// tree may contain itself, and a small one may contain the same value very often, so walk
// Root with bounds.
//
// # Limits
//
// The following are refused with an error that says so: archives with compressed or
// encrypted entries, big-endian archives, the format of torch before version 1.6,
// quantised and sparse tensors, and tensors of subclasses. Checksums are not verified,
// since torch has an option not to write them.
package torchpt

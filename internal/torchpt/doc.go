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
// Open parses the pickle only; a tensor's values are read from its place in
// the archive when asked for, with one small buffer beside the destination.
//
// # Safety
//
// A pickle is a program. The machine here (protocols 2 to 5) knows None,
// bools, numbers, strings, bytes, lists, tuples, sets, dicts and tensors. The
// names it accepts are listed in one table in globals.go, each bound to a Go
// function that only builds one of those values; any other name ends the
// reading where it stands, before it could be used. Counts and sizes are
// bounded, and every tensor is checked against the entry that holds it.
// A hostile tree may contain itself: walk Root with a bound.
//
// # Limits
//
// Refused with an error that says so: archives with compressed or encrypted
// entries, big-endian archives, the format torch wrote before version 1.6,
// quantised and sparse tensors, and tensors of subclasses. Checksums are not
// verified, since torch can be told not to write them.
package torchpt

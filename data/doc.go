// Package data holds the vocabulary of the project: fields and the registry
// that gives each its index, boundary conditions per axis and side, and the
// windows of frames that walk between files, training and emulation.
//
// Values are host float32 in physical units. Nothing here reads files; the
// packages below this one do.
package data

// Package hdf5 reads and writes HDF5 files in pure Go: the part of the format that The
// Well and similar collections use. It was written from the published HDF5 File Format
// Specification, version 3.0.
//
// It reads superblocks 0 to 3, groups as symbol tables and as links (compact and
// dense), object headers 1 and 2, attributes (compact and dense), compact, contiguous
// and chunked datasets with every chunk index, and the filters deflate, shuffle,
// fletcher32 and LZF. Integers, floats and enumerations of any size and byte order
// convert to float32 and float64; attributes may also be strings.
//
// It does not read virtual datasets, values and links in other files, messages shared
// through a heap of the file, compressed heaps, and other filters; the error names
// them. Compounds, arrays, sequences, references and floats that are not IEEE are
// listed with their types, but their values cannot be read.
//
// Nothing in a file is trusted. Every address and length is checked against the size of
// the file before it is used; cyclic trees and chains and overlapping parts are errors;
// and memory is limited to the current chunk and an index of 24 bytes per stored chunk.
// Checksums are verified.
//
// [File] and its datasets are safe for concurrent use; data are read with
// positioned reads.
package hdf5

// Package safetensors reads and writes the safetensors format: eight bytes
// of little-endian header length, a JSON header that gives every tensor its
// dtype, shape and byte range, and the raw little-endian values.
//
//	f, err := safetensors.Open("model.safetensors")
//	if err != nil { ... }
//	defer f.Close()
//	for _, name := range f.Names() {
//		values, shape, err := f.Float32(name)
//		...
//	}
//
// The package exists because the public Go module for the format is tied to hub
// repositories, has no writer and does not check the byte ranges in the header.
//
// # Reading
//
// Open reads the header only; each tensor is read from its byte range when it is
// requested, straight into the caller's slice. The header is checked before anything of
// its size is allocated: byte ranges inside the file, no overlap, no hole, shape times
// dtype equal to the range, no duplicate key. An invalid file gives an error that names
// the file and the tensor.
//
// # Writing
//
// Create needs the names, dtypes and shapes first, so that the header can be written
// before any value; tensors are then written one at a time. The file appears under its
// name only when Close succeeds.
//
// A *File may be used from several goroutines, a *Writer may not.
package safetensors

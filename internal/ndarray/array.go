package ndarray

import "io"

// Array is an array of numbers in one file. It implements driver.Dataset.
type Array struct {
	R      io.ReaderAt
	Layout Layout
	// Wrap, if not nil, adds the names of file and array to an error.
	Wrap func(error) error
}

// Shape returns the lengths of the axes.
func (a *Array) Shape() []int { return a.Layout.Shape }

// Type returns the name of the element type.
func (a *Array) Type() string { return a.Layout.Type.String() }

// Chunk returns nil: the array is not chunked.
func (a *Array) Chunk() []int { return nil }

// Float32 reads a block; see driver.Dataset.
func (a *Array) Float32(dst []float32, offset, count []int) error {
	return a.wrap(Read(a.R, a.Layout, dst, offset, count, Type.Float32s))
}

// Float64 reads a block; see driver.Dataset.
func (a *Array) Float64(dst []float64, offset, count []int) error {
	return a.wrap(Read(a.R, a.Layout, dst, offset, count, Type.Float64s))
}

func (a *Array) wrap(err error) error {
	if err == nil || a.Wrap == nil {
		return err
	}
	return a.Wrap(err)
}

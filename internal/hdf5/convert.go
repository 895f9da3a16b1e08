package hdf5

import "github.com/gowalrus/gowalrus/internal/ndarray"

// element returns the type of the numbers of t, which [datatype.number] accepts.
func (t datatype) element() ndarray.Type {
	e := ndarray.Type{Kind: ndarray.Unsigned, Size: t.size, Big: t.big}
	switch {
	case t.class == classFloat:
		e.Kind = ndarray.Float
	case t.bool:
		e.Kind = ndarray.Bool
	case t.signed:
		e.Kind = ndarray.Int
	}
	return e
}

// float32s converts len(dst) elements of raw. Integers are rounded once, to the
// nearest float32.
func (t datatype) float32s(dst []float32, raw []byte) { t.element().Float32s(dst, raw) }

// float64s converts len(dst) elements of raw.
func (t datatype) float64s(dst []float64, raw []byte) { t.element().Float64s(dst, raw) }

// integer decodes one element, sign-extended if the type is signed. Any bool but 0 is
// 1, as in numpy.
func (t datatype) integer(b []byte) int64 { return t.element().Integer(b) }

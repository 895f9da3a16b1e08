package serve

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/bits"
	"strings"
	"sync"
)

// valueList collects values that arrive piece by piece. Their memory is charged to a
// lease before it is allocated.
type valueList struct {
	field string
	most  int
	lease *lease
	list  []float32
}

// add appends a value.
func (v *valueList) add(x float32) error {
	if len(v.list) == v.most {
		return invalid(v.field, "expected at most %d values, got more", v.most)
	}
	if len(v.list) == cap(v.list) {
		size := min(max(2*cap(v.list), 256), v.most)
		if err := v.lease.charge(4 * (size - cap(v.list))); err != nil {
			return err
		}
		old := v.list
		v.list = append(takeArray(size), old...)
		giveArray(old)
	}
	v.list = append(v.list, x)
	return nil
}

// done returns the values, or the error with which they end.
func (v *valueList) done(err error) ([]float32, error) {
	if err != nil {
		giveArray(v.list)
		v.list = nil
	}
	return v.list, err
}

// spare keeps outgrown arrays for other lists, by the logarithm of their length. Many
// refused requests would otherwise leave garbage faster than it is collected.
var spare [32]sync.Pool

// takeArray returns an empty slice of a capacity.
func takeArray(size int) []float32 {
	if n := bits.TrailingZeros(uint(size)); size == 1<<n && n < len(spare) {
		if p, ok := spare[n].Get().(*[]float32); ok {
			return (*p)[:0]
		}
	}
	return make([]float32, 0, size)
}

// giveArray keeps an array that nobody uses any more.
func giveArray(a []float32) {
	if n := bits.TrailingZeros(uint(cap(a))); cap(a) == 1<<n && n < len(spare) {
		spare[n].Put(&a)
	}
}

// partialError is the length of an input that ends within a value.
type partialError int

func (e partialError) Error() string {
	return fmt.Sprintf("expected 4 bytes per value, got %d bytes", int(e))
}

// read appends little-endian float32 up to the end of r.
func (v *valueList) read(r io.Reader) error {
	var piece [4096]byte
	total := 0
	for rest := 0; ; {
		n, err := r.Read(piece[rest:])
		total += n
		n += rest
		for i := 0; i+4 <= n; i += 4 {
			if err := v.add(math.Float32frombits(binary.LittleEndian.Uint32(piece[i:]))); err != nil {
				return err
			}
		}
		rest = copy(piece[:], piece[n-n%4:n])
		switch {
		case err == io.EOF && rest > 0:
			return partialError(total)
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}

// cutNumber returns the digits of a description of a number.
func cutNumber(s string) (string, bool) { return strings.CutPrefix(s, "number ") }

// appendFloats writes little-endian float32.
func appendFloats(dst []byte, values []float32) []byte {
	for _, v := range values {
		dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(v))
	}
	return dst
}

// packed is encoded as base64 of little-endian float32.
type packed []float32

// MarshalJSON returns the base64 text.
func (p packed) MarshalJSON() ([]byte, error) {
	raw := appendFloats(make([]byte, 0, 4*len(p)), p)
	out := make([]byte, 0, base64.StdEncoding.EncodedLen(len(raw))+2)
	out = append(out, '"')
	out = base64.StdEncoding.AppendEncode(out, raw)
	return append(out, '"'), nil
}

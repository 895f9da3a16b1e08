package safetensors

import (
	"errors"
	"fmt"
	"io"
	"math"
)

// WriteFloat32 writes a tensor of dtype F32, F64, F16 or BF16 from float32
// values, row major; half precisions are rounded to nearest, ties to even.
func (w *Writer) WriteFloat32(name string, values []float32) error {
	put, ok := map[string]func([]byte, float32){
		F32:  func(b []byte, v float32) { little.PutUint32(b, math.Float32bits(v)) },
		F64:  func(b []byte, v float32) { little.PutUint64(b, math.Float64bits(float64(v))) },
		F16:  func(b []byte, v float32) { little.PutUint16(b, float32To16(v)) },
		BF16: func(b []byte, v float32) { little.PutUint16(b, float32ToBF16(v)) },
	}[w.index[name].DType]
	return writeValues(w, name, values, ok, put)
}

// WriteInt64 writes a tensor of dtype I64.
func (w *Writer) WriteInt64(name string, values []int64) error {
	return writeValues(w, name, values, w.index[name].DType == I64, func(b []byte, v int64) {
		little.PutUint64(b, uint64(v))
	})
}

// WriteInt32 writes a tensor of dtype I32.
func (w *Writer) WriteInt32(name string, values []int32) error {
	return writeValues(w, name, values, w.index[name].DType == I32, func(b []byte, v int32) {
		little.PutUint32(b, uint32(v))
	})
}

// WriteUint8 writes a tensor of dtype U8 or BOOL.
func (w *Writer) WriteUint8(name string, values []uint8) error {
	dtype := w.index[name].DType
	return writeValues(w, name, values, dtype == U8 || dtype == BOOL, func(b []byte, v uint8) { b[0] = v })
}

// WriteRaw copies a tensor of any dtype from r, which must contain exactly its
// little-endian bytes.
func (w *Writer) WriteRaw(name string, r io.Reader) error {
	info, err := w.begin(name)
	if err != nil {
		return err
	}
	want := info.End - info.Begin
	to := io.NewOffsetWriter(w.f, w.data+info.Begin)
	got, err := io.Copy(to, io.LimitReader(r, want))
	if err != nil {
		return w.fail(name, fmt.Errorf("copying: %w", err))
	}
	if got < want {
		return w.fail(name, fmt.Errorf("expected %d bytes, got %d", want, got))
	}
	if n, _ := io.ReadFull(r, make([]byte, 1)); n > 0 {
		return w.fail(name, fmt.Errorf("expected %d bytes, got more", want))
	}
	w.written[name] = true
	return nil
}

// begin checks that the tensor is one of the file's and not yet written.
func (w *Writer) begin(name string) (Info, error) {
	if w.f == nil {
		return Info{}, w.fail(name, errors.New("expected an open writer, got one that is closed"))
	}
	info, ok := w.index[name]
	if !ok {
		return Info{}, w.fail(name, fmt.Errorf("expected one of the %d tensors announced to Create, got another name", len(w.index)))
	}
	if w.written[name] {
		return Info{}, w.fail(name, errors.New("expected to be written once, got it twice"))
	}
	return info, nil
}

func (w *Writer) fail(name string, err error) error {
	err = fmt.Errorf("tensor %q: %w", name, err)
	if w.broken == nil {
		w.broken = err
	}
	return fmt.Errorf("safetensors: %s: %w", w.path, err)
}

// writeValues encodes and writes values a chunk at a time.
func writeValues[T any](w *Writer, name string, values []T, fits bool, put func([]byte, T)) error {
	info, err := w.begin(name)
	if err != nil {
		return err
	}
	if !fits {
		return w.fail(name, fmt.Errorf("expected values of dtype %s, got %T", info.DType, values))
	}
	if n, _ := Elements(info.Shape); len(values) != n {
		return w.fail(name, fmt.Errorf("expected %d values for shape %v, got %d", n, info.Shape, len(values)))
	}
	size := byteSizes[info.DType]
	buf := make([]byte, min(chunk, len(values)*size))
	offset := w.data + info.Begin
	for len(values) > 0 {
		n := min(len(buf)/size, len(values))
		for i, v := range values[:n] {
			put(buf[i*size:], v)
		}
		if _, err := w.f.WriteAt(buf[:n*size], offset); err != nil {
			return w.fail(name, fmt.Errorf("writing: %w", err))
		}
		offset += int64(n * size)
		values = values[n:]
	}
	w.written[name] = true
	return nil
}

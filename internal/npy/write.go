package npy

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// Write writes an array of float32 in row-major order as an NPY file. parts are the
// consecutive pieces of the array; their lengths must add up to the product of shape.
func Write(w io.Writer, shape []int, parts ...[]float32) error {
	want, got := 1, 0
	for _, n := range shape {
		want *= n
	}
	for _, p := range parts {
		got += len(p)
	}
	if got != want {
		return fmt.Errorf("npy: expected %d values for shape %v, got %d", want, shape, got)
	}
	if _, err := w.Write(Header(shape)); err != nil {
		return err
	}
	return Values(w, parts...)
}

// Header returns the header of an array of float32 in row-major order, which the values
// follow.
func Header(shape []int) []byte {
	lengths := make([]string, len(shape))
	for i, n := range shape {
		lengths[i] = strconv.Itoa(n) + ","
	}
	text := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%s), }", strings.Join(lengths, " "))
	// Version 1: the header ends with a newline at a multiple of 64 bytes.
	const start = 10
	text += strings.Repeat(" ", 63-(start+len(text))%64) + "\n"
	return append(binary.LittleEndian.AppendUint16([]byte(magic+"\x01\x00"), uint16(len(text))), text...)
}

// Values appends values to an array.
func Values(w io.Writer, parts ...[]float32) error {
	b := bufio.NewWriterSize(w, 1<<16)
	var raw [4]byte
	for _, p := range parts {
		for _, v := range p {
			binary.LittleEndian.PutUint32(raw[:], math.Float32bits(v))
			if _, err := b.Write(raw[:]); err != nil {
				return err
			}
		}
	}
	return b.Flush()
}

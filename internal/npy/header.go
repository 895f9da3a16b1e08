// Package npy reads arrays of NumPy: NPY files and the NPZ archives of them.
//
// Nothing in a file is trusted. The header of an array is at most 64 KiB, and an array must
// have as many bytes as its header says before any of them is read. Blocks are read where
// they lie. A compressed array of an archive is unpacked once, at its first use: into memory
// up to 16 MiB, else into a temporary file that Close removes. Its size is bounded by the
// size of the file: deflate packs at most 1032 bytes into one.
package npy

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/gowalrus/gowalrus/internal/ndarray"
)

// magic begins every NPY file.
const magic = "\x93NUMPY"

// maxHeader bounds the size of an array's header in bytes.
const maxHeader = 1 << 16

var (
	descrPattern   = regexp.MustCompile(`'descr':\s*'([^']*)'`)
	fortranPattern = regexp.MustCompile(`'fortran_order':\s*(True|False)`)
	shapePattern   = regexp.MustCompile(`'shape':\s*\(([\d, L]*)\)`)
)

// readHeader reads the header of an array: magic, version, length, and a Python dictionary
// with type, order and shape.
func readHeader(r io.Reader) (ndarray.Layout, error) {
	var zero ndarray.Layout
	var head [12]byte
	if _, err := io.ReadFull(r, head[:10]); err != nil || string(head[:6]) != magic {
		return zero, fmt.Errorf("expected the bytes \\x93NUMPY at the start of an array, got %q", head[:6])
	}
	start, length := 10, int(binary.LittleEndian.Uint16(head[8:]))
	switch head[6] {
	case 1:
	case 2, 3:
		if _, err := io.ReadFull(r, head[10:]); err != nil {
			return zero, fmt.Errorf("the header breaks off: %w", err)
		}
		start, length = 12, int(binary.LittleEndian.Uint32(head[8:]))
	default:
		return zero, fmt.Errorf("expected version 1, 2 or 3 of the NPY format, got %d", head[6])
	}
	if length > maxHeader {
		return zero, fmt.Errorf("expected a header of at most %d bytes, got %d", maxHeader, length)
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(r, text); err != nil {
		return zero, fmt.Errorf("the header breaks off: %w", err)
	}
	return parseHeader(string(text), int64(start+length))
}

// parseHeader parses the dictionary of a header whose array begins at offset.
func parseHeader(text string, offset int64) (ndarray.Layout, error) {
	var zero ndarray.Layout
	descr, order, lengths := descrPattern.FindStringSubmatch(text), fortranPattern.FindStringSubmatch(text), shapePattern.FindStringSubmatch(text)
	if descr == nil || order == nil || lengths == nil {
		return zero, fmt.Errorf("expected an array of plain numbers, got %.200q", strings.TrimSpace(text))
	}
	t, err := ndarray.ParseType(descr[1])
	if err != nil {
		return zero, err
	}
	var shape []int
	for _, word := range strings.FieldsFunc(lengths[1], func(r rune) bool { return r == ',' || r == ' ' || r == 'L' }) {
		n, err := strconv.Atoi(word)
		if err != nil {
			return zero, fmt.Errorf("expected a shape of numbers below 2^63, got (%.200s)", lengths[1])
		}
		shape = append(shape, n)
	}
	if len(shape) > maxRank {
		return zero, fmt.Errorf("expected an array of at most %d axes, got %d", maxRank, len(shape))
	}
	if _, err := ndarray.Bytes(t, shape); err != nil {
		return zero, err
	}
	if order[1] == "True" {
		return ndarray.ColumnMajor(t, shape, offset), nil
	}
	return ndarray.RowMajor(t, shape, offset), nil
}

// maxRank is the largest number of axes of a NumPy array.
const maxRank = 64

// errSize is the error of an array whose header does not fit its bytes.
var errSize = errors.New("the array has another size than its header says")

// checkSize compares the bytes of an array, header included, with its header.
func checkSize(l ndarray.Layout, size int64) error {
	data, err := ndarray.Bytes(l.Type, l.Shape)
	if err != nil {
		return err
	}
	if size-l.Offset != data {
		return fmt.Errorf("%w: expected %d bytes of %s for shape %v, got %d", errSize, data, l.Type, l.Shape, size-l.Offset)
	}
	return nil
}

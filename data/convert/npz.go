package convert

import (
	"archive/zip"
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// npy reads a NumPy array sequentially, so that arrays larger than memory can be converted.
type npy struct {
	r     io.Reader
	close func() error
	shape []int
	size  int
	order binary.ByteOrder
	kind  byte // f, i, u or b
	// columns says that the array is in column-major order.
	columns bool
	raw     []byte
}

// openNPY opens an array of an npz file.
func openNPY(path, name string) (*npy, error) {
	z, err := zip.OpenReader(path)
	if err != nil {
		return nil, fmt.Errorf("%s: expected an npz file: %w", path, err)
	}
	for _, f := range z.File {
		if f.Name != name+".npy" {
			continue
		}
		r, err := f.Open()
		if err == nil {
			var a *npy
			if a, err = newNPY(bufio.NewReaderSize(r, 1<<20)); err == nil {
				a.close = func() error { r.Close(); return z.Close() }
				return a, nil
			}
		}
		z.Close()
		return nil, fmt.Errorf("%s: array %q: %w", path, name, err)
	}
	z.Close()
	return nil, fmt.Errorf("%s: expected an array %q, got none", path, name)
}

var (
	npyType  = regexp.MustCompile(`'descr':\s*'([<>|=])([fiub])(\d)'`)
	npyShape = regexp.MustCompile(`'shape':\s*\(([\d, ]*)\)`)
)

// maxNPYHeader bounds the size of an array's header in bytes.
const maxNPYHeader = 1 << 16

// newNPY parses the header of an array: magic, version, length, and a Python dictionary
// with type, order and shape.
func newNPY(r io.Reader) (*npy, error) {
	var head [10]byte
	if _, err := io.ReadFull(r, head[:]); err != nil || string(head[:6]) != "\x93NUMPY" {
		return nil, fmt.Errorf("expected the magic of an npy file (%v)", err)
	}
	length := int(binary.LittleEndian.Uint16(head[8:]))
	if head[6] > 1 {
		var more [2]byte
		if _, err := io.ReadFull(r, more[:]); err != nil {
			return nil, err
		}
		length |= int(binary.LittleEndian.Uint16(more[:])) << 16
	}
	if length > maxNPYHeader {
		return nil, fmt.Errorf("expected a header of at most %d bytes, got %d", maxNPYHeader, length)
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(r, text); err != nil {
		return nil, err
	}
	a := &npy{r: r, order: binary.LittleEndian, close: func() error { return nil }}
	return a, a.parse(string(text))
}

func (a *npy) parse(text string) error {
	typ, shape := npyType.FindStringSubmatch(text), npyShape.FindStringSubmatch(text)
	if typ == nil || shape == nil {
		return fmt.Errorf("expected an array of numbers, got %q", strings.TrimSpace(text))
	}
	a.columns = strings.Contains(text, "'fortran_order': True")
	a.kind, a.size = typ[2][0], int(typ[3][0]-'0')
	if typ[1] == ">" {
		a.order = binary.BigEndian
	}
	total := 1.0
	for _, word := range strings.FieldsFunc(shape[1], func(r rune) bool { return r == ',' || r == ' ' }) {
		n, err := strconv.Atoi(word)
		if total *= float64(n); err != nil || total > math.MaxInt64/16 {
			return fmt.Errorf("expected a shape with fewer than 2^59 elements, got (%s)", shape[1])
		}
		a.shape = append(a.shape, n)
	}
	if a.size != 1 && a.size != 2 && a.size != 4 && a.size != 8 || (a.kind == 'f' && a.size < 4) {
		return fmt.Errorf("expected floats of 32 or 64 bits or integers, got %s", typ[0])
	}
	return nil
}

// next fills dst with the next elements.
func (a *npy) next(dst []float32) error {
	if n := len(dst) * a.size; cap(a.raw) < n {
		a.raw = make([]byte, n)
	}
	raw := a.raw[:len(dst)*a.size]
	if _, err := io.ReadFull(a.r, raw); err != nil {
		return fmt.Errorf("the array breaks off: %w", err)
	}
	for i := range dst {
		dst[i] = float32(a.number(raw[i*a.size:]))
	}
	return nil
}

func (a *npy) number(b []byte) float64 {
	var v uint64
	switch a.size {
	case 1:
		v = uint64(b[0])
	case 2:
		v = uint64(a.order.Uint16(b))
	case 4:
		v = uint64(a.order.Uint32(b))
	default:
		v = a.order.Uint64(b)
	}
	switch {
	case a.kind == 'f' && a.size == 4:
		return float64(math.Float32frombits(uint32(v)))
	case a.kind == 'f':
		return math.Float64frombits(v)
	case a.kind == 'i':
		unused := 64 - 8*a.size
		return float64(int64(v<<unused) >> unused)
	}
	return float64(v)
}

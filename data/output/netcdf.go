package output

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/gowalrus/gowalrus/internal/atomicfile"
)

// conventions is the version of the CF conventions that attributes follow.
const conventions = "CF-1.11"

// netcdfFile writes NetCDF classic with 64-bit offsets (CDF-2).
type netcdfFile struct {
	file   *atomicfile.File
	buffer *bufio.Writer
	layout *layout
}

// Numbers of the format.
const (
	tagDimension = 10
	tagVariable  = 11
	tagAttribute = 12
	typeChar     = 2
	typeFloat    = 5
	mostBytes    = 1<<31 - 4 // of a variable, or of its part in a record
)

// netcdfVariable is a variable of a file of floats.
type netcdfVariable struct {
	name       string
	dimensions []string
	attributes [][2]string
	values     []float32 // nil for a variable with the dimension time
	bytes      int       // without the dimension time
}

func createNetCDF(path string, l *layout) (format, error) {
	variables, err := l.netcdfVariables()
	if err != nil {
		return nil, err
	}
	f, err := atomicfile.Create(path)
	if err != nil {
		return nil, err
	}
	n := &netcdfFile{file: f, buffer: bufio.NewWriterSize(f, 1<<16), layout: l}
	if err := n.begin(variables); err != nil {
		f.Abort()
		return nil, err
	}
	return n, nil
}

// netcdfVariables returns the variables: first those without the dimension time.
func (l *layout) netcdfVariables() (out []netcdfVariable, err error) {
	for i, axis := range l.axes {
		v := netcdfVariable{name: axis, dimensions: []string{axis}, values: l.coordinates[i]}
		if slices.Contains([]string{"x", "y", "z"}, axis) {
			v.attributes = [][2]string{{"axis", string(axis[0] - 'a' + 'A')}}
		}
		out = append(out, v)
	}
	if l.Members > 0 {
		v := netcdfVariable{name: memberName, dimensions: []string{memberName}, attributes: [][2]string{{"standard_name", "realization"}, {"axis", "E"}}}
		for i := range l.Members {
			v.values = append(v.values, float32(i))
		}
		out = append(out, v)
	}
	dims, _ := l.dimensions(true)
	for i, name := range l.constant {
		out = append(out, netcdfVariable{name: name, dimensions: dims, values: l.Start.Constants[i*l.points : (i+1)*l.points], attributes: [][2]string{{"long_name", name}}})
	}
	out = append(out, netcdfVariable{name: timeName, dimensions: []string{timeName}, attributes: [][2]string{{"axis", "T"}, {"long_name", "time"}}, bytes: 4})
	dims, _ = l.dimensions(false)
	for _, name := range l.variable {
		out = append(out, netcdfVariable{name: name, dimensions: dims, bytes: 4 * max(l.Members, 1) * l.points, attributes: [][2]string{{"long_name", name}}})
	}
	for i, v := range out {
		if v.values != nil {
			out[i].bytes = 4 * len(v.values)
		}
		if out[i].bytes > mostBytes {
			return nil, fmt.Errorf("%s: a step has %d bytes: NetCDF with 64-bit offsets holds at most %d: choose .zarr or .hdf5", v.name, out[i].bytes, mostBytes)
		}
	}
	return out, nil
}

// begin writes the header and the variables without the dimension time.
func (n *netcdfFile) begin(variables []netcdfVariable) error {
	// The offsets of the variables have a fixed length, so the header is made twice.
	size := len(n.header(variables, 0))
	if _, err := n.buffer.Write(n.header(variables, size)); err != nil {
		return err
	}
	for _, v := range variables {
		if err := n.floats(v.values); err != nil {
			return err
		}
	}
	return n.buffer.Flush()
}

// header returns the header of a file whose values start at an offset.
func (n *netcdfFile) header(variables []netcdfVariable, offset int) []byte {
	names := append([]string{timeName}, n.layout.axes...)
	lengths := append([]int{0}, n.layout.Start.Grid...) // 0: unlimited
	if n.layout.Members > 0 {
		names, lengths = append(names, memberName), append(lengths, n.layout.Members)
	}
	b := number([]byte("CDF\x02"), len(n.layout.Times))
	b = number(b, tagDimension, len(names))
	for i, name := range names {
		b = number(text(b, name), lengths[i])
	}
	b = attributes(b, append([][2]string{{"Conventions", conventions}}, n.layout.attributes()...))
	b = number(b, tagVariable, len(variables))
	for _, v := range variables {
		b = number(text(b, v.name), len(v.dimensions))
		for _, d := range v.dimensions {
			b = number(b, slices.Index(names, d))
		}
		b = number(attributes(b, v.attributes), typeFloat, v.bytes)
		b = binary.BigEndian.AppendUint64(b, uint64(offset))
		offset += v.bytes // those with the dimension time come last, so this holds for the first record
	}
	return b
}

// number appends 32-bit numbers.
func number(b []byte, values ...int) []byte {
	for _, v := range values {
		b = binary.BigEndian.AppendUint32(b, uint32(v))
	}
	return b
}

// text appends a text with its length, padded to four bytes.
func text(b []byte, s string) []byte {
	b = append(number(b, len(s)), s...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

// attributes appends a list of texts.
func attributes(b []byte, list [][2]string) []byte {
	if len(list) == 0 {
		return number(b, 0, 0)
	}
	b = number(b, tagAttribute, len(list))
	for _, a := range list {
		b = text(number(text(b, a[0]), typeChar), a[1])
	}
	return b
}

// floats writes values.
func (n *netcdfFile) floats(values []float32) error {
	var raw [4]byte
	for _, v := range values {
		binary.BigEndian.PutUint32(raw[:], math.Float32bits(v))
		if _, err := n.buffer.Write(raw[:]); err != nil {
			return err
		}
	}
	return nil
}

// step writes a record: the time, then every channel with all members.
func (n *netcdfFile) step(k int, frames [][]float32) error {
	if err := n.floats(n.layout.Times[k : k+1]); err != nil {
		return err
	}
	for c := range n.layout.variable {
		for _, frame := range frames {
			if err := n.floats(frame[c*n.layout.points : (c+1)*n.layout.points]); err != nil {
				return err
			}
		}
	}
	return n.buffer.Flush()
}

func (n *netcdfFile) commit() error { return n.file.Commit() }

func (n *netcdfFile) abort() { n.file.Abort() }

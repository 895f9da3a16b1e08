package output

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"html"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/atomicfile"
)

// vtiFile writes VTK image data: a folder of files and a collection of them.
type vtiFile struct {
	layout          *layout
	folder          *atomicfile.PartialFolder
	index, name     string // path of the collection, name of the folder
	origin, spacing [3]float64
	extent          [3]int
}

// evenness is the largest deviation from equal spacings, relative to the spacing.
const evenness = 1e-3

func createVTI(path string, l *layout) (format, error) {
	stem := strings.TrimSuffix(path, filepath.Ext(path))
	v := &vtiFile{layout: l, index: stem + ".pvd", name: filepath.Base(stem) + "_steps", spacing: [3]float64{1, 1, 1}, extent: [3]int{1, 1, 1}}
	if err := v.place(); err != nil {
		return nil, err
	}
	for _, p := range []string{v.index, stem + "_steps"} {
		if _, err := os.Lstat(p); err == nil {
			return nil, fmt.Errorf("%s exists: remove it, or choose another name", p)
		}
	}
	var err error
	v.folder, err = atomicfile.CreateFolder(stem + "_steps")
	return v, err
}

// place sets the origin and the spacing of the grid.
func (v *vtiFile) place() error {
	if v.layout.Start.Curvilinear {
		return fmt.Errorf("VTK image data have Cartesian coordinates, got %s ones: choose .nc, .zarr or .hdf5", v.layout.GridType)
	}
	for i, axis := range v.layout.axes { // x, y, z: the coordinates are Cartesian
		x := v.layout.coordinates[i]
		v.origin[i], v.extent[i] = float64(x[0]), len(x)
		if len(x) == 1 {
			continue
		}
		h := (float64(x[len(x)-1]) - float64(x[0])) / float64(len(x)-1)
		for k := range x[1:] {
			if step := float64(x[k+1]) - float64(x[k]); h <= 0 || math.Abs(step-h) > evenness*h {
				return fmt.Errorf("axis %s: expected coordinates that increase by equal steps, as VTK image data have, got %v after %v at point %d: choose .nc, .zarr or .hdf5", axis, x[k+1], x[k], k+1)
			}
		}
		v.spacing[i] = h
	}
	return nil
}

func (v *vtiFile) step(k int, frames [][]float32) error {
	for m, frame := range frames {
		err := atomicfile.Write(filepath.Join(v.folder.Partial, v.file(k, m)), func(w io.Writer) error { return v.image(w, k, frame) })
		if err != nil {
			return err
		}
	}
	return nil
}

// file returns the name of the file of a step and a member.
func (v *vtiFile) file(k, member int) string {
	if v.layout.Members == 0 {
		return fmt.Sprintf("step_%05d.vti", k)
	}
	return fmt.Sprintf("member_%03d_step_%05d.vti", member, k)
}

// image writes a frame.
func (v *vtiFile) image(w io.Writer, k int, frame []float32) error {
	e := v.extent
	extent := fmt.Sprintf("0 %d 0 %d 0 %d", e[0]-1, e[1]-1, e[2]-1)
	var b strings.Builder
	fmt.Fprintf(&b, `<?xml version="1.0"?>
<VTKFile type="ImageData" version="1.0" byte_order="LittleEndian" header_type="UInt64">
<ImageData WholeExtent="%s" Origin="%g %g %g" Spacing="%g %g %g">
<FieldData>
<DataArray type="Float64" Name="TimeValue" NumberOfTuples="1" format="ascii">%g</DataArray>
`, extent, v.origin[0], v.origin[1], v.origin[2], v.spacing[0], v.spacing[1], v.spacing[2], float64(v.layout.Times[k]))
	for _, a := range v.layout.attributes() {
		fmt.Fprintf(&b, "<Array type=\"String\" Name=\"%s\" NumberOfTuples=\"1\" format=\"ascii\">%s</Array>\n", a[0], codes(a[1]))
	}
	fmt.Fprintf(&b, "</FieldData>\n<Piece Extent=\"%s\">\n<PointData>\n", extent)
	variable, constant := 0, 0
	for _, f := range v.layout.Start.Fields {
		values, at := frame, &variable
		if f.Constant {
			values, at = v.layout.Start.Constants, &constant
		}
		n := f.ComponentCount(len(v.layout.axes))
		v.array(&b, f, values[*at*v.layout.points:(*at+n)*v.layout.points])
		*at += n
	}
	b.WriteString("</PointData>\n</Piece>\n</ImageData>\n</VTKFile>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// codes returns the bytes of a text as numbers, ended by 0, as VTK stores strings.
func codes(s string) string {
	return strings.Trim(fmt.Sprint(append([]byte(s), 0)), "[]")
}

// array writes a field: its components vary fastest, then x, y and z. Vectors have three
// components and tensors nine.
func (v *vtiFile) array(b *strings.Builder, f data.Field, values []float32) {
	points, dims, width := v.layout.points, len(v.layout.axes), []int{1, 3, 9}[f.Order]
	raw := binary.LittleEndian.AppendUint64(make([]byte, 0, 8+4*width*points), uint64(4*width*points))
	raw = raw[:cap(raw)]
	for c := range len(values) / points {
		to := 0
		switch f.Order {
		case 1:
			to = c
		case 2:
			to = 3*(c/dims) + c%dims
		}
		for p, value := range values[c*points : (c+1)*points] {
			binary.LittleEndian.PutUint32(raw[8+4*(v.point(p)*width+to):], math.Float32bits(value))
		}
	}
	fmt.Fprintf(b, "<DataArray type=\"Float32\" Name=\"%s\" NumberOfComponents=\"%d\" format=\"binary\">", f.Name, width)
	b.WriteString(base64.StdEncoding.EncodeToString(raw))
	b.WriteString("</DataArray>\n")
}

// point returns VTK's number of a point, with x fastest.
func (v *vtiFile) point(p int) int {
	var at [3]int
	for i, n := range slices.Backward(v.layout.Start.Grid) {
		at[i] = p % n
		p /= n
	}
	return at[0] + v.extent[0]*(at[1]+v.extent[1]*at[2])
}

// commit renames the folder, then writes the collection, which names its files.
func (v *vtiFile) commit() error {
	var b strings.Builder
	b.WriteString("<?xml version=\"1.0\"?>\n<VTKFile type=\"Collection\" version=\"1.0\" byte_order=\"LittleEndian\">\n<Collection>\n")
	for k, t := range v.layout.Times {
		for m := range max(v.layout.Members, 1) {
			fmt.Fprintf(&b, "<DataSet timestep=\"%g\" part=\"%d\" file=\"%s/%s\"/>\n", float64(t), m, html.EscapeString(v.name), v.file(k, m))
		}
	}
	b.WriteString("</Collection>\n</VTKFile>\n")
	if err := v.folder.Commit(); err != nil {
		return err
	}
	if err := atomicfile.WriteBytes(v.index, []byte(b.String())); err != nil {
		return errors.Join(err, os.RemoveAll(strings.TrimSuffix(v.index, ".pvd")+"_steps"))
	}
	return nil
}

func (v *vtiFile) abort() { v.folder.Abort() }

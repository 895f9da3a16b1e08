package mapping

import (
	"fmt"
	"strings"

	"github.com/gowalrus/gowalrus/data"
)

// Mapping says which arrays of which files make up a data set. [Parse] and [Read] make one
// from YAML; a program may also fill one in.
type Mapping struct {
	// Name is the name of the data set.
	Name string
	// Dir is the folder to which relative paths belong.
	Dir string
	// Files is the pattern of the files; see the package comment.
	Files string
	// Raw describes files without a header. nil means that the files have a known format.
	Raw *Raw
	// Axes lists the axes of every array that states none.
	Axes []string
	// GridType is the coordinate system. Empty means "cartesian".
	GridType string
	// Grid lists the axes of the grid. nil means those of x, y and z that the fields have.
	Grid []string
	// Fields lists the fields.
	Fields []Field
	// Coordinates holds the coordinates of the axes of the grid. Points of an axis without
	// coordinates are counted from 0.
	Coordinates map[string]Values
	// Times holds the times of the steps. The zero value counts them from 0.
	Times Values
	// Boundaries holds the boundary of each axis of the grid. There is no default.
	Boundaries map[string]data.Boundary
	// Parameters lists the parameters of the equations and other scalars.
	Parameters []Parameter
	// Split divides the trajectories.
	Split Split

	path  string         // of the mapping, for errors
	text  []byte         // of the mapping
	lines map[string]int // "fields.velocity.x" → line
}

// Raw describes binary files without a header that NPY, HDF5 or another format has. Each
// holds one array.
type Raw struct {
	// Type is the type of the elements: "float32", "float64 big-endian", "<i2".
	Type string
	// Shape holds the length of each axis, slowest first.
	Shape []int
	// Offset is the number of bytes before the array, Tail the number after it.
	Offset, Tail int64
	// ColumnMajor says that the first axis varies fastest, as in Fortran.
	ColumnMajor bool
	// Markers is the number of bytes, 4 or 8, that Fortran's unformatted sequential files have
	// before and after every record: each entry of the axis that varies slowest is one record.
	// 0 means none.
	Markers int
}

// Field is a field of the data set.
type Field struct {
	// Name is the name without the suffix of a component: "velocity".
	Name string
	// Units is a comment.
	Units string
	// Constant says that the field does not change with time though its files do. A field
	// whose arrays have no time axis is constant in any case, unless its files are steps.
	Constant bool
	// Fill replaces missing values, NaN and infinities. nil means that they are errors.
	Fill *float64
	// Scale and Offset convert units: value · Scale + Offset, computed in float64 from the
	// float32 value. A Scale of 0 means 1. With -1 and 1 a mask that is 1 in the fluid becomes
	// one that is 1 in the solid.
	Scale, Offset float64
	// Components holds the source of each component: "" of a scalar, "x" and "y" of a vector,
	// "xx", "xy", "yx" and "yy" of a tensor.
	Components map[string]Source
}

// Source is an array, or a part of one.
type Source struct {
	// Array is the name of the array. In HDF5 and Zarr it is a path: "group/rho". The only
	// array of an NPY or raw file is called "array".
	Array string
	// File is the path of the file, in which names in braces are replaced as those of Files.
	// Empty means the files of the mapping.
	File string
	// Axes lists the axes of the array. nil means those of the mapping.
	Axes []string
	// At holds the index on each axis that is no axis of the result.
	At map[string]int
}

// String returns the form that a mapping has: "data[channel=1] in other.h5".
func (s Source) String() string {
	var b strings.Builder
	b.WriteString(s.Array)
	if len(s.At) > 0 {
		fmt.Fprintf(&b, "%s", formatAt(s.At))
	}
	if s.File != "" {
		b.WriteString(" in " + s.File)
	}
	return b.String()
}

// Values are the coordinates of an axis, or times. At most one of the forms is set; the
// zero value counts from 0.
type Values struct {
	// Source is an array.
	Source *Source
	// List holds the numbers themselves.
	List []float64
	// Range gives equal distances.
	Range *Range
	// Name is the name in braces of the pattern that holds the number, for times of files
	// with one step each. Attribute is the name of an attribute of these files.
	Name, Attribute string
}

// Range describes numbers at equal distances: From and Step, or From and To, both included,
// if Step is 0.
type Range struct{ From, To, Step float64 }

// at returns number i of n.
func (r Range) at(i, n int) float64 {
	if r.Step != 0 {
		return r.From + float64(i)*r.Step
	}
	if n == 1 {
		return r.From
	}
	return r.From + (r.To-r.From)*float64(i)/float64(n-1)
}

// Parameter is a number that belongs to a trajectory. Exactly one of its forms is set;
// without any it is the number Value.
type Parameter struct {
	Name  string
	Value float64
	// Source is an array: of one number, or with the axes trajectory and time.
	Source *Source
	// Attribute is the name of an attribute of the file.
	Attribute string
	// Placeholder is a name in braces of the pattern that holds the number.
	Placeholder string
}

// Split divides the trajectories into training, validation and test sets. At most one of
// the forms is set. The zero value is the ratios 0.8, 0.1 and 0.1, or the folders that
// {split} in the pattern matches.
type Split struct {
	// Ratios maps "train", "valid" and "test" to their shares, which add up to 1.
	// Trajectories are drawn at random by Seed.
	Ratios map[string]float64
	Seed   uint64
	// Patterns maps splits to patterns of file paths relative to Dir, as in path.Match.
	Patterns map[string]string
	// Numbers maps splits to the numbers of trajectories, in the order of the files.
	Numbers map[string][]int
}

// splitNames lists the splits of a data set.
var splitNames = []string{"train", "valid", "test"}

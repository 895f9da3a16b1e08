package well

import "github.com/gowalrus/gowalrus/data"

// Header describes a file that is to be written: everything but the values of
// the fields.
type Header struct {
	// Dataset is the name of the data set (attribute dataset_name).
	Dataset string
	// GridType is "cartesian" if empty.
	GridType string
	// Axes are the names of the axes; nil is the first of x, y, z.
	Axes []string
	// Coordinates holds the coordinate of each point along each axis and so says
	// how long the axes are.
	Coordinates [][]float32
	// Times holds the time of each frame.
	Times []float32
	// Trajectories is the number of simulations in the file.
	Trajectories int
	// Fields are the variable fields and the constant ones; they are stored in
	// the order of their tensor order. A constant field has one array for each
	// trajectory.
	Fields []data.Field
	// Boundaries holds one condition per axis and side.
	Boundaries data.Boundaries
	// Parameters are the parameters of the equations that all trajectories share
	// (attribute simulation_parameters, and constant scalars).
	Parameters []Parameter
	// Scalars declares further scalars, whose values are written one by one.
	Scalars []ScalarSpec
	// Deflate is the compression level, 1 to 9; 0 stands for 6 and -1 for none.
	// A chunk is one frame of one field.
	Deflate int
}

// Parameter is a named number.
type Parameter struct {
	Name  string
	Value float64
}

// ScalarSpec declares a scalar that differs between trajectories, and between
// frames unless it is constant.
type ScalarSpec struct {
	Name     string
	Constant bool
}

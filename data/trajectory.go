package data

import (
	"context"
	"fmt"
)

// Trajectory is one simulation of a data set.
type Trajectory struct {
	// File is the path of the trajectory's file, Index its number within the file.
	File  string
	Index int
	// Steps is the number of frames.
	Steps int
}

// Span identifies a window of a data set: frames Start, Start+Stride, … of one trajectory.
type Span struct {
	// Trajectory is an index into Dataset.Trajectories.
	Trajectory int
	// Start is the first frame, Stride the distance between frames, Frames their number.
	Start, Stride, Frames int
}

// Origin records the file, trajectory and frames of a window for error messages.
type Origin struct {
	// Dataset is the name of the data set, File the path of the file.
	Dataset, File string
	// Trajectory is the number of the trajectory within the file.
	Trajectory int
	// Start and Stride are the fields of the same name of the Span.
	Start, Stride int
}

// String returns the name of a window with this origin.
func (o Origin) String() string {
	return fmt.Sprintf("%s trajectory %d frame %d stride %d (%s)", o.Dataset, o.Trajectory, o.Start, o.Stride, o.File)
}

// Dataset is a set of trajectories of one physical system on one grid. Implementations are
// safe for concurrent use.
type Dataset interface {
	// Metadata returns the properties that all windows share.
	Metadata() Metadata
	// Trajectories returns the trajectories; callers must not modify the slice.
	Trajectories() []Trajectory
	// Read returns the window of span. If into is not nil, Read overwrites and returns it,
	// and reuses its arrays if they are large enough.
	Read(ctx context.Context, span Span, into *Window) (*Window, error)
}

// Metadata holds the properties that all windows of a data set share.
type Metadata struct {
	// Name is the name of the data set: "shear_flow".
	Name string
	// GridType is "cartesian" or the name of another coordinate system.
	GridType string
	// Axes names the axes of the grid, Grid counts the points along each.
	Axes []string
	Grid []int
	// Fields lists the fields in the order of a window's channels: variable fields of order
	// 0, 1, 2, then constant fields of order 0, 1, 2.
	Fields []Field
	// Scalars names the scalars that change with time, ConstantScalars those that do not.
	Scalars, ConstantScalars []string
}

// Cartesian reports whether vectors have one component per spatial axis, so that 2D windows
// can be extended to 3D and rotated.
func (m Metadata) Cartesian() bool { return m.GridType == CartesianGrid }

// Channels returns the names of all channels that the network receives. Vectors and tensors
// have the components of three axes unless the coordinates are curvilinear.
func (m Metadata) Channels() []string {
	w := Window{Fields: m.Fields, Grid: m.Grid, Axes: m.Axes, Curvilinear: !m.Cartesian()}
	return w.Volume().Channels()
}

// History returns the release's number of frames of history for this grid: 6 in 1D and 2D,
// 3 in 3D (docs/reference.md §11).
func (m Metadata) History() int { return forGrid(m.Grid, planeHistory, volumeHistory) }

// Batch returns the release's number of windows per micro-batch for this grid: 2 in 1D and
// 2D, 1 in 3D.
func (m Metadata) Batch() int { return forGrid(m.Grid, planeBatch, volumeBatch) }

// CartesianGrid is the grid type of Cartesian coordinates.
const CartesianGrid = "cartesian"

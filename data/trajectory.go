package data

import (
	"context"
	"fmt"
)

// Trajectory is one simulation of a data set.
type Trajectory struct {
	// File is the path of the file that holds it, Index its number in there.
	File  string
	Index int
	// Steps is its number of frames.
	Steps int
}

// Span names a window of a data set: frames Start, Start+Stride, … of one
// trajectory.
type Span struct {
	// Trajectory is an index into Dataset.Trajectories.
	Trajectory int
	// Start is the first frame, Stride the distance between two, Frames how many.
	Start, Stride, Frames int
}

// Origin says where in which file a window was read. Errors repeat it.
type Origin struct {
	// Dataset is the name of the data set, File the path of the file.
	Dataset, File string
	// Trajectory is the trajectory's number in the file.
	Trajectory int
	// Start and Stride are those of the Span.
	Start, Stride int
}

// String is the name of a window with this origin.
func (o Origin) String() string {
	return fmt.Sprintf("%s trajectory %d frame %d stride %d (%s)", o.Dataset, o.Trajectory, o.Start, o.Stride, o.File)
}

// Dataset is a set of trajectories of one physical system on one grid, from
// which windows are read. Implementations are safe for concurrent use.
type Dataset interface {
	// Metadata describes what all windows have in common.
	Metadata() Metadata
	// Trajectories lists the simulations; callers must not change the slice.
	Trajectories() []Trajectory
	// Read returns the window of span. If into is not nil it is overwritten and
	// returned, and its arrays are used again where they are large enough.
	Read(ctx context.Context, span Span, into *Window) (*Window, error)
}

// Metadata is what the windows of a data set have in common.
type Metadata struct {
	// Name is the name of the data set: "shear_flow".
	Name string
	// GridType is "cartesian" or the name of another coordinate system.
	GridType string
	// Axes are the names of the axes, Grid the points along each.
	Axes []string
	Grid []int
	// Fields are the fields in the order of a window's channels: variable ones
	// of order 0, 1, 2, then the constant ones of order 0, 1, 2.
	Fields []Field
	// Scalars are the names of the numbers that go with a window: those that
	// change with time and those that do not.
	Scalars, ConstantScalars []string
}

// Cartesian reports whether vectors have one component per axis of space, so
// that planes can be seen as thin volumes and turned.
func (m Metadata) Cartesian() bool { return m.GridType == CartesianGrid }

// Channels returns the names of all channels as a network sees them: in three
// dimensions unless the coordinates are curvilinear.
func (m Metadata) Channels() []string {
	w := Window{Fields: m.Fields, Grid: m.Grid, Axes: m.Axes, Curvilinear: !m.Cartesian()}
	return w.Volume().Channels()
}

// History returns the release's frames of history on such a grid: 6 on lines and
// planes, 3 in space (SPEC §11).
func (m Metadata) History() int { return forGrid(m.Grid, planeHistory, volumeHistory) }

// Batch returns the release's windows of a micro-batch: 2 on lines and planes, 1 in
// space.
func (m Metadata) Batch() int { return forGrid(m.Grid, planeBatch, volumeBatch) }

// CartesianGrid is the grid type of Cartesian coordinates.
const CartesianGrid = "cartesian"

// Package convert converts files of other collections to The Well's layout: PDEBench,
// PDEArena, PDEGym (Poseidon), FlowBench and BubbleML 2.
//
//	report, err := convert.Convert(ctx, convert.Options{Input: "2D_CFD_Rand_….hdf5", Out: "datasets"})
//
// Each [Format] states the boundaries and channel names that the collection's files lack;
// [Options] can replace them. A field gets the name that the released weights use if it is
// the same physical quantity. The [Report] lists the parts of the source that the result
// lacks.
//
// Sources are converted frame by frame. For a source that is damaged, truncated or of
// another layout, Convert returns an error that names file and dataset, and writes nothing.
//
// Files of any other layout are read by package mapping, below this one.
package convert

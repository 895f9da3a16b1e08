// Package convert turns the layouts of other collections into The Well's:
// PDEBench, PDEArena, PDEGym (Poseidon), FlowBench and BubbleML 2.
//
//	report, err := convert.Convert(ctx, convert.Options{Input: "2D_CFD_Rand_….hdf5", Out: "datasets"})
//
// What a collection does not say in its files is stated by its [Format]: which
// boundary holds, what the channels are called. [Options] can say otherwise.
// Fields carry the names that the released weights know where the physics is the
// same. Whatever is in a source and not in the result is listed in the [Report].
//
// Sources are streamed frame by frame. A source that is damaged, cut short or of
// another layout is an error that names file and dataset, and leaves nothing.
package convert

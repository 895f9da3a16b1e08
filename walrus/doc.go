// Package walrus implements the Walrus model of arXiv 2511.15684: its configuration,
// its network on gomlx, its weights, and an emulator that forecasts fields in physical
// units.
//
//	em, err := walrus.Load("checkpoint", walrus.EmulatorOptions{Backend: backend})
//	…
//	for frame, err := range em.Rollout(ctx, window, 20) {
//		…
//	}
//
// [Config] describes a network and holds no weights; [Model] builds its graph;
// [Weights] holds the values under the names of the released checkpoint;
// [Emulator] computes the next frame with them: statistics of the history,
// normalisation, padding and jitter, the network, denormalisation.
//
// [Scaling] says how fields are normalised for a network. Weights carry the scaling that
// they were trained with, checkpoints record it, and emulators use it unless their
// options set another. [Export] writes weights and scaling as the release's files.
//
// The letters of shapes are T time, B batch, C channels and H W D space. Fields are
// [T, B, C, H, W, D]; missing spatial axes are axes of length 1.
package walrus

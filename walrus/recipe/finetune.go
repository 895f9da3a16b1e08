package recipe

// Finetuning returns the recipe of the paper's authors for finetuning weights on the data
// set in a folder (docs/reference.md §13): half the learning rate of pretraining, statistics
// of the data set in place of those of each window, rotary frequencies learned per axis, no
// dropped paths. weights is a checkpoint or one of nano.Names; those of a peer have only the
// settings of [Recipe.SetPeer]. The recipe has 10 epochs of
// 100 updates; the authors have 51 of 500. [Recipe.SetEpochs] changes the number of epochs.
func Finetuning(weights, folder string) *Recipe {
	r := &Recipe{
		Seed: 1, Weights: weights, Data: []Data{{Path: folder}},
		Updates: 100, Accumulate: 1,
		Schedule:   Schedule{Base: 1e-4, WarmupFactor: 0.01},
		Objective:  Objective{Eps: 1e-8, Statistics: "dataset"},
		Network:    map[string]any{"drop_path": 0, "rope": "per_axis"},
		Validation: Validation{Every: 1},
	}
	r.SetEpochs(10)
	if r.Peer() != "" {
		r.SetPeer()
	}
	return r
}

// SetEpochs sets the number of epochs. The warm-up becomes a fifth of them and the cooldown
// three tenths, at least one epoch each; fewer than three epochs have neither.
func (r *Recipe) SetEpochs(n int) {
	r.Epochs = n
	r.Schedule.Warmup, r.Schedule.Cooldown = max(1, n/5), max(1, 3*n/10)
	if n < 3 {
		r.Schedule.Warmup, r.Schedule.Cooldown = -1, -1
	}
}

package experiment

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"github.com/gomlx/compute"

	"github.com/gowalrus/gowalrus/augment"
	"github.com/gowalrus/gowalrus/internal/progress/meter"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/recipe"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// Network returns the network of the experiments as settings of a recipe: two blocks of
// width 64 and 8 tokens along each axis, which are patches of 4 × 4 on 32 × 32 points.
func Network() map[string]any {
	return map[string]any{"preset": "micro", "hidden": 64, "blocks": 2, "heads": 4, "groups": 4, "intermediate": 24,
		"kernel": []int{4, 4}, "tokens": []int{8, 8, 8}}
}

// Training is one network to train.
type Training struct {
	Recipe *recipe.Recipe
	// Dir is the folder of the run.
	Dir string
	// NoRolls omits the rolls of tokens between blocks, also in forecasts.
	NoRolls bool
	// Rotations, if not nil, replace the rotations of the recipe, from which every
	// micro-batch of every data set draws.
	Rotations []augment.Rotation
	// Log, if not nil, receives a line with the update and the loss every ten seconds.
	Log io.Writer
}

// Checkpoint returns the path of the weights after Fit.
func (t Training) Checkpoint() string { return filepath.Join(t.Dir, train.LastCheckpoint) }

// Fit trains, or loads the result of an earlier call, and returns an emulator of the
// weights whose draws have the seed of the recipe. The caller closes it.
func (t Training) Fit(ctx context.Context, b compute.Backend) (*walrus.Emulator, error) {
	if err := t.run(ctx, b); err != nil {
		return nil, fmt.Errorf("experiment: %s: %w", filepath.Base(t.Dir), err)
	}
	return walrus.Load(t.Checkpoint(), walrus.EmulatorOptions{Backend: b, Seed: t.Recipe.Seed, NoRolls: t.NoRolls})
}

// run trains to the end.
func (t Training) run(ctx context.Context, b compute.Backend) error {
	opened, err := t.Recipe.Open()
	if err != nil {
		return err
	}
	defer opened.Close()
	o := &opened.Options
	o.Dir = t.Dir
	if t.Log != nil {
		m := meter.New(t.Log, filepath.Base(t.Dir), "updates")
		defer m.Close()
		o.Observe = func(p train.Progress) {
			m.Note("loss %.2f", p.Loss)
			m.Set(p.Update, p.Updates)
		}
		o.ObserveValidation = func(done, total int) { m.Note("validation: %d of %d frames", done, total) }
	}
	o.Trainer.Backend, o.Trainer.NoRolls = b, t.NoRolls
	if t.Rotations != nil {
		for i := range o.Systems {
			o.Systems[i].Rotations = t.Rotations
		}
	}
	r, err := train.NewRun(opened.Weights, *o)
	if err != nil {
		return err
	}
	defer r.Close()
	return r.Train(ctx)
}

// rate is the learning rate of a network that is trained from scratch.
const rate = 1.5e-3

// Pretraining returns a recipe for a fresh network on several data sets. The rate falls
// from epoch to epoch, 40 in all, as the authors' rate does over their 200.
func Pretraining(name string, sets Sets, updates int, seed uint64) *recipe.Recipe {
	const epochs = 40
	return &recipe.Recipe{Name: name, Seed: seed, Data: sets.Data(), Network: Network(),
		Epochs: epochs, Updates: max(1, updates/epochs), Accumulate: 1,
		Schedule: recipe.Schedule{Base: rate, Warmup: 2, Cooldown: 14}}
}

// Finetuning returns the authors' recipe for finetuning given weights on one data set
// (docs/reference.md §13): statistics of the data set, rotary frequencies learned per
// axis, half of the rate of [Pretraining]. Without weights it trains a fresh network in
// the same way.
func Finetuning(weights string, set *Set, updates int, seed uint64) *recipe.Recipe {
	const epochs = 10
	r := &recipe.Recipe{Name: set.Name, Seed: seed, Weights: weights, Data: Sets{set}.Data(),
		Epochs: epochs, Updates: max(1, updates/epochs), Accumulate: 1,
		Schedule:  recipe.Schedule{Base: rate / 2, Warmup: 1, Cooldown: 3},
		Objective: recipe.Objective{Eps: 1e-8, Statistics: "dataset"},
		Network:   map[string]any{"rope": "per_axis"}}
	if weights == "" {
		for k, v := range Network() {
			r.Network[k] = v
		}
	}
	return r
}

package recipe

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/hub"
	"github.com/gowalrus/gowalrus/internal/yamltext"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// Recipe is the content of a file.
type Recipe struct {
	Name string `yaml:"name"`
	// Seed determines initial weights, the order of the data, jitter and dropped paths.
	Seed uint64 `yaml:"seed"`
	// Network is a preset and the settings of walrus.Config (its JSON names) that
	// differ from it. With Weights it is not needed, as the weights have a network;
	// then only drop_path, field_drop, checkpoint_every, rope, ape, strides and tokens
	// may be given.
	Network map[string]any `yaml:"network"`
	// Weights is a checkpoint to start from, or one of nano.Names for shipped weights:
	// nano for the newest. It may hold a network of package peers, which is adapted to the
	// only data set.
	Weights string `yaml:"weights"`
	// APE adds a learned absolute position embedding with the token grid of the data,
	// which must be the same for all data sets (docs/reference.md §13).
	APE bool `yaml:"ape"`
	// Fields chooses the registry of a fresh network: "data" (the default) for the
	// channels of the data sets, "released" for those of the released weights followed
	// by further channels of the data sets.
	Fields string `yaml:"fields"`

	Data     []Data   `yaml:"data"`
	Sampling Sampling `yaml:"sampling"`
	// Simulation sets limits for all entries of Data with Simulate together.
	Simulation Simulation `yaml:"simulation"`

	Epochs     int       `yaml:"epochs"`
	Updates    int       `yaml:"updates"`
	Accumulate int       `yaml:"accumulate"`
	Schedule   Schedule  `yaml:"schedule"`
	Optimizer  Optimizer `yaml:"optimizer"`
	Objective  Objective `yaml:"objective"`
	// EMA is the decay of the moving average of the weights, 0 for none.
	EMA float64 `yaml:"ema"`
	// Freeze lists patterns of tensors that are not trained.
	Freeze []string `yaml:"freeze"`
	// SkipNonFinite leaves out micro-batches whose loss or gradient is not finite, with a
	// warning in Log, instead of ending the run.
	SkipNonFinite bool `yaml:"skip_non_finite"`
	// LoRA trains low-rank adapters.
	LoRA *LoRA `yaml:"lora"`

	Validation Validation `yaml:"validation"`
	// SaveEvery is the number of updates between two checkpoints.
	SaveEvery int `yaml:"save_every"`

	// Log receives a record for every compiled program and for errors of simulations;
	// nil means none. It is not part of the file.
	Log *slog.Logger `yaml:"-"`

	// thrifty takes as many windows from a validation trajectory as from one of the training,
	// instead of one.
	thrifty bool
	// file is the path of the recipe; paths are relative to its folder.
	file string
}

// Data is a data set, or the data sets of a system that is simulated during training.
type Data struct {
	// Path is the folder of a Well data set, or its address (see package data/well).
	Path string `yaml:"path"`
	// TrainSet and ValidSet replace Path in Go: data sets of any kind, such as [data.NewMemory]
	// makes. ValidSet may be nil. The caller closes them. Statistics of the data set are computed
	// if the objective needs them.
	TrainSet data.Dataset `yaml:"-"`
	ValidSet data.Dataset `yaml:"-"`
	// Simulate names a system of package data/solve. It replaces Path; Simulated holds
	// its settings.
	Simulate  string `yaml:"simulate"`
	Simulated `yaml:",inline"`

	Name   string  `yaml:"name"`
	Weight float64 `yaml:"weight"`
	// Batch and History override those of Sampling.
	Batch   int `yaml:"batch"`
	History int `yaml:"history"`
	// Rotations are the rotations and reflections from which each micro-batch draws one:
	// none (the default), mirrors (of the axes), plane (rotations within the plane),
	// cube (its 24 rotations) or octahedral (all 48).
	Rotations string `yaml:"rotations"`
	// Transforms names a function of a field, with or without the release's "torch.":
	// {density: log10}. Names in stats.yaml must then be those of the transformed fields,
	// log10_density.
	Transforms map[string]string `yaml:"transforms"`
	// Drop names fields to leave out, such as constant fields that the given weights do
	// not know. Names are those after Transforms.
	Drop []string `yaml:"drop"`
}

// Sampling sets how windows are cut.
type Sampling struct {
	// Planes are the sizes for 1D and 2D data sets, Volumes those for 3D.
	Planes  Size `yaml:"planes"`
	Volumes Size `yaml:"volumes"`
	// Strides are the smallest and the largest distance of two frames.
	Strides []int `yaml:"strides"`
}

// Size is the shape of a micro-batch.
type Size struct {
	History int `yaml:"history"`
	Batch   int `yaml:"batch"`
}

// Schedule is train.Schedule. With Per "update" its lengths are still in epochs, but
// the rate changes with every update.
type Schedule struct {
	Kind           string  `yaml:"kind"`
	Base           float64 `yaml:"base"`
	Warmup         int     `yaml:"warmup"`
	Cooldown       int     `yaml:"cooldown"`
	WarmupFactor   float64 `yaml:"warmup_factor"`
	CooldownFactor float64 `yaml:"cooldown_factor"`
	Per            string  `yaml:"per"`
}

// Optimizer is train.AdamW.
type Optimizer struct {
	Beta1       float64 `yaml:"beta1"`
	Beta2       float64 `yaml:"beta2"`
	Eps         float64 `yaml:"eps"`
	WeightDecay float64 `yaml:"weight_decay"`
	ClipNorm    float64 `yaml:"clip_norm"`
}

// LoRA is train.LoRA.
type LoRA struct {
	Rank    int      `yaml:"rank"`
	Alpha   float64  `yaml:"alpha"`
	Targets []string `yaml:"targets"`
}

// Objective is train.Objective. Statistics is "history" (the default) or "dataset", the
// setting for finetuning, for which every data set needs its stats.yaml.
type Objective struct {
	Normalization string  `yaml:"normalization"`
	Eps           float64 `yaml:"eps"`
	Multiplier    float64 `yaml:"multiplier"`
	Statistics    string  `yaml:"statistics"`
	// BFloat16 computes the network in bfloat16; XLA only.
	BFloat16 bool `yaml:"bfloat16"`
	// Pushforward is the largest number of own forecasts at the end of a history.
	Pushforward int `yaml:"pushforward"`
}

// Validation is train.Validation.
type Validation struct {
	Every        int `yaml:"every"`
	Windows      int `yaml:"windows"`
	RolloutEvery int `yaml:"rollout_every"`
	RolloutSteps int `yaml:"rollout_steps"`
	// RolloutWindows is the number of windows from which rollouts start; 0 means
	// Windows.
	RolloutWindows int `yaml:"rollout_windows"`
}

// Read reads a recipe; errors name the file.
func Read(path string) (*Recipe, error) {
	raw, err := yamltext.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("recipe: %w", err)
	}
	r, err := Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("recipe: %s: %w", path, err)
	}
	r.file = path
	return r, nil
}

// Parse reads the text of a recipe. Paths in it are relative to the working folder.
func Parse(raw []byte) (*Recipe, error) {
	var r Recipe
	doc, err := yamltext.Parse(raw)
	if errors.Is(err, yamltext.ErrEmpty) {
		return nil, errors.New("expected a recipe, got an empty text")
	}
	if err != nil {
		return nil, err
	}
	if err := yamltext.Decode(doc.Root, &r, yaml.Strict()); err != nil {
		return nil, inWords(err)
	}
	return &r, r.Validate()
}

// Validate checks that the recipe has data and that the network's keys are known.
func (r *Recipe) Validate() error {
	if len(r.Data) == 0 {
		return errors.New("data: expected at least one data set, got none")
	}
	for i, d := range r.Data {
		if err := d.check(); err != nil {
			return fmt.Errorf("data: entry %d: %w", i+1, err)
		}
	}
	known := networkKeys()
	for _, k := range slices.Sorted(maps.Keys(r.Network)) {
		if !slices.Contains(known, k) {
			return fmt.Errorf("network: unknown key %q: expected one of %s", k, strings.Join(known, ", "))
		}
	}
	return nil
}

// path resolves a path of the file relative to the file.
func (r *Recipe) path(p string) string {
	if filepath.IsAbs(p) || hub.IsAddress(p) {
		return p
	}
	return filepath.Join(filepath.Dir(r.file), p)
}

// config returns a preset with changes. base, if not nil, is the network of given
// weights, of which only some settings may change.
func (r *Recipe) config(base *walrus.Config) (walrus.Config, error) {
	changes := map[string]any{}
	for k, v := range r.Network {
		changes[k] = v
	}
	c := walrus.Micro()
	if base != nil {
		c = *base
		free := map[string]bool{"drop_path": true, "field_drop": true, "checkpoint_every": true, "rope": true, "ape": true, "name": true, "strides": true, "tokens": true}
		for k := range changes {
			if !free[k] {
				return c, fmt.Errorf("network: %s is decided by the weights: expected none of it, or drop_path, field_drop, checkpoint_every, rope, ape, strides, tokens, name", k)
			}
		}
	} else if name, ok := changes["preset"]; ok {
		var err error
		if c, err = walrus.Preset(fmt.Sprint(name)); err != nil {
			return c, fmt.Errorf("network: %w", err)
		}
		delete(changes, "preset")
	}
	if r.Name != "" {
		c.Name = r.Name
	}
	return overlay(c, changes)
}

// overlay replaces the given settings of a configuration.
func overlay(c walrus.Config, changes map[string]any) (walrus.Config, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return c, err
	}
	var all map[string]any
	if err := json.Unmarshal(text, &all); err != nil {
		return c, err
	}
	for k, v := range changes {
		all[k] = v
	}
	if text, err = json.Marshal(all); err != nil {
		return c, fmt.Errorf("network: %w", err)
	}
	var out walrus.Config
	if err := json.Unmarshal(text, &out); err != nil {
		return c, fmt.Errorf("network: %w", inWords(err))
	}
	return out, nil
}

// checkLengths checks that warm-up and cooldown fit into the epochs of a run.
func checkLengths(s train.Schedule, epochs int) error {
	s.Epochs = epochs
	err := s.Validate()
	if err == nil {
		return nil
	}
	if s.Warmup, s.Cooldown = -1, -1; s.Validate() == nil {
		return fmt.Errorf("%w: set schedule: {warmup: N, cooldown: N}, which are 10 epochs each if left out; -1 is none", err)
	}
	return err
}

// options converts all settings but data sets.
func (r *Recipe) options() (train.RunOptions, error) {
	o := train.RunOptions{
		Epochs: r.Epochs, Updates: r.Updates, Accumulate: r.Accumulate, SaveEvery: r.SaveEvery,
		Validation: train.Validation(r.Validation),
		Trainer: train.Options{Seed: r.Seed, EMA: r.EMA, Freeze: r.Freeze, SkipNonFinite: r.SkipNonFinite, AdamW: train.AdamW(r.Optimizer),
			Objective: train.Objective{Scaling: &walrus.Scaling{Eps: r.Objective.Eps}, Multiplier: r.Objective.Multiplier, BFloat16: r.Objective.BFloat16, Pushforward: r.Objective.Pushforward}},
		Schedule: train.Schedule{Base: r.Schedule.Base, Warmup: r.Schedule.Warmup, Cooldown: r.Schedule.Cooldown,
			WarmupFactor: r.Schedule.WarmupFactor, CooldownFactor: r.Schedule.CooldownFactor},
	}
	if r.LoRA != nil {
		lora := train.LoRA(*r.LoRA)
		o.Trainer.LoRA = &lora
	}
	if k := r.Schedule.Kind; k != "" {
		if err := o.Schedule.Kind.UnmarshalText([]byte(k)); err != nil {
			return o, err
		}
	}
	switch r.Schedule.Per {
	case "", "epoch":
	case "update":
		o.PerUpdate = true
	default:
		return o, fmt.Errorf("schedule: per: expected epoch or update, got %q", r.Schedule.Per)
	}
	if n := r.Objective.Normalization; n != "" {
		if err := o.Trainer.Objective.Scaling.Normalization.UnmarshalText([]byte(n)); err != nil {
			return o, fmt.Errorf("objective: %w", err)
		}
	}
	return o, checkLengths(o.Schedule, r.Epochs)
}

package recipe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gowalrus/gowalrus/augment"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/hub"
	"github.com/gowalrus/gowalrus/data/solve"
	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/nano"
	"github.com/gowalrus/gowalrus/walrus/peers"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// Opened is a recipe with its data sets and weights. It holds everything that
// train.NewRun needs but the backend, the folder and the observer; see [Opened.NewRun].
type Opened struct {
	Options train.RunOptions
	// Weights are nil with weights of a peer.
	Weights *walrus.Weights
	// Peer is the kind of the weights if they are those of a network of package peers, which
	// OpenPeer opens as Network.
	Peer    peers.Kind
	Network *peers.Network
	// Report says how weights were loaded; it is nil for fresh ones.
	Report *walrus.LoadReport
	// Notes are messages for the person who starts the run, one per line: fields that
	// are zero everywhere, data sets without validation.
	Notes []string

	path string // of a peer's weights
	sets []*well.Dataset
	pool *solve.Pool
}

// Open opens the data sets and weights of the recipe. The caller closes the result.
func (r *Recipe) Open() (*Opened, error) {
	o := &Opened{}
	if err := o.open(r); err != nil {
		o.Close()
		if r.file != "" {
			err = fmt.Errorf("%s: %w", r.file, err)
		}
		return nil, fmt.Errorf("recipe: %w", err)
	}
	return o, nil
}

func (o *Opened) open(r *Recipe) error {
	err := r.Validate()
	if err != nil {
		return err
	}
	if o.Options, err = r.options(); err != nil {
		return err
	}
	if o.Peer = r.Peer(); o.Peer != "" {
		if err := r.checkPeer(o.Peer); err != nil {
			return err
		}
		if o.path = r.Weights; !fresh(r.Weights) {
			o.path = r.path(r.Weights)
		}
	}
	o.Options.Trainer.Log = r.Log
	for _, d := range r.Data {
		if err := o.entry(r, d); err != nil {
			return err
		}
	}
	switch {
	case o.Peer != "":
		return nil
	case r.Weights == "":
		return o.fresh(r)
	}
	return o.load(r)
}

// entry opens the data sets of an entry of the recipe.
func (o *Opened) entry(r *Recipe, d Data) error {
	if d.Simulate != "" {
		if err := o.simulated(r, d); err != nil {
			return fmt.Errorf("simulated system %s: %w", d.Simulate, err)
		}
		return nil
	}
	open := o.system
	if d.TrainSet != nil {
		open = o.given
	}
	s, err := open(r, d)
	if err != nil {
		return fmt.Errorf("data set %s: %w", cmp.Or(d.Path, s.Name), err)
	}
	o.Options.Systems = append(o.Options.Systems, s)
	return nil
}

// fresh reports whether weights are the name of a plain reference.
func fresh(weights string) bool {
	_, ok := peers.Fresh(weights)
	return ok
}

// Close closes data sets, ends simulations and frees the weights.
func (o *Opened) Close() {
	if o.pool != nil {
		o.pool.Close()
	}
	for _, ds := range o.sets {
		ds.Close()
	}
	if o.Weights != nil {
		o.Weights.Close()
	}
	if o.Network != nil {
		o.Network.Close()
	}
}

// Simulations returns the current counts of the simulations. ok is false if no entry of
// the recipe is simulated.
func (o *Opened) Simulations() (stats solve.PoolStats, ok bool) {
	if o.pool == nil {
		return stats, false
	}
	return o.pool.Stats(), true
}

// system opens a data set.
func (o *Opened) system(r *Recipe, d Data) (train.System, error) {
	s := train.System{Name: d.Name, Weight: d.Weight}
	path := r.path(d.Path)
	if s.Name == "" {
		s.Name = filepath.Base(path)
	}
	options := well.Options{Split: "train"}
	for field, name := range d.Transforms {
		kind, err := data.ParseTransform("torch." + strings.TrimPrefix(name, "torch."))
		if err != nil {
			return s, err
		}
		options.Transforms = append(options.Transforms, data.Transform{Field: field, Kind: kind})
	}
	if err := wholeSet(path); err != nil {
		return s, err
	}
	ds, err := well.Open(path, options)
	if err != nil {
		return s, err
	}
	o.sets = append(o.sets, ds)
	if s.Train, err = data.Drop(ds, d.Drop...); err != nil {
		return s, err
	}
	fields := s.Train.Metadata().Fields
	if s.Statistics, err = r.statistics(ds.Statistics(), fields, *o.Options.Trainer.Objective.Scaling); err != nil {
		return s, err
	}
	o.Notes = append(o.Notes, zeros(s.Name, ds.Statistics(), fields)...)
	if s.Valid, err = o.valid(path, options); err != nil {
		return s, err
	}
	if s.Valid != nil {
		if s.Valid, err = data.Drop(s.Valid, d.Drop...); err != nil {
			return s, err
		}
	} else {
		o.Notes = append(o.Notes, fmt.Sprintf("data set %s: data/valid of %s holds no *.hdf5 or *.h5 files: the run is not validated on it", s.Name, path))
	}
	if s.Rotations, err = rotations(d.Rotations); err != nil {
		return s, err
	}
	err = r.sample(&s, d)
	return s, err
}

// sample sets how windows of a data set are cut.
func (r *Recipe) sample(s *train.System, d Data) error {
	size := r.Sampling.Planes
	if len(s.Train.Metadata().Grid) == 3 {
		size = r.Sampling.Volumes
	}
	s.Batch, s.Cut.Input = size.Batch, size.History
	if d.Batch != 0 {
		s.Batch = d.Batch
	}
	if d.History != 0 {
		s.Cut.Input = d.History
	}
	switch n := r.Sampling.Strides; len(n) {
	case 0:
	case 2:
		s.Cut.MinStride, s.Cut.MaxStride = n[0], n[1]
	default:
		return fmt.Errorf("sampling: strides: expected the least and the greatest, got %v", n)
	}
	return nil
}

// valid opens the validation split, if the data set has one.
func (o *Opened) valid(path string, options well.Options) (data.Dataset, error) {
	splits, err := well.Splits(path)
	if err != nil {
		return nil, err
	}
	for _, split := range splits {
		if split == "valid" {
			options.Split = split
			ds, err := well.Open(path, options)
			if err != nil {
				return nil, err
			}
			o.sets = append(o.sets, ds)
			return ds, nil
		}
	}
	return nil, nil
}

// wholeSet returns an error for the folder of a split, which has no other splits.
func wholeSet(path string) error {
	root, split := filepath.Dir(filepath.Dir(path)), filepath.Base(path)
	isData := filepath.Base(filepath.Dir(path)) == "data"
	if hub.IsAddress(path) {
		folder := strings.TrimSuffix(path, "/"+split)
		root, isData = strings.CutSuffix(folder, "/data")
	}
	if !isData {
		return nil
	}
	if splits, err := well.Splits(root); err == nil && slices.Contains(splits, split) {
		return fmt.Errorf("expected the folder of a whole data set, got one of its splits: give %s", root)
	}
	return nil
}

// zeros returns a note for the channels that are zero everywhere in the training data,
// according to the statistics.
func zeros(name string, s *data.Statistics, fields []data.Field) []string {
	if s == nil {
		return nil
	}
	var out []string
	for _, f := range fields {
		if values := s.RMS[f.Name]; len(values) > 0 && slices.Max(values) == 0 {
			out = append(out, fmt.Sprintf("data set %s: field %s is zero everywhere in the training data: nothing can be learned of it", name, f.Name))
		}
	}
	return out
}

// statistics returns the statistics of a data set if the recipe asks for them. They
// must contain every field.
func (r *Recipe) statistics(s *data.Statistics, fields []data.Field, scaling walrus.Scaling) (*data.Statistics, error) {
	switch r.Objective.Statistics {
	case "", "history":
		return nil, nil
	case "dataset":
		if s == nil {
			return nil, errors.New("objective: statistics: dataset: expected a stats.yaml, got none: write it with gowalrus inspect --data FOLDER --stats (in Go: well.UpdateStatistics), or take the statistics of the history (statistics: history, as a flag --statistics history)")
		}
		if _, err := walrus.GlobalStats(scaling.With(s), fields); err != nil {
			return nil, fmt.Errorf("%s: %w", well.StatisticsFile, err)
		}
		return s, nil
	}
	return nil, fmt.Errorf("objective: statistics: expected history or dataset, got %q", r.Objective.Statistics)
}

// rotations returns the rotations and reflections of a name.
func rotations(name string) ([]augment.Rotation, error) {
	switch name {
	case "", "none":
		return nil, nil
	case "mirrors":
		var out []augment.Rotation
		for _, t := range augment.Octahedral() {
			if t.Axes == augment.Identity().Axes {
				out = append(out, t)
			}
		}
		return out, nil
	case "plane":
		return augment.InPlane(augment.Rotations()), nil
	case "cube":
		return augment.Rotations(), nil
	case "octahedral":
		return augment.Octahedral(), nil
	}
	return nil, fmt.Errorf("rotations: expected none, mirrors, plane, cube or octahedral, got %q", name)
}

// channels lists the channels of all data sets in their 3D form.
func (o *Opened) channels() []string {
	var out []string
	seen := map[string]bool{}
	for _, s := range o.Options.Systems {
		for _, name := range s.Train.Metadata().Channels() {
			if !seen[name] {
				out, seen[name] = append(out, name), true
			}
		}
	}
	return out
}

// fresh draws the weights of a new network.
func (o *Opened) fresh(r *Recipe) error {
	c, err := r.config(nil)
	if err != nil {
		return err
	}
	switch r.Fields {
	case "", "data":
		c.Registry, err = data.MustRegistry().Extend(o.channels()...)
	case "released":
		c.Registry, err = data.ReleasedRegistry().Extend(o.channels()...)
	default:
		err = fmt.Errorf("fields: expected data or released, got %q", r.Fields)
	}
	if err != nil {
		return err
	}
	o.Weights, err = walrus.InitWeights(c, r.Seed)
	return err
}

// load reads the weights to start from. Fields of the data sets that they do not know
// are added to the registry (docs/reference.md §12).
func (o *Opened) load(r *Recipe) error {
	found, err := find(r)
	if err != nil {
		return err
	}
	source := found.Config.Registry
	c, err := r.config(&found.Config)
	if err != nil {
		return err
	}
	if c.Registry, err = source.Extend(o.channels()...); err != nil {
		return err
	}
	if r.APE {
		if c.APE, err = o.tokens(c); err != nil {
			return err
		}
	}
	options := walrus.LoadOptions{Source: source, AllowMissing: true, Seed: r.Seed}
	if v, ok := nano.Find(r.Weights); ok {
		o.Weights, o.Report, err = v.WeightsFor(c, options)
	} else {
		found.Config = c
		o.Weights, o.Report, err = found.Load(options)
	}
	if err != nil {
		return err
	}
	for _, key := range o.Report.Missing {
		if key != "ape" || !r.APE {
			return fmt.Errorf("weights: %s: expected %s, which is not there", r.Weights, key)
		}
	}
	return nil
}

// find locates the weights to start from.
func find(r *Recipe) (walrus.Found, error) {
	v, ok := nano.Find(r.Weights)
	if !ok {
		return walrus.FindCheckpoint(r.path(r.Weights))
	}
	m, err := v.Manifest()
	if err != nil {
		return walrus.Found{}, err
	}
	return walrus.Found{Path: v.Name, Config: m.Config, Manifest: m}, nil
}

// tokens returns the token grid that all data sets share.
func (o *Opened) tokens(c walrus.Config) ([]int, error) {
	m, err := walrus.NewModel(c)
	if err != nil {
		return nil, err
	}
	var out []int
	for _, s := range o.Options.Systems {
		w, err := s.Train.Read(context.Background(), data.Span{Stride: 1, Frames: 1}, nil)
		if err != nil {
			return nil, err
		}
		plan, err := m.Plan(w.Grid, w.Boundaries)
		if err != nil {
			return nil, err
		}
		grid := []int{plan.Axes[0].Tokens, plan.Axes[1].Tokens, plan.Axes[2].Tokens}
		if out != nil && !slices.Equal(out, grid) {
			return nil, fmt.Errorf("ape: expected data sets with one token grid, got %v and, of %s, %v", out, s.Name, grid)
		}
		out = grid
	}
	return out, nil
}

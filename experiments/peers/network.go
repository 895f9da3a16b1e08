package main

import (
	"context"
	"path/filepath"

	"github.com/gomlx/compute"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/experiments/internal/experiment"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/peers"
	"github.com/gowalrus/gowalrus/walrus/peers/dpot"
	"github.com/gowalrus/gowalrus/walrus/peers/fno"
	"github.com/gowalrus/gowalrus/walrus/peers/mpp"
	"github.com/gowalrus/gowalrus/walrus/peers/poseidon"
	"github.com/gowalrus/gowalrus/walrus/peers/unet"
	"github.com/gowalrus/gowalrus/walrus/recipe"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// Walrus networks. All others are networks of package peers.
const (
	scratch    = "walrus"
	pretrained = "walrus-nano"
)

// makers make the networks of package peers with initial weights.
var makers = map[string]func(m data.Metadata, o peers.Options, seed uint64) (*peers.Network, error){
	"poseidon": func(m data.Metadata, o peers.Options, seed uint64) (*peers.Network, error) {
		c := poseidon.Config{Name: "small", Grid: [2]int(m.Grid), Patch: 4, InChannels: len(o.Channels), OutChannels: len(o.Channels), EmbedDim: 64,
			Depths: []int{2, 2}, Heads: []int{4, 8}, Skips: []int{1, 0}, Window: 4, MLPRatio: 4, Conditioned: true, Distance: poseidon.L1}
		for i := range len(o.Channels) + 1 {
			c.Groups = append(c.Groups, i)
		}
		w, err := poseidon.InitWeights(c, seed)
		if err != nil {
			return nil, err
		}
		return peers.NewPoseidon(w, o)
	},
	"dpot": func(m data.Metadata, o peers.Options, seed uint64) (*peers.Network, error) {
		w, err := dpot.InitWeights(dpot.Config{Name: "small", Grid: m.Grid, Patch: 4, InChannels: len(o.Channels), OutChannels: len(o.Channels), InSteps: history, OutSteps: 1,
			Hidden: 192, Depth: 4, MixingBlocks: 4, Modes: 32, MLP: 192, OutWidth: 32, Classes: 1}, seed)
		if err != nil {
			return nil, err
		}
		return peers.NewDPOT(w, o)
	},
	"mpp": func(m data.Metadata, o peers.Options, seed uint64) (*peers.Network, error) {
		w, err := mpp.InitWeights(mpp.Config{Name: "small", Hidden: 192, Heads: 4, Blocks: 2, States: len(o.Channels)}, seed)
		if err != nil {
			return nil, err
		}
		o.History, o.Labels = history, map[string]int{}
		for i, name := range o.Channels {
			o.Labels[name] = i
		}
		return peers.NewMPP(w, o)
	},
	"unet": func(m data.Metadata, o peers.Options, seed uint64) (*peers.Network, error) {
		return peers.NewUNet(unet.Config{Axes: 2, Channels: len(o.Channels), Steps: history, Width: 24, Levels: 4}, o, seed)
	},
	"fno": func(m data.Metadata, o peers.Options, seed uint64) (*peers.Network, error) {
		return peers.NewFNO(fno.Config{Axes: 2, Channels: len(o.Channels), Steps: history, Width: 32, Modes: 8, Depth: 4}, o, seed)
	},
}

// rates are the largest learning rates, chosen on the validation split of one data set.
var rates = map[string]float64{scratch: 2e-3, pretrained: 1e-3, "poseidon": 1e-3, "dpot": 1e-3, "mpp": 1e-3, "unet": 1e-3, "fno": 1e-3}

// names returns the names of all networks in the order of the table.
func names() []string {
	return []string{pretrained, scratch, "poseidon", "dpot", "mpp", "unet", "fno"}
}

// fit trains a network in a folder and returns it as a forecaster. It records the number of
// parameters.
func fit(ctx context.Context, b compute.Backend, s *set, l *line, dir string) (walrus.Forecaster, error) {
	const epochs = 10
	schedule := train.Schedule{Base: l.Rate, Warmup: 1, Cooldown: 3}
	updates := max(1, l.Updates/epochs)
	make, peer := makers[l.Network]
	if !peer {
		r := &recipe.Recipe{Name: l.Network, Seed: l.Seed, Data: []recipe.Data{{TrainSet: s.learn}},
			Sampling: recipe.Sampling{Planes: recipe.Size{History: history, Batch: batch}},
			Epochs:   epochs, Updates: updates, Accumulate: 1,
			Schedule:   recipe.Schedule{Base: schedule.Base, Warmup: schedule.Warmup, Cooldown: schedule.Cooldown, Per: "update"},
			Objective:  recipe.Objective{Eps: 1e-8, Statistics: "dataset"},
			Network:    map[string]any{"rope": "per_axis", "drop_path": 0},
			Validation: recipe.Validation{Every: -1}}
		if l.Network == pretrained {
			r.Weights = "nano"
		} else {
			for k, v := range experiment.Network() {
				r.Network[k] = v
			}
		}
		em, err := experiment.Training{Recipe: r, Dir: dir}.Fit(ctx, b)
		if err != nil {
			return nil, err
		}
		n, err := em.Model().Config().Count()
		l.Parameters = n.Parameters
		return em, err
	}
	m := s.learn.Metadata()
	statistics, err := data.ComputeStatistics(ctx, s.learn)
	if err != nil {
		return nil, err
	}
	channels := (&data.Window{Fields: m.Fields, Grid: m.Grid, Axes: m.Axes}).Channels(false)
	n, err := make(m, peers.Options{Backend: b, Statistics: statistics, Channels: channels}, l.Seed)
	if err != nil {
		return nil, err
	}
	l.Parameters = n.Parameters
	defer n.Close()
	run, err := train.NewRunFor(n, train.RunOptions{Dir: dir, Epochs: epochs, Updates: updates, Accumulate: 1, Schedule: schedule, PerUpdate: true,
		Trainer: train.Options{Backend: b, Seed: l.Seed}, Validation: train.Validation{Every: -1},
		Systems: []train.System{{Name: l.Data, Train: s.learn, Batch: batch, Cut: data.Cut{Input: history}}}})
	if err != nil {
		return nil, err
	}
	defer run.Close()
	if err := run.Train(ctx); err != nil {
		return nil, err
	}
	return peers.Open(filepath.Join(dir, train.LastCheckpoint), peers.Options{Backend: b})
}

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/progress/command"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/nano"
	"github.com/gowalrus/gowalrus/walrus/peers"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// errNoMembers is the error of forecast for an ensemble of a network of package peers.
var errNoMembers = command.Usage("--members: expected weights of a Walrus network: others have no random draws; gowalrus evaluate --members N --noise S scores ensembles of all, walrus.EnsembleOf makes them in Go")

// networkOptions are the flags that choose a network and say how the networks of package
// peers get the fields of a data set.
type networkOptions struct {
	weights, statistics string
	channels            []string
	labels              map[string]int
	hold                walrus.Precision
	auto                bool
	seed                uint64
}

// add adds the flags. The seed has none.
func (o *networkOptions) add(c *cobra.Command) {
	weightsFlag(c, &o.weights)
	holdFlag(c, &o.hold)
	c.Flags().BoolVar(&o.auto, "auto", false, autoUsage)
	o.addPeers(c)
}

// addPeers adds the flags for networks of package peers.
func (o *networkOptions) addPeers(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&o.statistics, "statistics", "", "with weights of Poseidon or DPOT: `stats.yaml` of the data set, to normalise its fields")
	f.StringSliceVar(&o.channels, "channels", nil, "with weights of Poseidon: `channels` of the data set, in the network's order (density,velocity_x,velocity_y,pressure if empty)")
	f.StringToIntVar(&o.labels, "labels", nil, "with weights of MPP: `columns` of the weights for the channels, such as velocity_x=6,velocity_y=7")
}

// open opens the network: shipped weights, a checkpoint, or weights of a peer. Flags that are
// not for this network are a usage error.
func (o *networkOptions) open() (walrus.Forecaster, error) {
	kind := o.kind()
	switch {
	case kind == "" && (o.statistics != "" || o.channels != nil || o.labels != nil):
		return nil, command.Usage("--statistics, --channels and --labels: expected weights of Poseidon, DPOT or MPP, got %s", o.weights)
	case kind != "" && o.hold != walrus.Float32:
		return nil, command.Usage("--hold: expected weights of a Walrus network, got weights of %s", kind)
	case o.channels != nil && kind != peers.Poseidon:
		return nil, command.Usage("--channels: expected weights of Poseidon, got weights of %s", kind)
	case o.labels != nil && kind != peers.MPP:
		return nil, command.Usage("--labels: expected weights of MPP, got weights of %s", kind)
	case o.statistics != "" && kind == peers.MPP:
		return nil, command.Usage("--statistics: MPP normalises its input by itself")
	}
	return o.openAs(kind)
}

// kind returns the kind of a peer's weights, "" for those of a Walrus network.
func (o *networkOptions) kind() peers.Kind {
	if _, shipped := nano.Find(o.weights); shipped {
		return ""
	}
	kind, err := peers.Detect(o.weights)
	if err != nil {
		return "" // opening the weights reports what is wrong with them
	}
	return kind
}

// openAny opens the network and ignores flags that are for others.
func (o *networkOptions) openAny() (walrus.Forecaster, error) { return o.openAs(o.kind()) }

// openAs opens weights of the given kind.
func (o *networkOptions) openAs(kind peers.Kind) (walrus.Forecaster, error) {
	if kind == "" {
		return openEmulator(o.weights, o.auto, walrus.EmulatorOptions{Seed: o.seed, Weights: o.hold})
	}
	p := peers.Options{Labels: o.labels, Channels: o.channels}
	var err error
	if o.statistics != "" && kind != peers.MPP {
		if p.Statistics, err = data.ReadStatistics(o.statistics); err != nil {
			return nil, err
		}
	}
	if p.Backend, err = backend.Pick(o.auto); err != nil {
		return nil, err
	}
	return peers.Open(o.weights, p)
}

// openEmulator loads weights of a Walrus network for an emulator with the given options but
// the backend. If the checkpoint best of a run is missing, the error names the last one.
func openEmulator(weights string, auto bool, o walrus.EmulatorOptions) (*walrus.Emulator, error) {
	b, err := backend.Pick(auto)
	if err != nil {
		return nil, err
	}
	o.Backend = b
	em, err := nano.Open(weights, o)
	if errors.Is(err, os.ErrNotExist) && filepath.Base(filepath.Clean(weights)) == train.BestCheckpoint {
		last := train.RunCheckpoint(filepath.Dir(filepath.Clean(weights)))
		if _, missing := os.Stat(last); missing == nil {
			return nil, fmt.Errorf("%w: the run has had no validation yet, its weights so far are in %s", err, last)
		}
	}
	return em, err
}

// advise returns what an emulator says of a window that its training did not have. Peers say
// nothing.
func advise(f walrus.Forecaster, w *data.Window) ([]walrus.Advice, error) {
	em, ok := f.(*walrus.Emulator)
	if !ok {
		return nil, nil
	}
	return em.Advice(w)
}

package recipe

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/gomlx/compute"

	"github.com/gowalrus/gowalrus/walrus/nano"
	"github.com/gowalrus/gowalrus/walrus/peers"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// mppHistory is the history of MPP in the comparison of the Walrus paper (appendix B.3). The
// others have the history of the originals.
const mppHistory = 6

// Peer returns the kind of the weights if they are those of a network of package peers, or name
// a plain reference ([peers.Fresh]), else "".
func (r *Recipe) Peer() peers.Kind {
	if _, shipped := nano.Find(r.Weights); shipped || r.Weights == "" {
		return ""
	}
	if kind, ok := peers.Fresh(r.Weights); ok {
		return kind
	}
	kind, err := peers.Detect(r.path(r.Weights))
	if err != nil {
		return "" // opening the weights reports what is wrong with them
	}
	return kind
}

// scratchRate is the largest learning rate of plain references, which have no weights to start
// from. The Fourier neural operator was published with it (arXiv 2010.08895).
const scratchRate = 1e-3

// SetPeer leaves out the settings that a network of package peers does not have: those of
// Network, and those of Objective but the statistics. Plain references, which are trained from
// scratch, get a learning rate of 1e-3.
func (r *Recipe) SetPeer() {
	r.Network, r.Objective = nil, Objective{Statistics: r.Objective.Statistics}
	if fresh(r.Weights) {
		r.Schedule.Base = scratchRate
	}
}

// checkPeer returns an error for settings that a network of package peers does not have.
func (r *Recipe) checkPeer(kind peers.Kind) error {
	fail := func(key string, got any) error {
		return fmt.Errorf("%s: expected none with weights of %s, got %v", key, kind, got)
	}
	switch objective := (Objective{Statistics: r.Objective.Statistics}); {
	case len(r.Data) != 1 || r.Data[0].Simulate != "":
		return fmt.Errorf("data: expected one data set with weights of %s, because the network is bound to channels and statistics, got %d entries", kind, len(r.Data))
	case len(r.Network) > 0:
		return fail("network", r.Network)
	case r.Objective != objective:
		return fail("objective other than statistics", r.Objective)
	case r.APE:
		return fail("ape", r.APE)
	case r.Fields != "":
		return fail("fields", r.Fields)
	}
	return nil
}

// OpenPeer opens the network of a recipe with weights of a network of package peers, adapted to the
// data set ([peers.OpenFor]), as Opened.Network, which Close closes. It returns the names of
// the tensors that start with initial values. Further calls do nothing.
func (o *Opened) OpenPeer(b compute.Backend) (fresh []string, err error) {
	if o.Peer == "" || len(o.Options.Systems) != 1 || o.Options.Systems[0].Train == nil {
		return nil, errors.New("recipe: expected an opened recipe with weights of a network of package peers and one data set, got another")
	}
	if o.Network != nil {
		return nil, nil
	}
	s := &o.Options.Systems[0]
	history := s.Cut.Input
	if o.Peer == peers.MPP {
		history = cmp.Or(history, mppHistory)
	}
	o.Network, fresh, err = peers.OpenFor(o.path, s.Train.Metadata(), peers.Options{Backend: b, Statistics: s.Statistics, History: history}, o.Options.Trainer.Seed)
	if err != nil {
		return nil, fmt.Errorf("recipe: %w", err)
	}
	s.Statistics, s.Cut.Input = nil, o.Network.History(len(s.Train.Metadata().Grid))
	o.Options.Trainer.Objective = train.Objective{}
	return fresh, nil
}

// NewRun returns the run of the recipe on a backend, in a folder. It opens a peer's network
// with OpenPeer.
func (o *Opened) NewRun(b compute.Backend, dir string) (*train.Run, error) {
	o.Options.Trainer.Backend, o.Options.Dir = b, dir
	if o.Peer == "" {
		return train.NewRun(o.Weights, o.Options)
	}
	if _, err := o.OpenPeer(b); err != nil {
		return nil, err
	}
	return train.NewRunFor(o.Network, o.Options)
}

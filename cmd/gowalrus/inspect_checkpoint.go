package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/nano"
	"github.com/gowalrus/gowalrus/walrus/peers"
)

// checkpointSummary describes a weight file and whether it fits a network.
type checkpointSummary struct {
	walrus.WeightsSummary
	// Note says why no configuration was found; it is empty otherwise.
	Note string `json:"note,omitempty"`
	// Peer describes weights of Poseidon, DPOT or MPP; nil for others.
	Peer *peers.Description `json:"peer,omitempty"`
	// Fits reports whether the file holds exactly the network's tensors; Fit lists the
	// differences. Both are absent without a network.
	Fits *bool              `json:"fits,omitempty"`
	Fit  *walrus.LoadReport `json:"fit,omitempty"`
}

// checkpoint describes a checkpoint or shipped weights. The network is the one of --preset
// or --config, else the one next to the file.
func (r *inspection) checkpoint(name string) error {
	path := name
	if v, ok := nano.Find(name); ok {
		dir, err := os.MkdirTemp("", "inspect")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		if err := v.Extract(dir); err != nil {
			return err
		}
		path = dir
	}
	found, missing := walrus.FindCheckpoint(path)
	if missing != nil && found.Weights == "" {
		return missing
	}
	s, err := found.Describe()
	if err != nil {
		return err
	}
	r.Checkpoint = &checkpointSummary{WeightsSummary: *s}
	if found.Manifest != nil {
		r.Coverage = found.Manifest.Coverage
	}
	switch {
	case r.Config != nil:
	case missing != nil:
		if r.Checkpoint.Peer, err = peers.Describe(path); err != nil {
			r.Checkpoint.Note = missing.Error()
		}
		r.Tensors, r.Parameters, r.Bytes = s.Tensors, s.Values, s.Bytes
		return nil
	default:
		r.Source = found.ConfigPath
		if err := r.count(found.Config); err != nil {
			return err
		}
	}
	if err := r.Checkpoint.compare(*r.Config); err != nil {
		return err
	}
	if path != name { // the temporary folder is removed when this returns
		r.Checkpoint.Path = name
		r.Source = strings.ReplaceAll(r.Source, found.ConfigPath, "weights "+name)
	}
	return nil
}

// compare checks the file against a network.
func (s *checkpointSummary) compare(c walrus.Config) error {
	fit, err := walrus.CheckWeights(s.Path, c, walrus.LoadOptions{})
	var misfit *walrus.LoadError
	if err != nil && !errors.As(err, &misfit) {
		return err
	}
	fits := err == nil
	s.Fits, s.Fit = &fits, fit
	return nil
}

func (s *checkpointSummary) text(b *strings.Builder) {
	fmt.Fprintf(b, "checkpoint %s\n", s.Path)
	fmt.Fprintf(b, "  %s, tensors at %s: %s tensors, %s values, %s of %s in the file\n",
		s.Format, s.Where, grouped(int64(s.Tensors)), grouped(s.Values), size(s.Bytes), size(s.FileBytes))
	for _, dtype := range slices.Sorted(maps.Keys(s.DTypes)) {
		fmt.Fprintf(b, "  %d tensors of %s\n", s.DTypes[dtype], dtype)
	}
	for _, t := range s.Largest {
		fmt.Fprintf(b, "  large: %s %v, %s\n", t.Name, t.Shape, size(t.Bytes()))
	}
	for _, key := range slices.Sorted(maps.Keys(s.Metadata)) {
		fmt.Fprintf(b, "  metadata %s: %q\n", key, s.Metadata[key])
	}
	s.training(b)
	switch {
	case s.Peer != nil:
		fmt.Fprintf(b, "  weights of %s: %s parameters\n  licence of the published weights: %s\n",
			cmp.Or(s.Peer.Name, string(s.Peer.Kind)), grouped(s.Peer.Parameters), s.Peer.Licence)
	case s.Fits == nil:
		fmt.Fprintf(b, "  not compared with a network: %s\n", s.Note)
	case *s.Fits:
		fmt.Fprintf(b, "  fits the network\n")
	default:
		fmt.Fprintf(b, "  does not fit the network\n%s\n", indent(s.Fit.String()))
	}
}

func (s *checkpointSummary) training(b *strings.Builder) {
	t := s.Training
	if t.Optimizer {
		fmt.Fprintf(b, "  the state of an optimizer is saved too\n")
	}
	if t.Step != nil {
		fmt.Fprintf(b, "  step %d\n", *t.Step)
	}
	if t.Epoch != nil {
		fmt.Fprintf(b, "  epoch %d\n", *t.Epoch)
	}
	if t.ValLoss != nil {
		fmt.Fprintf(b, "  validation loss %g\n", *t.ValLoss)
	}
	if t.BestValLoss != nil {
		fmt.Fprintf(b, "  best validation loss %g\n", *t.BestValLoss)
	}
}

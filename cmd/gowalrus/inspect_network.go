package main

import (
	"fmt"
	"strings"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/internal/progress/command"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/peers"
)

// inspection is the result of inspect. The first keys describe the network, or, without a
// network, the file.
type inspection struct {
	walrus.ParamCount
	Source string         `json:"source,omitempty"`
	Config *walrus.Config `json:"config,omitempty"`
	// Peer describes a preset of package peers, which has no Config.
	Peer       *peers.Description `json:"peer,omitempty"`
	Plan       *csm.Plan          `json:"plan,omitempty"`
	Checkpoint *checkpointSummary `json:"checkpoint,omitempty"`
	// Coverage is the record of the windows that the weights of the checkpoint were
	// trained on. Advice lists the properties of the plan, and of a history of --history
	// frames, that are not in the record.
	Coverage *walrus.Coverage `json:"coverage,omitempty"`
	Advice   []walrus.Advice  `json:"advice,omitempty"`
	Fit      *fitSummary      `json:"fit,omitempty"`
	Backend  *backendSummary  `json:"backend,omitempty"`
}

// network reads the configuration that --preset or --config names.
func (r *inspection) network(o inspectOptions) error {
	var c walrus.Config
	var err error
	switch {
	case o.preset != "":
		if r.Peer, err = peers.Variant(o.preset); err == nil {
			r.Tensors, r.Parameters, r.Bytes = r.Peer.Tensors, r.Peer.Parameters, 4*r.Peer.Parameters
			return nil
		}
		if c, err = walrus.Preset(o.preset); err != nil {
			return command.Usage("--preset: %w, or one of %v", err, peerPresets())
		}
		r.Source = "preset " + o.preset
	case o.config != "":
		c, err = walrus.ReadConfig(o.config)
		r.Source = o.config
	default:
		return nil
	}
	if err != nil {
		return err
	}
	return r.count(c)
}

// peerPresets returns the names of the presets of package peers.
func peerPresets() []string {
	var names []string
	for _, d := range peers.Variants() {
		names = append(names, d.Name)
	}
	return names
}

// count sets the configuration and its counts.
func (r *inspection) count(c walrus.Config) (err error) {
	r.Config = &c
	r.ParamCount, err = c.Count()
	return err
}

// text formats the report as text.
func (r *inspection) text() string {
	var b strings.Builder
	if c := r.Config; c != nil {
		fmt.Fprintf(&b, "network %s (%s)\n", c.Name, r.Source)
		fmt.Fprintf(&b, "  %s tensors, %s parameters, %s in float32\n", grouped(int64(r.Tensors)), grouped(r.Parameters), size(r.Bytes))
		for _, p := range r.Parts {
			fmt.Fprintf(&b, "  %-14s %14s\n", p.Name, grouped(p.Parameters))
		}
		fmt.Fprintf(&b, "  %d blocks of width %d with %d heads, encoder width %d, kernels %d and %d, encoders for %v axes\n",
			c.Blocks, c.Hidden, c.Heads, c.Intermediate, c.Kernel[0], c.Kernel[1], c.Dims)
		fmt.Fprintf(&b, "  jitter %v, norm over %v, rotary embedding %v, predicts %v, causal %v\n",
			c.Jitter, c.Norm, c.RoPE, c.Prediction, c.Causal)
		fmt.Fprintf(&b, "  %d fields in %d columns: %s\n", c.Registry.Len(), c.States(), strings.Join(c.Registry.Names(), ", "))
	}
	if p := r.Peer; p != nil {
		fmt.Fprintf(&b, "network %s (%s): %s tensors, %s parameters, %s in float32\n", p.Name, p.Kind, grouped(int64(p.Tensors)), grouped(p.Parameters), size(r.Bytes))
	}
	if r.Checkpoint != nil {
		r.Checkpoint.text(&b)
	}
	if r.Coverage != nil {
		fmt.Fprintf(&b, "trained on\n%s\n", indent(r.Coverage.String()))
	}
	if r.Plan != nil {
		fmt.Fprintf(&b, "plan\n%s\n", indent(r.Plan.Describe()))
	}
	for _, a := range r.Advice {
		fmt.Fprintf(&b, "advice (%s): %s\n", a.Kind, a.Text)
	}
	if r.Fit != nil {
		r.Fit.text(&b)
	}
	if r.Backend != nil {
		r.Backend.text(&b)
	}
	return b.String()
}

// indent puts two spaces before each line.
func indent(s string) string { return "  " + strings.ReplaceAll(s, "\n", "\n  ") }

// grouped writes a count with commas: 1,286,199,047.
func grouped(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// size writes bytes in decimal units.
func size(n int64) string {
	x := float64(n)
	for _, unit := range []string{"B", "kB", "MB"} {
		if x < 1000 {
			return fmt.Sprintf("%.3g %s", x, unit)
		}
		x /= 1000
	}
	return fmt.Sprintf("%.2f GB", x)
}

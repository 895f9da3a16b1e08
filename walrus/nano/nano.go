// Package nano holds walrus-nano, the weights that come with the library: a network
// of 1.7 million parameters, trained on small data sets of nine systems and on
// simulations of ten (experiments/nano has recipe, log and evaluation).
//
//	em, err := nano.Load(walrus.EmulatorOptions{Backend: b})
//	frame, err := em.Emulate(ctx, window)
//
// It is made to be useful at once on grids of some thousand points, to learn the
// library with, and as a start for finetuning; for real work take the released
// weights. It was trained with histories of 6 frames, in space 3.
package nano

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"

	"github.com/gowalrus/gowalrus/walrus"
)

//go:embed checkpoint/manifest.json checkpoint/model.safetensors
var checkpoint embed.FS

// Manifest describes the weights.
func Manifest() (*walrus.Manifest, error) {
	text, err := checkpoint.ReadFile("checkpoint/" + walrus.ManifestFile)
	if err != nil {
		return nil, fmt.Errorf("nano: %w", err)
	}
	m := new(walrus.Manifest)
	if err := json.Unmarshal(text, m); err != nil {
		return nil, fmt.Errorf("nano: %w", err)
	}
	return m, nil
}

// Weights returns a copy of the weights.
func Weights(o walrus.LoadOptions) (*walrus.Weights, error) {
	m, err := Manifest()
	if err != nil {
		return nil, err
	}
	w, _, err := WeightsFor(m.Config, o)
	return w, err
}

// WeightsFor returns the weights for a network that differs from that of the
// manifest in its fields or its finetuning options; see walrus.LoadWeights.
func WeightsFor(c walrus.Config, o walrus.LoadOptions) (*walrus.Weights, *walrus.LoadReport, error) {
	raw, err := checkpoint.ReadFile("checkpoint/" + walrus.WeightsFile)
	if err != nil {
		return nil, nil, fmt.Errorf("nano: %w", err)
	}
	m, err := Manifest()
	if err != nil {
		return nil, nil, err
	}
	w, report, err := walrus.ReadWeights(bytes.NewReader(raw), int64(len(raw)), "walrus-nano", c, o)
	if err == nil {
		w.SetCoverage(m.Coverage)
	}
	return w, report, err
}

// Load returns an emulator, which owns the weights: close it.
func Load(o walrus.EmulatorOptions) (*walrus.Emulator, error) {
	w, err := Weights(walrus.LoadOptions{Backend: o.Backend})
	if err != nil {
		return nil, err
	}
	o.OwnWeights = true
	e, err := walrus.NewEmulator(w, o)
	if err != nil {
		w.Finalize()
		return nil, err
	}
	return e, nil
}

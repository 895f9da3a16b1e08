package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
)

// weights copies the variables of a store into weights of this library, which can be
// saved, finetuned and passed to an emulator. The key "blocks.0.norm1.weight" is the
// variable "/model/blocks/0/norm1/weight".
func weights(store *model.Store, c walrus.Config) (*walrus.Weights, error) {
	w, err := walrus.InitWeights(c, 0)
	if err != nil {
		return nil, err
	}
	for _, p := range w.Params() {
		v := store.GetVariable("/model/" + strings.ReplaceAll(p.Key, ".", "/"))
		if v == nil { // the 3D encoder, which 2D data never use
			continue
		}
		value, err := v.Value()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.Key, err)
		}
		copied, err := value.LocalClone()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.Key, err)
		}
		if err := w.Set(p.Key, copied); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// hand passes the weights to an emulator and scores its forecasts.
func hand(ctx context.Context, l *loop, net whole, b compute.Backend, out io.Writer) error {
	w, err := weights(l.store, net.Config())
	if err != nil {
		return err
	}
	em, err := walrus.NewEmulator(w, walrus.EmulatorOptions{Backend: b, Seed: 1, OwnWeights: true})
	if err != nil {
		return err
	}
	defer em.Close()
	score, err := judge(func(w *data.Window) ([]float32, error) { return em.Emulate(ctx, w) })
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "emulator: %v\n", score)
	return nil
}

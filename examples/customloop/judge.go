package main

import (
	"fmt"
	"math/rand/v2"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus/eval"
)

// unseen is the seed of the runs on which forecasts are scored.
const unseen = 1 << 40

// score is the median VRMSE of one-step forecasts of runs that are never trained on,
// for the model, persistence and linear extrapolation.
type score struct{ model, same, linear float64 }

func (s score) String() string {
	return fmt.Sprintf("VRMSE of unseen runs %.3f, no change %.3f, linear %.3f", s.model, s.same, s.linear)
}

func judge(forecast func(*data.Window) ([]float32, error)) (score, error) {
	rng := rand.New(rand.NewPCG(unseen, 0))
	var all [3][]float64
	for range 16 {
		w := waves(rng, history+1)
		known, err := w.Slice(0, history)
		if err != nil {
			return score{}, err
		}
		frame, err := forecast(known)
		if err != nil {
			return score{}, err
		}
		linear, err := eval.Linear(known.Frames, 1)
		if err != nil {
			return score{}, err
		}
		for i, f := range [][]float32{frame, known.Frames[history-1], linear[0]} {
			v, err := eval.VRMSE(f, w.Frames[history], eval.DefaultEps)
			if err != nil {
				return score{}, err
			}
			all[i] = append(all[i], v)
		}
	}
	return score{eval.Median(all[0]), eval.Median(all[1]), eval.Median(all[2])}, nil
}

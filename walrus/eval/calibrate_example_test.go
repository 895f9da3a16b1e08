package eval_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"math"
	"os"
	"path/filepath"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/eval"
)

// runsOfWaves returns runs of a pressure wave with different phases.
func runsOfWaves(runs int) data.Dataset {
	var list []*data.Window
	for r := range runs {
		w := &data.Window{Name: "waves", Grid: []int{16, 16}, Boundaries: data.Boundaries{data.Both(data.Periodic), data.Both(data.Periodic)}, Fields: []data.Field{{Name: "pressure"}}}
		for t := range 5 {
			frame := make([]float32, 256)
			for p := range frame {
				frame[p] = float32(math.Sin(2*math.Pi*float64(p/16)/16 + float64(r) + 0.1*float64(t)))
			}
			w.Frames = append(w.Frames, frame)
		}
		list = append(list, w)
	}
	ds, err := data.NewMemory("waves", list)
	if err != nil {
		log.Fatal(err)
	}
	return ds
}

// A calibration next to the weights gives the forecasts of Load intervals.
func ExampleCalibrate() {
	b, err := backend.Go()
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "calibrate")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	dir = filepath.Join(dir, "weights")
	c := walrus.Micro()
	c.Registry = data.MustRegistry("pressure")
	weights, err := walrus.InitWeights(c, 1)
	if err != nil {
		log.Fatal(err)
	}
	defer weights.Close()
	if err := walrus.SaveCheckpoint(dir, walrus.Checkpoint{Weights: weights}); err != nil {
		log.Fatal(err)
	}

	ctx, runs := context.Background(), runsOfWaves(10)
	em, err := walrus.Load(dir, walrus.EmulatorOptions{Backend: b})
	if err != nil {
		log.Fatal(err)
	}
	defer em.Close()
	calibration, err := eval.Calibrate(ctx, runs, em, eval.CalibrateOptions{Steps: 2, Input: 3, Levels: []float64{0.9}})
	if err != nil {
		log.Fatal(err)
	}
	if err := calibration.Save(dir); err != nil {
		log.Fatal(err)
	}

	calibrated, err := walrus.Load(dir, walrus.EmulatorOptions{Backend: b, Seed: 7})
	if err != nil {
		log.Fatal(err)
	}
	defer calibrated.Close()
	history, err := runs.Read(ctx, data.Span{Stride: 1, Frames: 3}, nil)
	if err != nil {
		log.Fatal(err)
	}
	for frame, err := range calibrated.Rollout(ctx, history, 2) {
		if err != nil {
			log.Fatal(err)
		}
		i := frame.Interval
		fmt.Println(frame.Step, i.Level, i.Lower[5] < frame.Values[5], frame.Values[5] < i.Upper[5])
	}
	horizon, err := calibration.TrustHorizon(10)
	fmt.Println(calibration.Unit, calibration.Units, horizon, err)
	_, err = calibration.Interval(history, 3, history.Frames[0], 0.9)
	fmt.Println(errors.Is(err, walrus.ErrNotCalibrated))
	// Output:
	// 1 0.9 true true
	// 2 0.9 true true
	// trajectory 10 2 <nil>
	// true
}

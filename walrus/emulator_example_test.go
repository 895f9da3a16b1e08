package walrus_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/perturb"
)

// tide returns three frames of a height and a velocity on 12×8 points between two walls.
func tide() *data.Window {
	w := &data.Window{
		Name: "tide", Grid: []int{12, 8},
		Fields:     []data.Field{{Name: "height"}, {Name: "velocity", Order: 1}},
		Boundaries: data.Boundaries{data.Both(data.Periodic), data.Both(data.Wall)},
	}
	for t := range 3 {
		frame := make([]float32, 3*12*8)
		for i := range frame {
			frame[i] = float32(math.Sin(2*math.Pi*float64(i/8)/12 - 0.3*float64(t)))
		}
		w.Frames = append(w.Frames, frame)
	}
	return w
}

// tiny returns a network for these fields that is small enough to run in milliseconds.
func tiny() walrus.Config {
	c := walrus.Micro()
	c.Name = "tide"
	c.Registry = data.MustRegistry("height", "velocity_x", "velocity_y", "velocity_z")
	c.Kernel, c.Tokens = [2]int{4, 4}, [3]int{4, 4, 4}
	return c
}

// tideEmulator returns an emulator with fresh weights; programs use [walrus.Load].
func tideEmulator(o walrus.EmulatorOptions) *walrus.Emulator {
	b, err := backend.Go()
	if err != nil {
		log.Fatal(err)
	}
	w, err := walrus.InitWeights(tiny(), 1)
	if err != nil {
		log.Fatal(err)
	}
	o.Backend, o.OwnWeights = b, true
	em, err := walrus.NewEmulator(w, o)
	if err != nil {
		log.Fatal(err)
	}
	return em
}

// Load a checkpoint, forecast, and close the emulator.
func ExampleLoad() {
	dir, err := os.MkdirTemp("", "load")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	w, err := walrus.InitWeights(tiny(), 1)
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()
	path := filepath.Join(dir, "checkpoint")
	if err := walrus.SaveCheckpoint(path, walrus.Checkpoint{Weights: w}); err != nil {
		log.Fatal(err)
	}

	b, err := backend.Go()
	if err != nil {
		log.Fatal(err)
	}
	em, err := walrus.Load(path, walrus.EmulatorOptions{Backend: b, Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer em.Close()
	frame, err := em.Emulate(context.Background(), tide())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(em.Model().Config().Name, len(frame), "values")
	// Output: tide 288 values
}

// The forecast of one step has the units, channels and axes of the window.
func ExampleEmulator_Emulate() {
	em := tideEmulator(walrus.EmulatorOptions{Seed: 1})
	defer em.Close()
	frame, err := em.Emulate(context.Background(), tide())
	fmt.Println(len(frame) == len(tide().Frames[0]), err)

	stranger := tide()
	stranger.Fields[0].Name = "salinity"
	_, err = em.Emulate(context.Background(), stranger)
	fmt.Println(err)
	// Output:
	// true <nil>
	// walrus: window tide: data: the field registry has no salinity; it knows height, velocity_x, velocity_y, velocity_z; to leave out a field that the forecast can do without, give its name: --drop NAME to gowalrus, drop: [NAME] in a recipe, Window.Drop in Go; a new field joins by finetuning: gowalrus finetune --data FOLDER
}

// Frames come one by one; a context ends the rollout.
func ExampleEmulator_Rollout() {
	em := tideEmulator(walrus.EmulatorOptions{Seed: 1})
	defer em.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for frame, err := range em.Rollout(ctx, tide(), 20) {
		if errors.Is(err, context.Canceled) {
			fmt.Println("stopped")
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(frame.Step, len(frame.Values))
		if frame.Step == 2 {
			cancel()
		}
	}
	// Output:
	// 1 288
	// 2 288
	// stopped
}

func ExampleEmulator_Forecast() {
	em := tideEmulator(walrus.EmulatorOptions{Seed: 1})
	defer em.Close()
	frames, err := em.Forecast(context.Background(), tide(), 3)
	fmt.Println(len(frames), err)
	// Output: 3 <nil>
}

// Four members from perturbed initial frames, with the range that should contain four fifths
// of the values.
func ExampleEmulator_Ensemble() {
	em := tideEmulator(walrus.EmulatorOptions{Seed: 1, Batch: 4})
	defer em.Close()
	o := walrus.EnsembleOptions{Members: 4, Perturbation: perturb.Shaped(0.01), Quantiles: []float64{0.1, 0.9}}
	for frame, err := range em.Ensemble(context.Background(), tide(), 2, o) {
		if err != nil {
			log.Fatal(err)
		}
		low, high := frame.Quantiles[0], frame.Quantiles[1]
		fmt.Println(frame.Step, len(frame.Mean), frame.Std[7] > 0, low[7] < frame.Mean[7], frame.Mean[7] < high[7])
	}
	// Output:
	// 1 288 true true true
	// 2 288 true true true
}

// A rollout with given draws can be repeated.
func ExampleEmulator_Replay() {
	em := tideEmulator(walrus.EmulatorOptions{})
	defer em.Close()
	draws := []walrus.Draws{{Shift: [3]int32{2, 1, 0}}, {Shift: [3]int32{-3, 0, 0}}}
	var runs [2][]float32
	for i := range runs {
		for frame, err := range em.Replay(context.Background(), tide(), draws) {
			if err != nil {
				log.Fatal(err)
			}
			runs[i] = append(runs[i], frame.Values...)
		}
	}
	fmt.Println(len(runs[0]), slices.Equal(runs[0], runs[1]))
	// Output: 576 true
}

// Only Backend is required; the other zero values are right for the released weights.
func ExampleEmulatorOptions() {
	b, err := backend.Go()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(walrus.EmulatorOptions{Backend: b}.Validate())
	fmt.Println(walrus.EmulatorOptions{}.Validate())
	fmt.Println(walrus.EmulatorOptions{Backend: b, Ensemble: -1}.Validate())
	// Output:
	// <nil>
	// walrus: emulator options: expected a backend (see package walrus/backend), got none
	// walrus: emulator options: expected an ensemble of at least 1 and at most 1048576, got -1
}

// Weights that were finetuned with the statistics of a data set need them in place of those
// of the history.
func ExampleGlobalStats() {
	s, err := data.ParseStatistics([]byte("rms: {height: 2, velocity: [3, 4]}\nrms_delta: {height: 0.5, velocity: [0.3, 0.4]}\n"))
	if err != nil {
		log.Fatal(err)
	}
	stats, err := walrus.GlobalStats(walrus.Scaling{Statistics: s}, tide().Fields)
	fmt.Printf("%.3f %.3f %v\n", stats.Std, stats.DeltaStd, err)
	_, err = walrus.GlobalStats(walrus.Scaling{Statistics: s}, []data.Field{{Name: "salinity"}})
	fmt.Println(err)
	// Output:
	// [2.000 2.887 2.887 2.887] [0.500 0.289 0.289 0.289] <nil>
	// data: statistics: rms: expected field "salinity", which is missing
}

func ExampleResize() {
	grid, err := walrus.NeutronStarResize.Grid([]int{192, 128, 66})
	fmt.Println(grid, err)
	_, err = walrus.NeutronStarResize.Grid([]int{192, 128})
	fmt.Println(err)
	// Output:
	// [192 128 64] <nil>
	// walrus: resize [0 0 64]: axis 2 of grid [192 128] cannot become 64 points
}

func ExampleScaling() {
	fmt.Println(walrus.Scaling{Normalization: walrus.NormalizeMeanStd}.Validate())
	fmt.Println(walrus.Scaling{Eps: -1}.Validate())
	// Output:
	// <nil>
	// eps: expected a positive number or 0 for the default, got -1
}

// An emulator may use weights in training, which may change between rollouts. Close closes
// the emulator and keeps the weights unless OwnWeights is set.
func ExampleNewEmulator() {
	b, err := backend.Go()
	if err != nil {
		log.Fatal(err)
	}
	w, err := walrus.InitWeights(tiny(), 1)
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()
	em, err := walrus.NewEmulator(w, walrus.EmulatorOptions{Backend: b, JitterOff: true})
	if err != nil {
		log.Fatal(err)
	}
	defer em.Close()
	before, err := em.Emulate(context.Background(), tide())
	if err != nil {
		log.Fatal(err)
	}
	if err := w.Set("encoder_dummy", tensors.FromValue([]float32{0.5})); err != nil {
		log.Fatal(err)
	}
	after, err := em.Emulate(context.Background(), tide())
	fmt.Println(slices.Equal(before, after), err)
	// Output: false <nil>
}

// A long rollout yields every tenth frame; the others stay on the device.
func ExampleEmulator_RolloutEvery() {
	em := tideEmulator(walrus.EmulatorOptions{JitterOff: true})
	defer em.Close()
	for frame, err := range em.RolloutEvery(context.Background(), tide(), 30, 10) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(frame.Step)
	}
	// Output:
	// 10
	// 20
	// 30
}

// Prepare compiles the programs of a rollout with a cache before the first forecast.
func ExampleCache() {
	em := tideEmulator(walrus.EmulatorOptions{Cache: &walrus.Cache{Refresh: 4}})
	defer em.Close()
	if err := em.Prepare(tide()); err != nil {
		log.Fatal(err)
	}
	frames, err := em.Forecast(context.Background(), tide(), 6)
	fmt.Println(len(frames), err)
	fmt.Println(walrus.Cache{Frames: -1}.Validate())
	// Output:
	// 6 <nil>
	// cache: expected a number of frames of at least 0, got -1
}

// Four draws of an ensemble pass the network together. bfloat16 needs XLA.
func ExamplePrecision() {
	em := tideEmulator(walrus.EmulatorOptions{Ensemble: 4, Batch: 4})
	defer em.Close()
	frame, err := em.Emulate(context.Background(), tide())
	fmt.Println(len(frame), err)
	b, err := backend.Go()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(walrus.EmulatorOptions{Backend: b, Precision: walrus.BFloat16}.Validate())
	// Output:
	// 288 <nil>
	// walrus: emulator options: precision bfloat16: expected XLA, got backend Go Backend
}

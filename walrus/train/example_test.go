package train_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"math"
	"os"
	"path/filepath"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// fresh returns initial weights of a network with the field height that runs in
// milliseconds.
func fresh() *walrus.Weights {
	c := walrus.Micro()
	c.Name = "waves"
	c.Registry = data.MustRegistry("height")
	c.Hidden, c.Heads, c.Groups, c.Intermediate = 16, 1, 2, 4
	c.Kernel, c.Tokens = [2]int{4, 4}, [3]int{4, 4, 4}
	w, err := walrus.InitWeights(c, 1)
	if err != nil {
		log.Fatal(err)
	}
	return w
}

// wave returns a trajectory of a travelling wave with the given phase on a periodic square.
func wave(phase float64, frames int) *data.Window {
	w := &data.Window{Name: "wave", Grid: []int{8, 8}, Fields: []data.Field{{Name: "height"}},
		Boundaries: data.Boundaries{data.Both(data.Periodic), data.Both(data.Periodic)}}
	for t := range frames {
		f := make([]float32, 64)
		for i := range f {
			f[i] = float32(math.Sin(2*math.Pi*float64(i/8)/8 - 0.5*float64(t) + phase))
		}
		w.Frames = append(w.Frames, f)
	}
	return w
}

// newTrainer returns a trainer of initial weights.
func newTrainer(o train.Options) (*train.Trainer, *walrus.Weights) {
	b, err := backend.Go()
	if err != nil {
		log.Fatal(err)
	}
	o.Backend = b
	w := fresh()
	tr, err := train.New(w, o)
	if err != nil {
		log.Fatal(err)
	}
	return tr, w
}

// Every window of a custom training loop holds the history and, last, the frame to
// forecast.
func ExampleTrainer_Step() {
	tr, weights := newTrainer(train.Options{Seed: 1})
	defer weights.Close()
	defer tr.Close()
	var first, last float64
	for i := range 20 {
		loss, err := tr.Step(&train.Batch{Windows: []*data.Window{wave(float64(i), 4), wave(float64(2*i), 4)}}, 3e-3)
		if err != nil {
			log.Fatal(err)
		}
		if i == 0 {
			first = loss
		}
		last = loss
	}
	fmt.Println(tr.Updates(), last < first)
	// Output: 20 true
}

// One update uses several micro-batches, whose grids may differ.
func ExampleTrainer_Accumulate() {
	tr, weights := newTrainer(train.Options{Seed: 1, AdamW: train.AdamW{ClipNorm: 1}})
	defer weights.Close()
	defer tr.Close()
	for i := range 2 {
		if _, err := tr.Accumulate(&train.Batch{Windows: []*data.Window{wave(float64(i), 3)}}); err != nil {
			log.Fatal(err)
		}
	}
	norm, err := tr.Update(1e-3)
	fmt.Println(norm > 0, err, tr.Updates())
	_, err = tr.Update(1e-3)
	fmt.Println(err)
	// Output:
	// true <nil> 1
	// train: update: expected accumulated gradients, got none
}

// Options choose the trained parameters: patterns freeze tensors, and adapters are trained
// in place of tensors.
func ExampleNew() {
	for _, o := range []train.Options{
		{},
		{Freeze: []string{"blocks.*"}},
		{LoRA: &train.LoRA{Rank: 1}, Freeze: []string{"embed.*", "debed.*"}},
	} {
		tr, weights := newTrainer(o)
		fmt.Println(tr.Trainable())
		tr.Close()
		weights.Close()
	}
	b, err := backend.Go()
	if err != nil {
		log.Fatal(err)
	}
	weights := fresh()
	defer weights.Close()
	_, err = train.New(weights, train.Options{Backend: b, Freeze: []string{"block.*"}})
	fmt.Println(err)
	// Output:
	// 24505 24505
	// 20537 24505
	// 689 24505
	// train: freeze: pattern "block.*" matches none of the network's 38 tensors, such as encoder_dummy
}

// The moving average of the weights often forecasts better than the weights.
func ExampleTrainer_Averaged() {
	tr, weights := newTrainer(train.Options{EMA: 0.9})
	defer weights.Close()
	defer tr.Close()
	averaged, err := tr.Averaged()
	fmt.Println(averaged != weights, err)
	// Output: true <nil>
}

// Training resumes from a checkpoint, bit for bit.
func ExampleTrainer_Checkpoint() {
	dir, err := os.MkdirTemp("", "train")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "last")
	batch := &train.Batch{Windows: []*data.Window{wave(0, 3)}}

	tr, weights := newTrainer(train.Options{Seed: 1})
	defer weights.Close()
	defer tr.Close()
	if _, err := tr.Step(batch, 1e-3); err != nil {
		log.Fatal(err)
	}
	c, err := tr.Checkpoint()
	if err != nil {
		log.Fatal(err)
	}
	if err := walrus.SaveCheckpoint(path, c); err != nil {
		log.Fatal(err)
	}
	want, err := tr.Step(batch, 1e-3)
	if err != nil {
		log.Fatal(err)
	}

	again, others := newTrainer(train.Options{Seed: 1})
	defer others.Close()
	defer again.Close()
	m, err := walrus.OpenCheckpoint(path)
	if err != nil {
		log.Fatal(err)
	}
	if err := again.Restore(m); err != nil {
		log.Fatal(err)
	}
	got, err := again.Step(batch, 1e-3)
	fmt.Println(again.Updates(), got == want, err)
	// Output: 2 true <nil>
}

// A loss that is not finite is an error that names windows, fields and tensors.
func ExampleNonFiniteError() {
	tr, weights := newTrainer(train.Options{})
	defer weights.Close()
	defer tr.Close()
	w := wave(0, 3)
	w.Name = "sensor 3"
	if err := weights.Set("encoder_dummy", tensors.FromValue([]float32{float32(math.NaN())})); err != nil {
		log.Fatal(err)
	}
	_, err := tr.Step(&train.Batch{Windows: []*data.Window{w}}, 1e-3)
	var where *train.NonFiniteError
	if errors.As(err, &where) {
		fmt.Println(where.Windows[0], where.Fields, where.Tensors)
	}
	// Output: sensor 3 [height] [encoder_dummy]
}

// The library's loop draws, reads ahead, accumulates, updates, validates, logs and saves.
func ExampleNewRun() {
	b, err := backend.Go()
	if err != nil {
		log.Fatal(err)
	}
	weights := fresh()
	defer weights.Close()
	learn, err := data.NewMemory("waves", []*data.Window{wave(0, 8), wave(1, 8), wave(2, 8)})
	if err != nil {
		log.Fatal(err)
	}
	valid, err := data.NewMemory("waves", []*data.Window{wave(3, 8)})
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "train")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	run, err := train.NewRun(weights, train.RunOptions{
		Dir: dir, Trainer: train.Options{Backend: b, Seed: 1}, Epochs: 2, Updates: 4, Accumulate: 1,
		Schedule:   train.Schedule{Base: 1e-3, Warmup: -1, Cooldown: -1},
		Systems:    []train.System{{Name: "waves", Train: learn, Valid: valid, Cut: data.Cut{Input: 3}}},
		Validation: train.Validation{Windows: 2},
		Observe: func(p train.Progress) {
			if p.Validation != nil {
				fmt.Println("epoch", p.Epoch, "update", p.Update, "of", p.Updates, p.Validation["waves"]["1"] > 0)
			}
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer run.Close()
	fmt.Println(run.Resumed(), run.Train(context.Background()), run.Trainer().Updates())
	for _, name := range []string{train.LastCheckpoint, train.BestCheckpoint} {
		m, err := walrus.OpenCheckpoint(filepath.Join(dir, name))
		fmt.Println(name, m.Step > 0, err)
	}
	// Output:
	// epoch 0 update 4 of 8 true
	// epoch 1 update 8 of 8 true
	// false <nil> 8
	// last true <nil>
	// best true <nil>
}

// The rate rises, falls with the inverse square root and cools down.
func ExampleSchedule() {
	s := train.Schedule{Epochs: 20, Warmup: 4, Cooldown: 4}
	for _, epoch := range []int{0, 2, 4, 10, 16, 19} {
		fmt.Printf("%2d %.2e\n", epoch, s.Rate(epoch))
	}
	fmt.Println(train.Schedule{Epochs: 5, Warmup: 4, Cooldown: 4}.Validate())
	// Output:
	// 0 2.00e-05
	//  2 1.10e-04
	//  4 2.00e-04
	// 10 1.58e-04
	// 16 1.32e-04
	// 19 3.47e-05
	// train: schedule: expected warm-up and cooldown within 5 epochs, got 4 and 4
}

func ExampleScheduleKind() {
	var k train.ScheduleKind
	fmt.Println(k.UnmarshalText([]byte("linear_ramps")), k == train.LinearRamps, k)
	fmt.Println(k.UnmarshalText([]byte("cosine")))
	// Output:
	// <nil> true linear_ramps
	// schedule: expected one of [sqrt_cooldown linear_ramps constant], got "cosine"
}

func ExampleAdamW() {
	fmt.Println(train.AdamW{Beta2: 0.95, WeightDecay: -1}.Validate()) // no decay
	fmt.Println(train.AdamW{Beta1: 1}.Validate())
	// Output:
	// <nil>
	// train: AdamW beta1: expected 0 ≤ β < 1, got 1
}

// The default targets are the tensors that low-rank adapters change unless LoRA.Targets is
// set.
func ExampleDefaultTargets() {
	for _, pattern := range train.DefaultTargets() {
		fmt.Println(pattern)
	}
	// Output:
	// blocks.*.fused_ff_qkv.weight
	// blocks.*.ff_out.weight
	// blocks.*.attn_out.weight
	// blocks.*.input_head.weight
	// blocks.*.output_head.weight
}

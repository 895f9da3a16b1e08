package train_test

import (
	"errors"
	"fmt"
	"log"
	"math/rand/v2"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// decay is a network of a single parameter: the next frame is the last one times a rate.
type decay struct{ tensors *walrus.TensorSet }

func (d decay) Tensors() *walrus.TensorSet { return d.tensors }

func (d decay) Close() { d.tensors.Close() }

func (d decay) Clone() (train.Network, error) {
	set, err := d.tensors.Clone()
	return decay{set}, err
}

func (d decay) Pass(b *train.Batch, _ *rand.Rand) (*train.Pass, error) {
	if err := b.Validate(); err != nil {
		return nil, err
	}
	var last, next []float32
	for _, w := range b.Windows {
		n := len(w.Frames)
		last, next = append(last, w.Frames[n-2]...), append(next, w.Frames[n-1]...)
	}
	var in train.Inputs
	in.Add("last", tensors.FromFlatDataAndDimensions(last, len(last)))
	in.Add("next", tensors.FromFlatDataAndDimensions(next, len(next)))
	return &train.Pass{Class: fmt.Sprint(len(last)), Inputs: in, Samples: len(b.Windows),
		Loss: func(weights map[string]*Node, in train.Nodes) *Node {
			return ReduceAllMean(Square(Sub(Mul(in.Get("last"), weights["rate"]), in.Get("next"))))
		}}, nil
}

func (d decay) Checkpoint() (walrus.Checkpoint, error) {
	const file = "rate.safetensors"
	return walrus.Checkpoint{Design: &walrus.Design{Kind: "decay", Weights: file},
		Parts: []walrus.Part{{Name: file, Write: func(path string) error { return d.tensors.Save(path, nil) }}}}, nil
}

func (d decay) Forecaster(*data.Statistics, compute.DeviceNum) (walrus.Forecaster, error) {
	return nil, errors.New("this example is not validated")
}

// A network of your own has the trainer's schedules, checkpoints and resumption if it implements
// Network.
func ExampleNewFor() {
	set, err := walrus.InitTensors([]walrus.Param{{Key: "rate", Dims: []int{1}, Init: layers.One}}, 1)
	if err != nil {
		log.Fatal(err)
	}
	defer set.Close()
	b, err := backend.Go()
	if err != nil {
		log.Fatal(err)
	}
	tr, err := train.NewFor(decay{set}, train.Options{Backend: b, AdamW: train.AdamW{WeightDecay: -1}})
	if err != nil {
		log.Fatal(err)
	}
	defer tr.Close()
	w := wave(0, 2)
	for i, v := range w.Frames[0] {
		w.Frames[1][i] = 0.5 * v
	}
	for range 200 {
		if _, err := tr.Step(&train.Batch{Windows: []*data.Window{w}}, 0.01); err != nil {
			log.Fatal(err)
		}
	}
	x, _ := set.Tensor("rate")
	fmt.Printf("%.2f\n", tensors.MustCopyFlatData[float32](x))
	// Output: [0.50]
}

package peers

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/inputs"
	"github.com/gowalrus/gowalrus/internal/safetensors"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/peers/dpot"
	"github.com/gowalrus/gowalrus/walrus/peers/fno"
	"github.com/gowalrus/gowalrus/walrus/peers/internal/step"
	"github.com/gowalrus/gowalrus/walrus/peers/unet"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// Plain references, which are trained from scratch.
const (
	FNO  Kind = "FNO"
	UNet Kind = "UNet"
)

// Fresh returns the kind of a network that [OpenFor] makes without a file, in place of whose
// path its name stands: fno or unet, in any case.
func Fresh(name string) (Kind, bool) {
	for _, k := range []Kind{FNO, UNet} {
		if strings.EqualFold(name, string(k)) {
			return k, true
		}
	}
	return "", false
}

// Keys of the metadata of a file of a plain reference.
const (
	plainKind   = "network"
	plainConfig = "config"
)

// plainNet is the graph of a plain reference: the next frame [B, n…, C] of x [B, n…, T·C].
type plainNet interface {
	Params() []walrus.Param
	Build(v layers.Vars, x *Node, periodic [3]bool) *Node
	CheckGrid(grid []int) error
}

// plainWeights are the weights of a plain reference.
type plainWeights struct {
	*walrus.TensorSet
	kind            Kind
	net             plainNet
	steps, channels int
	config          any
}

// newPlain returns weights without tensors for the configuration that a file or a caller gives.
func newPlain(kind Kind, config any) (*plainWeights, error) {
	w := &plainWeights{kind: kind, config: config}
	switch c := config.(type) {
	case fno.Config:
		m, err := fno.NewModel(c)
		if err != nil {
			return nil, err
		}
		w.net, w.steps, w.channels = m, c.Steps, c.Channels
	case unet.Config:
		m, err := unet.NewModel(c)
		if err != nil {
			return nil, err
		}
		w.net, w.steps, w.channels = m, c.Steps, c.Channels
	}
	return w, nil
}

// initPlain returns initial weights.
func initPlain(kind Kind, config any, seed uint64) (*plainWeights, error) {
	w, err := newPlain(kind, config)
	if err != nil {
		return nil, err
	}
	if w.TensorSet, err = walrus.InitTensors(w.net.Params(), seed); err != nil {
		return nil, fmt.Errorf("peers: %s: %w", kind, err)
	}
	return w, nil
}

// NewFNO returns a new Fourier neural operator with initial weights drawn with the seed, for a
// configuration other than that of [fno.For]. Options.Channels names its channels.
func NewFNO(c fno.Config, o Options, seed uint64) (*Network, error) {
	return newFresh(FNO, c, o, seed)
}

// NewUNet returns a new U-Net with initial weights drawn with the seed, for a configuration other
// than that of [unet.For]. Options.Channels names its channels.
func NewUNet(c unet.Config, o Options, seed uint64) (*Network, error) {
	return newFresh(UNet, c, o, seed)
}

// newFresh returns a plain reference with initial weights.
func newFresh(kind Kind, config any, o Options, seed uint64) (*Network, error) {
	if o.Backend == nil {
		return nil, errNoBackend
	}
	w, err := initPlain(kind, config, seed)
	if err != nil {
		return nil, err
	}
	return closeOnError(w, newPlainNetwork, o)
}

// describePlain reads the configuration of a file.
func describePlain(path string) (*plainWeights, error) {
	f, err := safetensors.Open(path)
	if err != nil {
		return nil, fmt.Errorf("peers: %w", err)
	}
	defer f.Close()
	m := f.Metadata()
	kind, known := Fresh(m[plainKind])
	if !known {
		return nil, fmt.Errorf("peers: %s: metadata %s: expected %s or %s, got %q", path, plainKind, FNO, UNet, m[plainKind])
	}
	var config any
	if kind == FNO {
		var c fno.Config
		err = json.Unmarshal([]byte(m[plainConfig]), &c)
		config = c
	} else {
		var c unet.Config
		err = json.Unmarshal([]byte(m[plainConfig]), &c)
		config = c
	}
	if err != nil {
		return nil, fmt.Errorf("peers: %s: metadata %s: %w", path, plainConfig, err)
	}
	w, err := newPlain(kind, config)
	if err != nil {
		return nil, fmt.Errorf("peers: %s: %w", path, err)
	}
	return w, nil
}

// loadPlain reads a file.
func loadPlain(path string, o walrus.LoadOptions) (*plainWeights, error) {
	w, err := describePlain(path)
	if err != nil {
		return nil, err
	}
	w.TensorSet, _, err = walrus.LoadTensors(path, w.net.Params(), o)
	return w, err
}

// Save writes a .safetensors file with the configuration in its metadata.
func (w *plainWeights) Save(path string) error {
	text, err := json.Marshal(w.config)
	if err != nil {
		return err
	}
	return w.TensorSet.Save(path, map[string]string{plainKind: string(w.kind), plainConfig: string(text)})
}

// parameters returns the number of values of all tensors.
func (w *plainWeights) parameters() int64 {
	n := int64(0)
	for _, p := range w.net.Params() {
		n += int64(p.Size())
	}
	return n
}

// plainDesign forecasts with a plain reference. Every input is the last frames with the channels
// of Options.Channels, in this order.
type plainDesign struct {
	*plainWeights
	names   []string
	program map[[3]bool]*inputs.Program
	step    step.Weights
}

func newPlainNetwork(w *plainWeights, o Options) (*Network, error) {
	if len(o.Channels) != w.channels {
		return nil, fmt.Errorf("peers: %s: expected the names of %d channels in Options.Channels, got %v", w.kind, w.channels, o.Channels)
	}
	d := &plainDesign{plainWeights: w, names: o.Channels, program: map[[3]bool]*inputs.Program{}, step: step.NewWeights(w.TensorSet)}
	for i := range 8 {
		periodic := [3]bool{i&1 != 0, i&2 != 0, i&4 != 0}
		var err error
		d.program[periodic], err = inputs.NewProgram(o.Backend, func(in inputs.Nodes) []*Node {
			x := in.Get("x")
			y := w.net.Build(layers.VarsFrom(func(key string, _ layers.Init, _ []int) *Node { return in.Get(key) }), x, periodic)
			return []*Node{y, Concatenate([]*Node{SliceAxis(x, -1, AxisRange(w.channels)), y}, -1)}
		})
		if err != nil {
			return nil, fmt.Errorf("peers: %s: %w", w.kind, err)
		}
	}
	return (&Network{Kind: w.kind, Parameters: w.parameters(), design: d}).finish(o)
}

func (d *plainDesign) frames() (least, usual int) { return d.steps, d.steps }

func (d *plainDesign) own(*data.Window) *scale { return nil }

func (d *plainDesign) check(w *data.Window) error {
	if have := w.Channels(false); !sameNames(have, d.names) {
		return fmt.Errorf("expected the channels %v, which the network was trained on, got %v", d.names, have)
	}
	return d.net.CheckGrid(w.Grid)
}

// periodicAxes says which axes of a window are periodic.
func periodicAxes(w *data.Window) (out [3]bool) {
	for a, b := range w.Boundaries {
		out[a] = b.IsPeriodic()
	}
	return out
}

// input returns the last frames of a history as [n…, T, C], with the channels in the order of
// the network.
func (d *plainDesign) input(w *data.Window, history [][]float32) []float32 {
	var frames [][]float32
	for _, frame := range history[len(history)-d.steps:] {
		frames = append(frames, ordered(d.names, w, frame))
	}
	return pointwise(frames, w.Points(), d.channels)
}

func (d *plainDesign) pass(s samples, _ *rand.Rand) (*train.Pass, error) {
	first, n := s.windows[0], len(s.windows)
	var x, next []float32
	for i, w := range s.windows {
		x = append(x, d.input(w, s.history[i])...)
		next = append(next, pointwise([][]float32{ordered(d.names, w, s.next[i])}, w.Points(), d.channels)...)
	}
	var in train.Inputs
	in.AddSamples("x", tensorOf(x, s.shape([]int{n}, d.steps*d.channels)), 0)
	in.AddSamples("target", tensorOf(next, s.shape([]int{n}, 1, d.channels)), 0)
	periodic := periodicAxes(first)
	return &train.Pass{Class: fmt.Sprintf("periodic %v", periodic), Inputs: in, Loss: func(weights map[string]*Node, in train.Nodes) *Node {
		y := d.net.Build(vars(weights), in.Get("x"), periodic)
		return ReduceAllMean(dpot.RelativeL2(ExpandAxes(y, -2), in.Get("target"), nil))
	}}, nil
}

func (d *plainDesign) rollout(ctx context.Context, w *data.Window, history [][]float32, steps int) iter.Seq2[[]float32, error] {
	return func(yield func([]float32, error) bool) {
		release, err := d.step.Use()
		if err != nil {
			yield(nil, err)
			return
		}
		defer release()
		points, have := w.Points(), w.Channels(false)
		x := tensorOf(d.input(w, history), append(append([]int{1}, w.Grid...), d.steps*d.channels))
		defer func() { x.FinalizeAll() }()
		for range steps {
			if err := ctx.Err(); err != nil {
				yield(nil, err)
				return
			}
			var in inputs.List
			in.Add("x", x)
			y, next, err := d.step.Run(d.program[periodicAxes(w)], in)
			if err != nil {
				yield(nil, err)
				return
			}
			x.FinalizeAll()
			x = next
			out := make([]float32, len(y))
			for c, name := range d.names {
				to := slices.Index(have, name)
				for p := range points {
					out[to*points+p] = y[p*d.channels+c]
				}
			}
			if !yield(out, nil) {
				return
			}
		}
	}
}

func (d *plainDesign) on(device compute.DeviceNum) design {
	other := *d
	other.step = d.step.On(device)
	return &other
}

func (d *plainDesign) tensors() *walrus.TensorSet { return d.TensorSet }

func (d *plainDesign) clone(o Options) (*Network, error) {
	w := *d.plainWeights
	var err error
	if w.TensorSet, err = d.TensorSet.Clone(); err != nil {
		return nil, err
	}
	return closeOnError(&w, newPlainNetwork, o)
}

func (d *plainDesign) parts() (string, []walrus.Part) {
	return walrus.WeightsFile, []walrus.Part{{Name: walrus.WeightsFile, Write: d.Save}}
}

func (d *plainDesign) save(path string) error { return d.Save(path) }

func (d *plainDesign) close() {
	for _, p := range d.program {
		p.Close()
	}
	d.TensorSet.Close()
}

package train

import (
	"fmt"
	"math/rand/v2"
	"slices"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/inputs"
	"github.com/gowalrus/gowalrus/layers"
	"github.com/gowalrus/gowalrus/walrus"
)

// Batch is one micro-batch: samples of one system with the same number of
// frames. Every window holds the history, then Objective.Pushforward frames, then the target.
type Batch struct {
	Windows []*data.Window
	// Draws are the jitter and the latent rolls of the pass; nil draws them from the
	// trainer's generator. Dropped paths always come from that generator.
	Draws *walrus.Draws
	// Statistics replace those of the objective's scaling, if not nil
	// (docs/reference.md §8, statistics of the data set).
	Statistics *data.Statistics
	// Present reports for each window whether it counts; nil means that all count. Other
	// windows only fill up a batch so that it splits evenly over devices.
	Present []bool
}

// system returns the name of the first window, or "".
func (b *Batch) system() string {
	if b == nil || len(b.Windows) == 0 || b.Windows[0] == nil {
		return ""
	}
	return b.Windows[0].Name
}

// hostBatch is a batch in the layout of the programs.
type hostBatch struct {
	volume       data.Volume
	plan         *csm.Plan
	steps, size  int            // T, B
	pushforward  int            // P
	ahead        []walrus.Draws // of the last of the P frames, those that are forecast
	ids          []int32
	fields       []float32 // [T+P+1, B, Cv, H, W, D]
	truth        []float32 // with a pushforward, fields before forecasts replace some
	constants    []float32 // [B, Cc, H, W, D]
	real         []float32 // [Cv]
	draws        walrus.Draws
	keepTime     []float32 // [Blocks, T] drop-path factors, or nil
	keepSpace    []float32 // [Blocks, T·B]
	keepFields   []float32 // [B, C] field-drop factors, or nil
	present      []float32 // [B] 1 for samples that count, or nil
	global       *walrus.ChannelStats
	nVar, nConst int
}

// Validate returns an error unless the batch has windows of one system with the same number
// of frames.
func (b *Batch) Validate() error {
	if b == nil || len(b.Windows) == 0 {
		return fmt.Errorf("train: empty batch: expected at least one window")
	}
	first := b.Windows[0]
	for i, w := range b.Windows {
		if w == nil {
			return fmt.Errorf("train: sample %d: expected a window, got none", i)
		}
		if err := w.Validate(); err != nil {
			return fmt.Errorf("train: sample %d: %w", i, err)
		}
		if err := sameSystem(first, w); err != nil {
			return fmt.Errorf("train: sample %d (%s) does not fit sample 0 (%s): %w", i, w.Name, first.Name, err)
		}
	}
	return nil
}

// prepare checks a batch and copies it into the layout of the programs.
func prepare(m *walrus.Model, o Objective, b *Batch) (*hostBatch, error) {
	if err := b.Validate(); err != nil {
		return nil, err
	}
	first := b.Windows[0]
	if least := 2 + o.Pushforward; len(first.Frames) < least {
		return nil, fmt.Errorf("train: window %s: expected at least %d frames, history and target%s, got %d", first.Name, least, o.between(), len(first.Frames))
	}
	h := &hostBatch{volume: first.Volume(), steps: len(first.Frames) - 1 - o.Pushforward, size: len(b.Windows), pushforward: o.Pushforward}
	var err error
	if h.plan, err = m.Plan(first.Grid, first.Boundaries); err != nil {
		return nil, fmt.Errorf("train: window %s: %w", first.Name, err)
	}
	if h.ids, err = h.volume.IDs(m.Config().Registry); err != nil {
		return nil, fmt.Errorf("train: window %s: %w", first.Name, err)
	}
	if s := o.scaling().With(b.Statistics); s.Statistics != nil {
		stats, err := walrus.GlobalStats(s, first.Fields)
		if err != nil {
			return nil, fmt.Errorf("train: window %s: %w", first.Name, err)
		}
		h.global = &stats
	}
	if err := h.mark(b.Present); err != nil {
		return nil, err
	}
	return h, h.fill(b.Windows)
}

// mark records which samples count.
func (h *hostBatch) mark(present []bool) error {
	if present == nil {
		return nil
	}
	if len(present) != h.size || !slices.Contains(present, true) {
		return fmt.Errorf("train: batch: Present: expected %d values, at least one of them true, got %v", h.size, present)
	}
	h.present = make([]float32, h.size)
	for i, counts := range present {
		if counts {
			h.present[i] = 1
		}
	}
	return nil
}

// counted returns the number of samples that count.
func (h *hostBatch) counted() int {
	n := h.size
	for _, v := range h.present {
		if v == 0 {
			n--
		}
	}
	return n
}

// sameSystem returns an error unless two windows can share a batch.
func sameSystem(a, b *data.Window) error {
	switch {
	case !slices.Equal(a.Grid, b.Grid):
		return fmt.Errorf("grid: expected %v, got %v", a.Grid, b.Grid)
	case !slices.Equal(a.Boundaries, b.Boundaries):
		return fmt.Errorf("boundaries: expected %v, got %v", a.Boundaries, b.Boundaries)
	case !slices.Equal(a.Fields, b.Fields):
		return fmt.Errorf("fields: expected %v, got %v", a.Fields, b.Fields)
	case len(a.Frames) != len(b.Frames):
		return fmt.Errorf("frames: expected %d, got %d", len(a.Frames), len(b.Frames))
	}
	return nil
}

func (h *hostBatch) fill(windows []*data.Window) error {
	points := h.volume.Points()
	h.nVar, h.nConst = len(h.volume.Variable), len(h.volume.Constant)
	h.fields = make([]float32, (h.steps+h.pushforward+1)*h.frame())
	h.constants = make([]float32, h.size*h.nConst*points)
	for b, w := range windows {
		for t, frame := range w.Frames {
			at := (t*h.size + b) * h.nVar * points
			if err := h.volume.Spread(h.fields[at:at+h.nVar*points], frame, h.volume.Source); err != nil {
				return err
			}
		}
		at := b * h.nConst * points
		if err := h.volume.Spread(h.constants[at:at+h.nConst*points], w.Constants, h.volume.ConstantSource); err != nil {
			return err
		}
	}
	for _, real := range h.volume.Real {
		v := float32(0)
		if real {
			v = 1
		}
		h.real = append(h.real, v)
	}
	return nil
}

// frame returns the number of values of a frame of all samples.
func (h *hostBatch) frame() int { return h.size * h.nVar * h.volume.Points() }

// class returns the shape class of a batch: batches of one class use the same program.
func (h *hostBatch) class() string {
	class := fmt.Sprintf("grid %v boundaries %v T=%d B=%d channels %d+%d mask %d",
		h.volume.Shape, boundaries(h.plan), h.steps, h.size, h.nVar, h.nConst, h.volume.Mask)
	if h.global != nil {
		class += " global statistics"
	}
	if h.present != nil {
		class += " filled up"
	}
	return class
}

func boundaries(p *csm.Plan) (out [3]string) {
	for i, a := range p.Axes {
		out[i] = a.Boundary.String()
	}
	return out
}

// dropPaths draws the dropped paths, block after block, time before space
// (docs/reference.md §7). A network without drop path draws no random numbers.
func (h *hostBatch) dropPaths(c walrus.Config, rng *rand.Rand) {
	if c.DropPath == 0 {
		return
	}
	frames := h.steps * h.size
	h.keepTime, h.keepSpace = make([]float32, c.Blocks*h.steps), make([]float32, c.Blocks*frames)
	for i, rate := range c.DropPathRates() {
		layers.DrawKeep(rng, rate, h.keepTime[i*h.steps:(i+1)*h.steps])
		layers.DrawKeep(rng, rate, h.keepSpace[i*frames:(i+1)*frames])
	}
}

// dropFields draws the dropped channels of each sample. A channel is dropped in all frames,
// with probability FieldDrop/C (docs/reference.md §2, step 4; the release folds time into
// space before it drops channels). A network without field drop draws no random numbers.
func (h *hostBatch) dropFields(c walrus.Config, rng *rand.Rand) {
	if c.FieldDrop == 0 {
		return
	}
	channels := h.nVar + h.nConst
	h.keepFields = make([]float32, h.size*channels)
	layers.DrawKeep(rng, c.FieldDrop/float64(channels), h.keepFields)
}

// inputs returns the tensors of a pass over the frames from the given one on: T frames of
// history and the frame after them.
func (h *hostBatch) inputs(m *walrus.Model, draws walrus.Draws, from int) (l inputs.List, err error) {
	shift, rolls, err := m.Tensors(draws, h.plan)
	if err != nil {
		return nil, err
	}
	s := h.volume.Shape
	frame := h.frame()
	l.AddSamples("fields", tensors.FromFlatDataAndDimensions(h.fields[from*frame:(from+h.steps+1)*frame], h.steps+1, h.size, h.nVar, s[0], s[1], s[2]), 1)
	if h.truth != nil {
		l.AddSamples("truth", tensors.FromFlatDataAndDimensions(h.truth[from*frame:(from+h.steps+1)*frame], h.steps+1, h.size, h.nVar, s[0], s[1], s[2]), 1)
	}
	l.Add("ids", tensors.FromFlatDataAndDimensions(h.ids, len(h.ids)))
	l.Add("real", tensors.FromFlatDataAndDimensions(h.real, h.nVar))
	l.Add("shift", shift)
	l.Add("rolls", rolls)
	if blocks := m.Config().Blocks; h.keepTime != nil { // time and samples share an axis
		l.Add("keep time", tensors.FromFlatDataAndDimensions(h.keepTime, blocks, h.steps))
		l.Add("keep space", tensors.FromFlatDataAndDimensions(h.keepSpace, blocks, h.steps*h.size))
	}
	if h.keepFields != nil {
		l.AddSamples("keep fields", tensors.FromFlatDataAndDimensions(h.keepFields, h.size, h.nVar+h.nConst), 0)
	}
	if h.present != nil {
		l.AddSamples("present", tensors.FromFlatDataAndDimensions(h.present, h.size), 0)
	}
	if h.global != nil {
		l.AddStatistics(h.global.Tensors())
	}
	if h.nConst > 0 {
		l.AddSamples("constants", tensors.FromFlatDataAndDimensions(h.constants, h.size, h.nConst, s[0], s[1], s[2]), 0)
	}
	return l, nil
}

// nodes returns the batch inside a graph, from the nodes of inputs.
func (h *hostBatch) nodes(in inputs.Nodes) BatchNodes {
	b := BatchNodes{Fields: in.Get("fields"), Truth: in.Optional("truth"), Real: in.Get("real"), Constants: in.Optional("constants"),
		KeepFields: in.Optional("keep fields"), Present: in.Optional("present"),
		Net: walrus.Inputs{IDs: in.Get("ids"), Shift: in.Get("shift"), Rolls: in.Get("rolls"),
			KeepTime: in.Optional("keep time"), KeepSpace: in.Optional("keep space")}}
	if s, ok := in.Statistics(); ok {
		b.Stats = &walrus.Stats{Mean: s[0], Std: s[1], DeltaMean: s[2], DeltaStd: s[3]}
	}
	if h.volume.Mask >= 0 {
		b.Solid = SliceAxis(b.Constants, 1, AxisElem(h.volume.Mask))
	}
	return b
}

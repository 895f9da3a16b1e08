package train

import (
	"fmt"
	"math/rand/v2"
	"slices"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gowalrus/gowalrus/internal/nonfinite"
	"github.com/gowalrus/gowalrus/internal/shard"
	"github.com/gowalrus/gowalrus/walrus"
)

// maxPushforward bounds Objective.Pushforward.
const maxPushforward = 64

// between describes the frames of a window between history and target, for errors.
func (o Objective) between() string {
	if o.Pushforward == 0 {
		return ""
	}
	return fmt.Sprintf(" and %d for the pushforward between them", o.Pushforward)
}

// drawAhead draws the number of frames that are forecast, and jitter and latent rolls of each
// forecast. Without a pushforward it draws no random numbers.
func (h *hostBatch) drawAhead(m *walrus.Model, o Options, rng *rand.Rand) {
	if h.pushforward == 0 {
		return
	}
	h.truth = slices.Clone(h.fields)
	h.ahead = make([]walrus.Draws, rng.IntN(h.pushforward+1))
	for k := range h.ahead {
		h.ahead[k] = m.Draw(rng, h.plan)
		if o.NoRolls {
			h.ahead[k].Rolls = nil
		}
	}
}

// forecastEnd replaces the last frames of the pass's history by forecasts, one after the
// other. A forecast with values that are not finite ends this: its frame and those after it
// stay as they are.
func (g *group) forecastEnd(p *Pass) error {
	if p.own == nil || len(p.own.host.ahead) == 0 {
		return nil
	}
	h := p.own.host
	program, err := once(g.programs, g.programs.forecasts, p.Class, func() (*passProgram, error) {
		program, err := g.parameters(p)
		if err != nil {
			return nil, err
		}
		return program, g.build(program, p, "forecast", forecast, []int{0})
	})
	if err != nil {
		return err
	}
	frame := h.frame()
	for k, draws := range h.ahead {
		from := h.pushforward - len(h.ahead) + k
		values, err := g.forecast(program, p, draws, from)
		if err != nil {
			return fmt.Errorf("train: window %s: pushforward: %w", p.batch.Windows[0].Name, err)
		}
		if nonfinite.First(values) >= 0 {
			break
		}
		copy(h.fields[(from+h.steps)*frame:][:frame], values)
	}
	p.Inputs.Free()
	p.Inputs, err = p.own.layOut(h.draws, h.pushforward)
	return err
}

// forecast returns the frame after the T frames from the given one on: [B, Cv, H, W, D].
func (g *group) forecast(program *passProgram, p *Pass, draws walrus.Draws, from int) ([]float32, error) {
	list, err := p.own.layOut(draws, from)
	if err != nil {
		return nil, err
	}
	defer list.Free()
	out, err := g.call(program, list)
	if err != nil {
		return nil, err
	}
	defer shard.Free(out[0])
	var values []float32
	for _, part := range out[0] {
		v, err := tensors.CopyFlatData[float32](part)
		if err != nil {
			return nil, err
		}
		values = append(values, v...)
	}
	return values, nil
}

// forecast builds the frame after the history.
func forecast(of *Pass, _ *passProgram, weights map[string]*Node, _, in []*Node) []*Node {
	p := of.own
	b := p.host.nodes(of.Inputs.Nodes(in))
	step := walrus.StepInputs{History: SliceAxis(b.Fields, 0, AxisRange(0, p.host.steps)), Constants: b.Constants, Real: b.Real,
		Solid: b.Solid, Stats: b.Stats, Net: walrus.Inputs{IDs: b.Net.IDs, Shift: b.Net.Shift, Rolls: b.Net.Rolls}}
	return []*Node{p.model.NextFrame(p.weights(weights), step, p.host.plan, p.opts.Objective.scaling())}
}

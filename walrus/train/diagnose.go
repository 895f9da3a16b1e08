package train

import (
	"fmt"
	"math"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gowalrus/gowalrus/data"
)

// NonFiniteError reports a loss or a gradient norm that is not finite. It lists the
// windows, their fields that are the cause, and the tensors of the network that were not
// finite before the pass, as far as they are known.
type NonFiniteError struct {
	Loss, Norm float64
	Windows    []string
	Fields     []string
	Tensors    []string
}

// Error names windows with their files, fields and tensors.
func (e *NonFiniteError) Error() string {
	what, value := "gradient norm", e.Norm
	if !finite(e.Loss) {
		what, value = "loss", e.Loss
	}
	text := fmt.Sprintf("train: the %s is %v for window %s", what, value, strings.Join(e.Windows, ", "))
	if len(e.Fields) > 0 {
		text += "; field " + strings.Join(e.Fields, ", ")
	}
	if len(e.Tensors) > 0 {
		text += "; not finite before: the network's " + strings.Join(e.Tensors, ", ")
	}
	return text
}

// nameOf returns the name of a window and the file that it comes from.
func nameOf(w *data.Window) string {
	if w.Origin.File == "" {
		return w.Name
	}
	return fmt.Sprintf("%s (%v)", w.Name, w.Origin)
}

// explain returns a NonFiniteError for a pass whose loss or gradient norm is not finite. It
// searches the weights and, of a Walrus network, computes loss and gradient of each channel.
func (t *Trainer) explain(p *Pass, loss, norm float64) error {
	e := &NonFiniteError{Loss: loss, Norm: norm}
	for _, w := range p.batch.Windows {
		e.Windows = append(e.Windows, nameOf(w))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	failed := func(err error) error { return fmt.Errorf("%w (and the search for its cause failed: %w)", e, err) }
	if err := t.collect(); err != nil {
		return failed(err)
	}
	for _, p := range t.net.Tensors().Params() {
		if x, ok := t.net.Tensors().Tensor(p.Key); ok && !allFinite(x) {
			e.Tensors = append(e.Tensors, p.Key)
		}
	}
	const most = 5
	if n := len(e.Tensors); n > most {
		e.Tensors = append(e.Tensors[:most], fmt.Sprintf("%d more", n-most))
	}
	if p.own == nil {
		return e
	}
	bad, err := t.badChannels(p, !finite(loss))
	if err != nil {
		return failed(err)
	}
	for i, bad := range bad {
		if p.own.host.volume.Real[i] && bad {
			e.Fields = append(e.Fields, p.own.host.volume.Variable[i])
		}
	}
	return e
}

// badChannels reports for each variable channel whether its mean absolute error or, unless
// byLoss is set, the norm of that error's gradient is not finite.
func (t *Trainer) badChannels(p *Pass, byLoss bool) ([]bool, error) {
	params, err := p.own.params()
	if err != nil {
		return nil, err
	}
	keys := make([]string, len(params))
	for i, q := range params {
		keys[i] = q.Key
	}
	weights, err := t.net.Tensors().Tensors(keys)
	if err != nil {
		return nil, err
	}
	exec, err := NewExec(t.opts.Backend, func(in []*Node) *Node {
		chosen, in := in[0], in[1:] // [Cv], 1 for the channel that the result is about
		nodes := map[string]*Node{}
		for i, key := range keys {
			nodes[key] = in[i]
		}
		r := p.own.loss(nodes, p.Inputs.Nodes(in[len(keys):]))
		loss := ReduceAllSum(Where(GreaterThan(chosen, ZerosLike(chosen)), ReduceMean(Abs(Sub(r.Predictions, r.Targets)), 0, 1, 3, 4, 5), ZerosLike(chosen)))
		if byLoss {
			return loss
		}
		return globalNorm(Gradient(loss, in[:len(keys)]...))
	})
	if err != nil {
		return nil, err
	}
	defer exec.Finalize()
	args := []any{nil}
	for _, x := range weights {
		args = append(args, x)
	}
	args = append(args, p.Inputs.Args()...)
	bad := make([]bool, p.own.host.nVar)
	for i := range bad {
		chosen := make([]float32, len(bad))
		chosen[i] = 1
		args[0] = chosen
		out, err := exec.Call(args...)
		if err != nil {
			return nil, err
		}
		bad[i] = !finite(float64(tensors.ToScalar[float32](out[0])))
		out[0].FinalizeAll()
	}
	return bad, nil
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func allFinite(t *tensors.Tensor) bool {
	values, err := tensors.CopyFlatData[float32](t)
	for _, v := range values {
		if !finite(float64(v)) {
			return false
		}
	}
	return err == nil
}

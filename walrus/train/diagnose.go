package train

import (
	"fmt"
	"math"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gowalrus/gowalrus/data"
)

// NonFiniteError reports a loss that is not finite. It lists the windows, their fields
// whose errors are not finite, and the tensors of the network that were not finite before
// the pass.
type NonFiniteError struct {
	Loss    float64
	Windows []*data.Window
	Fields  []string
	Tensors []string
}

// Error names windows with their files, fields and tensors.
func (e *NonFiniteError) Error() string {
	var where []string
	for _, w := range e.Windows {
		if o := w.Origin; o.File != "" {
			where = append(where, fmt.Sprintf("%s (%v)", w.Name, o))
		} else {
			where = append(where, w.Name)
		}
	}
	text := fmt.Sprintf("train: the loss is %v for window %s", e.Loss, strings.Join(where, ", "))
	if len(e.Fields) > 0 {
		text += "; field " + strings.Join(e.Fields, ", ")
	}
	if len(e.Tensors) > 0 {
		text += "; not finite before: the network's " + strings.Join(e.Tensors, ", ")
	}
	return text
}

// explain returns a NonFiniteError for a pass whose loss is not finite. It computes the
// error of each channel and searches the weights.
func (t *Trainer) explain(pass *Pass, loss float64) error {
	e := &NonFiniteError{Loss: loss, Windows: pass.batch.Windows}
	for _, p := range t.weights.Params() {
		if x, ok := t.weights.Tensor(p.Key); ok && !allFinite(x) {
			e.Tensors = append(e.Tensors, p.Key)
		}
	}
	const most = 5
	if n := len(e.Tensors); n > most {
		e.Tensors = append(e.Tensors[:most], fmt.Sprintf("%d more", n-most))
	}
	errors, err := t.errorsByChannel(pass)
	if err != nil {
		return fmt.Errorf("%w (and the search for the fields failed: %w)", e, err)
	}
	for i, v := range errors {
		if pass.host.volume.Real[i] && !finite(float64(v)) {
			e.Fields = append(e.Fields, pass.host.volume.Variable[i])
		}
	}
	return e
}

// errorsByChannel returns the mean absolute error of each variable channel.
func (t *Trainer) errorsByChannel(pass *Pass) ([]float32, error) {
	params, err := pass.Params()
	if err != nil {
		return nil, err
	}
	keys := make([]string, len(params))
	for i, p := range params {
		keys[i] = p.Key
	}
	weights, err := t.weights.Tensors(keys)
	if err != nil {
		return nil, err
	}
	exec, err := NewExec(t.opts.Backend, func(in []*Node) *Node {
		nodes := map[string]*Node{}
		for i, key := range keys {
			nodes[key] = in[i]
		}
		r := pass.Loss(nodes, in[len(keys):])
		return ReduceMean(Abs(Sub(r.Predictions, r.Targets)), 0, 1, 3, 4, 5)
	})
	if err != nil {
		return nil, err
	}
	defer exec.Finalize()
	var args []any
	for _, list := range [][]*tensors.Tensor{weights, pass.inputs} {
		for _, x := range list {
			args = append(args, x)
		}
	}
	out, err := exec.Call(args...)
	if err != nil {
		return nil, err
	}
	defer finalize(out)
	return tensors.CopyFlatData[float32](out[0])
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

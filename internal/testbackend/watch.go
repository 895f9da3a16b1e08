package testbackend

import (
	"slices"

	"github.com/gomlx/compute"
)

// Watch returns a backend that calls seen with the name and the number of results of
// every operation that the pure Go backend computes with package math.
func Watch(b compute.Backend, seen func(op string, size int)) compute.Backend {
	return &watched{b, seen}
}

type watched struct {
	compute.Backend
	seen func(op string, size int)
}

func (w *watched) Builder(name string) compute.Builder {
	return watchedBuilder{w.Backend.Builder(name), w}
}

type watchedBuilder struct {
	compute.Builder
	backend *watched
}

func (w watchedBuilder) Main() compute.Function {
	return watchedFunction{w.Builder.Main(), w.backend.seen}
}

// Compile returns a program whose results belong to the watched backend.
func (w watchedBuilder) Compile() (compute.Executable, error) {
	e, err := w.Builder.Compile()
	return watchedExecutable{e, w.backend}, err
}

type watchedExecutable struct {
	compute.Executable
	backend *watched
}

type watchedBuffer struct {
	compute.Buffer
	backend *watched
}

func (w watchedBuffer) Backend() compute.Backend { return w.backend }

func (w watchedExecutable) Execute(in []compute.Buffer, donate []bool, device compute.DeviceNum) ([]compute.Buffer, error) {
	in = slices.Clone(in)
	for i, b := range in {
		if own, ok := b.(watchedBuffer); ok {
			in[i] = own.Buffer
		}
	}
	out, err := w.Executable.Execute(in, donate, device)
	for i, b := range out {
		out[i] = watchedBuffer{b, w.backend}
	}
	return out, err
}

type watchedFunction struct {
	compute.Function
	seen func(op string, size int)
}

// one builds an operation of one operand.
func (w watchedFunction) one(name string, op func(x compute.Value) (compute.Value, error), x compute.Value) (compute.Value, error) {
	s, err := w.Shape(x)
	if err != nil {
		return nil, err
	}
	w.seen(name, s.Size())
	return op(x)
}

func (w watchedFunction) Exp(x compute.Value) (compute.Value, error) {
	return w.one("Exp", w.Function.Exp, x)
}

func (w watchedFunction) Expm1(x compute.Value) (compute.Value, error) {
	return w.one("Expm1", w.Function.Expm1, x)
}

func (w watchedFunction) Log(x compute.Value) (compute.Value, error) {
	return w.one("Log", w.Function.Log, x)
}

func (w watchedFunction) Log1p(x compute.Value) (compute.Value, error) {
	return w.one("Log1p", w.Function.Log1p, x)
}

func (w watchedFunction) Logistic(x compute.Value) (compute.Value, error) {
	return w.one("Logistic", w.Function.Logistic, x)
}

func (w watchedFunction) Tanh(x compute.Value) (compute.Value, error) {
	return w.one("Tanh", w.Function.Tanh, x)
}

func (w watchedFunction) Erf(x compute.Value) (compute.Value, error) {
	return w.one("Erf", w.Function.Erf, x)
}

func (w watchedFunction) Cos(x compute.Value) (compute.Value, error) {
	return w.one("Cos", w.Function.Cos, x)
}

func (w watchedFunction) Sin(x compute.Value) (compute.Value, error) {
	return w.one("Sin", w.Function.Sin, x)
}

func (w watchedFunction) Pow(x, y compute.Value) (compute.Value, error) {
	return w.one("Pow", func(x compute.Value) (compute.Value, error) { return w.Function.Pow(x, y) }, x)
}

func (w watchedFunction) FusedGelu(x compute.Value, exact bool) (compute.Value, error) {
	return w.one("FusedGelu", func(x compute.Value) (compute.Value, error) { return w.Function.FusedGelu(x, exact) }, x)
}

// Command libgowalrus is the C library of gowalrus. gowalrus.h documents it. The folder
// fortran has the Fortran module, python the Python module:
//
//	GOEXPERIMENT=simd go build -buildmode=c-shared -o libgowalrus.so ./cmd/libgowalrus
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/nano"
)

func main() {} // of a library, which -buildmode=c-shared makes

// Codes of errors, as in gowalrus.h.
const (
	codeOK = iota
	codeNull
	codeLength
	codeModel
	codeWindow
	codeWeights
	codeForecast
	codeInternal
)

// codedError is an error with its code.
type codedError struct {
	code int
	err  error
}

func (e *codedError) Error() string { return "gowalrus: " + e.err.Error() }
func (e *codedError) Unwrap() error { return e.err }

func failed(code int, err error) error { return &codedError{code, err} }

func null(names string) error {
	return failed(codeNull, fmt.Errorf("expected pointers that are not null: %s", names))
}

// codeOf returns the code of an error.
func codeOf(err error) int {
	if err == nil {
		return codeOK
	}
	if e := (*codedError)(nil); errors.As(err, &e) {
		return e.code
	}
	return codeInternal
}

// models holds the open models. Numbers are not used twice, so that a closed model is never
// taken for another one.
var models struct {
	sync.Mutex
	last int64
	open map[int64]*walrus.Emulator
}

// open opens weights and returns the number of the model.
func open(weights string, seed uint64) (int64, error) {
	b, err := backend.Pick(false)
	if err != nil {
		return 0, failed(codeWeights, err)
	}
	em, err := nano.Open(weights, walrus.EmulatorOptions{Backend: b, Seed: seed})
	if err != nil {
		return 0, failed(codeWeights, err)
	}
	models.Lock()
	defer models.Unlock()
	if models.open == nil {
		models.open = map[int64]*walrus.Emulator{}
	}
	models.last++
	models.open[models.last] = em
	return models.last, nil
}

// find returns an open model.
func find(id int64) (*walrus.Emulator, error) {
	models.Lock()
	defer models.Unlock()
	if em, ok := models.open[id]; ok {
		return em, nil
	}
	return nil, failed(codeModel, fmt.Errorf("model %d is not open: expected one that gowalrus_open returned and that was not closed", id))
}

// closeModel frees a model.
func closeModel(id int64) error {
	em, err := find(id)
	if err != nil {
		return err
	}
	models.Lock()
	delete(models.open, id)
	models.Unlock()
	em.Close()
	return nil
}

// describe describes a model as JSON.
func describe(id int64) ([]byte, error) {
	em, err := find(id)
	if err != nil {
		return nil, err
	}
	c := em.Model().Config()
	n, err := c.Count()
	if err != nil {
		return nil, failed(codeInternal, err)
	}
	names := c.Registry.Names()
	return json.Marshal(map[string]any{"name": c.Name, "parameters": n.Parameters, "channels": names[min(3, len(names)):]})
}

// start holds the frames from which a forecast starts.
type start struct {
	fields, boundaries string
	axes, history      int64
	grid               [3]int64
	frames, constants  []float32
}

// sizes are numbers of values.
type sizes struct {
	frame, frames, constants, out int64
}

// mostValues bounds the values of an array, so that products do not overflow.
const mostValues = 1 << 40

// sizes returns the lengths that the arrays must have. members is 0 for a single forecast.
func (s start) sizes(steps, members int64) (z sizes, err error) {
	w, err := s.window()
	if err != nil {
		return z, err
	}
	if s.history < 1 || steps < 1 || members < 0 || s.history > mostValues || steps > mostValues || members > mostValues {
		return z, failed(codeWindow, fmt.Errorf("expected at least one frame of history, one step and one member, got %d, %d and %d", s.history, steps, members))
	}
	product := func(factors ...int64) (n int64) {
		n = 1
		for _, f := range factors {
			if f > 0 && n > mostValues/f {
				err = failed(codeWindow, fmt.Errorf("expected arrays of at most 2^40 values, got a product of %v", factors))
				return 0
			}
			n *= f
		}
		return n
	}
	points := product(s.grid[:s.axes]...)
	z.frame = product(int64(len(w.Channels(false))), points)
	z.constants = product(int64(len(w.Channels(true))), points)
	z.frames = product(s.history, z.frame)
	z.out = product(steps, max(members, 1), z.frame)
	return z, err
}

// array is an array of the caller: its name, the length that it must have and its length.
type array struct {
	name string
	want func(sizes) int64
	got  uint64
}

func framesOf(z sizes) int64    { return z.frames }
func constantsOf(z sizes) int64 { return z.constants }
func outOf(z sizes) int64       { return z.out }

// compare returns an error unless the arrays have the lengths.
func (z sizes) compare(arrays ...array) error {
	for _, a := range arrays {
		if want := a.want(z); uint64(want) != a.got {
			return failed(codeLength, fmt.Errorf("%s: expected %d values, as the window and the numbers of steps and members say, got %d", a.name, want, a.got))
		}
	}
	return nil
}

// window returns the window without its frames.
func (s start) window() (*data.Window, error) {
	w := &data.Window{Name: "of the caller"}
	if s.axes < 1 || s.axes > 3 {
		return nil, failed(codeWindow, fmt.Errorf("expected a grid of 1 to 3 axes, got %d", s.axes))
	}
	for _, n := range s.grid[:s.axes] {
		if n < 1 || n > mostValues {
			return nil, failed(codeWindow, fmt.Errorf("expected a grid with points along every axis, got %v", s.grid[:s.axes]))
		}
		w.Grid = append(w.Grid, int(n))
	}
	var err error
	if w.Fields, err = data.ParseFields(s.fields); err != nil {
		return nil, failed(codeWindow, fmt.Errorf("fields: %w", err))
	}
	if w.Boundaries, err = data.ParseBoundaries(s.boundaries); err != nil {
		return nil, failed(codeWindow, fmt.Errorf("boundaries: %w", err))
	}
	if err := w.ValidateLayout(); err != nil {
		return nil, failed(codeWindow, err)
	}
	return w, nil
}

// full returns the window with its frames.
func (s start) full() (*data.Window, error) {
	w, err := s.window()
	if err != nil {
		return nil, err
	}
	for frame := range slices.Chunk(s.frames, len(s.frames)/int(s.history)) {
		w.Frames = append(w.Frames, frame)
	}
	w.Constants = s.constants
	if len(w.Constants) == 0 {
		w.Constants = nil
	}
	if err := w.Validate(); err != nil {
		return nil, failed(codeWindow, err)
	}
	return w, nil
}

// forecast forecasts into out. The lengths of the arrays were compared.
func forecast(id int64, s start, steps, members int, out []float32) error {
	em, err := find(id)
	if err != nil {
		return err
	}
	w, err := s.full()
	if err != nil {
		return err
	}
	put := func(frame []float32) { out = out[copy(out, frame):] }
	if members == 0 {
		for frame, err := range em.Rollout(context.Background(), w, steps) {
			if err != nil {
				return forecastError(err)
			}
			put(frame.Values)
		}
		return nil
	}
	for frame, err := range em.Ensemble(context.Background(), w, steps, walrus.EnsembleOptions{Members: members, KeepMembers: true}) {
		if err != nil {
			return forecastError(err)
		}
		for _, member := range frame.Members {
			put(member)
		}
	}
	return nil
}

// vjp computes the gradients with respect to frames and constant fields. The lengths of the
// arrays were compared.
func vjp(id int64, s start, cotangents, frames, constants []float32) error {
	em, err := find(id)
	if err != nil {
		return err
	}
	w, err := s.full()
	if err != nil {
		return err
	}
	steps := slices.Collect(slices.Chunk(cotangents, len(w.Frames[0])))
	g, err := em.VJP(context.Background(), w, steps, walrus.GradientOptions{})
	if err != nil {
		return forecastError(err)
	}
	for _, frame := range g.Frames {
		frames = frames[copy(frames, frame):]
	}
	copy(constants, g.Constants)
	return nil
}

// forecastError returns the error of a forecast: fields that the weights do not know are a
// fault of the window.
func forecastError(err error) error {
	if unknown := (*data.UnknownFieldsError)(nil); errors.As(err, &unknown) {
		return failed(codeWindow, err)
	}
	return failed(codeForecast, err)
}

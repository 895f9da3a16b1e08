package server

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
)

// Forecaster is what the server needs of a walrus.Emulator.
type Forecaster interface {
	Rollout(ctx context.Context, w *data.Window, steps int) iter.Seq2[walrus.Frame, error]
	Close()
}

// engines hands out the emulator. An emulator keeps a compiled program for every
// shape of request; one that has met too many is replaced by a fresh one on the same
// weights and closed when the last forecast on it has ended, so that clients who
// ask for ever new shapes cannot fill the memory.
type engines struct {
	most int

	mu      sync.Mutex
	open    func() (Forecaster, error)
	now     *engine
	retired int
	closed  bool
	// onRetire, if not nil, is told about every replacement.
	onRetire func()
}

type engine struct {
	Forecaster
	users int
	gone  bool
	shape map[string]bool
}

// shape names what a compiled program depends on.
func shape(w *data.Window) string {
	return fmt.Sprint(w.Grid, w.Boundaries, len(w.Frames), w.Fields)
}

// errLoading is the answer while there is no model.
var errLoading = errors.New("loading")

// acquire returns the emulator for a shape and a function that gives it back.
func (e *engines) acquire(shape string) (Forecaster, func(), error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.open == nil || e.closed {
		return nil, nil, errLoading
	}
	if e.now != nil && !e.now.shape[shape] && len(e.now.shape) >= e.most {
		e.retire()
	}
	if e.now == nil {
		f, err := e.open()
		if err != nil {
			return nil, nil, fmt.Errorf("server: opening an emulator: %w", err)
		}
		e.now = &engine{Forecaster: f, shape: map[string]bool{}}
	}
	used := e.now
	used.users++
	used.shape[shape] = true
	var once sync.Once
	return used, func() { once.Do(func() { e.release(used) }) }, nil
}

// retire takes the present emulator out of service.
func (e *engines) retire() {
	old := e.now
	e.now, old.gone = nil, true
	e.retired++
	if e.onRetire != nil {
		e.onRetire()
	}
	if old.users == 0 {
		old.Close()
	}
}

func (e *engines) release(used *engine) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if used.users--; used.users == 0 && used.gone {
		used.Close()
	}
}

// classes is the number of shapes that the present emulator has met.
func (e *engines) classes() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.now == nil {
		return 0
	}
	return len(e.now.shape)
}

// close closes the emulator once it is free.
func (e *engines) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	if e.now != nil {
		e.onRetire = nil
		e.retire()
	}
}

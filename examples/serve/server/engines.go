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

// Forecaster is the part of a walrus.Emulator that the server uses.
type Forecaster interface {
	Rollout(ctx context.Context, w *data.Window, steps int) iter.Seq2[walrus.Frame, error]
	Close()
}

// engines provides the emulator. An emulator keeps a compiled program for every shape
// of request. After too many shapes it is replaced by a fresh emulator of the same
// weights and closed when the last forecast on it has ended. So clients that ask for
// ever new shapes cannot fill the memory.
type engines struct {
	most int

	mu      sync.Mutex
	open    func() (Forecaster, error)
	now     *engine
	retired int
	closed  bool
	// onRetire, if not nil, is called at every replacement.
	onRetire func()
}

type engine struct {
	Forecaster
	users int
	gone  bool
	shape map[string]bool
}

// shape returns a key of the properties that a compiled program depends on.
func shape(w *data.Window) string {
	return fmt.Sprint(w.Grid, w.Boundaries, len(w.Frames), w.Fields)
}

// errLoading is the answer before a model is loaded.
var errLoading = errors.New("loading")

// acquire returns the emulator for a shape and a function that releases it.
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

// retire replaces the current emulator.
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

// classes returns the number of shapes that the current emulator has met.
func (e *engines) classes() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.now == nil {
		return 0
	}
	return len(e.now.shape)
}

// close closes the emulator when it is no longer in use.
func (e *engines) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	if e.now != nil {
		e.onRetire = nil
		e.retire()
	}
}

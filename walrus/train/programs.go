package train

import (
	"sync"

	. "github.com/gomlx/gomlx/core/graph"
)

// programs holds the compiled programs of a group. Programs for a single device run on any
// device, so groups of one device share them and compile each once.
type programs struct {
	mu                      sync.Mutex              // guards the maps
	gradients, forecasts    map[string]*passProgram // by class
	adds, updates, averages map[string]*Exec        // by pattern
	merges                  map[string]*Exec        // of adapters
}

func newPrograms() *programs {
	return &programs{gradients: map[string]*passProgram{}, forecasts: map[string]*passProgram{}, adds: map[string]*Exec{}, updates: map[string]*Exec{},
		averages: map[string]*Exec{}, merges: map[string]*Exec{}}
}

// once returns the program with the given key from a map of p and builds it at the first
// call. A failed build is tried again at the next call. The program is compiled when a
// caller first runs it.
func once[P any](p *programs, in map[string]P, key string, build func() (P, error)) (P, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if x, ok := in[key]; ok {
		return x, nil
	}
	x, err := build()
	if err == nil {
		in[key] = x
	}
	return x, err
}

// close frees all programs; a second call does nothing.
func (p *programs) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, list := range []map[string]*passProgram{p.gradients, p.forecasts} {
		for _, x := range list {
			x.exec.Finalize()
		}
		clear(list)
	}
	for _, list := range []map[string]*Exec{p.adds, p.updates, p.averages, p.merges} {
		for _, exec := range list {
			exec.Finalize()
		}
		clear(list)
	}
}

package mapping

import (
	"container/list"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"github.com/gowalrus/gowalrus/data/well/driver"
)

// pool keeps up to a number of files open, which keep up to keptBytes in memory while nobody
// uses them. It closes the file that was used least recently.
type pool struct {
	raw   *Raw
	limit int

	mu     sync.Mutex
	order  list.List // of *handle that nobody uses, used last first
	kept   int64     // bytes in memory of these
	files  map[string]*handle
	closed bool
}

// handle is an open file.
type handle struct {
	file
	path  string
	users int
	at    *list.Element
	kept  int64         // bytes in memory, while nobody uses it
	ready chan struct{} // closed when file or err is set
	err   error
	// arrays holds the arrays that were opened, by name.
	arrays sync.Map
}

// array returns an array of the file; see openArray.
func (h *handle) array(name string, named bool) (driver.Dataset, error) {
	if a, ok := h.arrays.Load(name); ok {
		return a.(driver.Dataset), nil
	}
	a, err := openArray(h.file, name, named)
	if err == nil {
		h.arrays.Store(name, a)
	}
	return a, err
}

// openFiles is the number of files that a data set keeps open, keptBytes the memory of those
// that nobody uses: unpacked arrays of NPZ files and chunks of Zarr stores.
const (
	openFiles = 64
	keptBytes = 256 << 20
)

var errClosed = fmt.Errorf("expected an open data set: %w", fs.ErrClosed)

// get opens a file, or returns it if it is open. The caller calls put afterwards.
func (p *pool) get(path string) (*handle, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, errClosed
	}
	if h, ok := p.files[path]; ok {
		if h.users++; h.at != nil {
			p.order.Remove(h.at)
			p.kept -= h.kept
			h.at = nil
		}
		p.mu.Unlock()
		<-h.ready
		if h.err != nil {
			return nil, h.err
		}
		return h, nil
	}
	h := &handle{path: path, users: 1, ready: make(chan struct{})}
	p.files[path] = h
	p.mu.Unlock()
	h.file, h.err = openFile(path, p.raw)
	close(h.ready)
	if h.err != nil {
		p.mu.Lock()
		delete(p.files, path)
		p.mu.Unlock()
		return nil, h.err
	}
	return h, nil
}

// put ends the use of a file.
func (p *pool) put(h *handle) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if h.users--; h.users > 0 {
		return nil
	}
	if p.closed {
		return h.Close()
	}
	h.at, h.kept = p.order.PushFront(h), h.memory()
	p.kept += h.kept
	var all error
	for (len(p.files) > p.limit || p.kept > keptBytes) && p.order.Len() > 0 {
		old := p.order.Remove(p.order.Back()).(*handle)
		p.kept -= old.kept
		delete(p.files, old.path)
		all = errors.Join(all, old.Close())
	}
	return all
}

// close closes the files that nobody uses. Those in use are closed by put.
func (p *pool) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	var all error
	for p.order.Len() > 0 {
		h := p.order.Remove(p.order.Back()).(*handle)
		delete(p.files, h.path)
		all = errors.Join(all, h.Close())
	}
	return all
}

// with calls do with an open file.
func (p *pool) with(path string, do func(h *handle) error) error {
	h, err := p.get(path)
	if err != nil {
		return err
	}
	err = do(h)
	if closed := p.put(h); err == nil && closed != nil {
		err = fmt.Errorf("%s: %w", path, closed)
	}
	return err
}

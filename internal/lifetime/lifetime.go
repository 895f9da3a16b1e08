// Package lifetime closes values that goroutines may be using: the memory is freed when the
// last of them has finished.
package lifetime

import "sync"

// Uses counts the calls that use a value. The zero value has none and is open.
type Uses struct {
	mu     sync.Mutex
	n      int
	closed bool
	free   func() // of a closed value that is in use
}

// Enter begins a use, which ends with Leave. It returns false if the value is closed.
func (u *Uses) Enter() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		return false
	}
	u.n++
	return true
}

// Leave ends a use. The last one frees a value that was closed meanwhile.
func (u *Uses) Leave() {
	u.mu.Lock()
	u.n--
	var free func()
	if u.n == 0 {
		free, u.free = u.free, nil
	}
	u.mu.Unlock()
	if free != nil {
		free()
	}
}

// Reopen allows uses again after free has run. It returns false if the value is closed and
// still in use.
func (u *Uses) Reopen() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed && u.n > 0 {
		return false
	}
	u.closed = false
	return true
}

// Closed reports whether Close was called. Long uses ask between their steps, and end
// early.
func (u *Uses) Closed() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.closed
}

// Close refuses further uses and calls free once: now if the value is not in use, else in
// the Leave of the last use. Close itself never waits, so that a use may call it. Further
// calls do nothing. It reports whether it has called free itself.
func (u *Uses) Close(free func()) bool {
	u.mu.Lock()
	if u.closed {
		u.mu.Unlock()
		return false
	}
	u.closed = true
	if u.n > 0 {
		u.free = free
		free = nil
	}
	u.mu.Unlock()
	if free == nil {
		return false
	}
	free()
	return true
}

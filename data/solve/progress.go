package solve

import "sync"

// counter returns a function that counts frames and calls Progress, or nil without
// Progress.
func (o Options) counter(total int) func() {
	if o.Progress == nil {
		return nil
	}
	var mu sync.Mutex
	done := 0
	return func() {
		mu.Lock()
		defer mu.Unlock()
		done++
		o.Progress(done, total)
	}
}

// counted wraps a simulation and calls step for each frame.
type counted struct {
	Run
	step func()
}

func (c counted) Frame(out []float32) {
	c.Run.Frame(out)
	c.step()
}

package train

import (
	"sync"

	"github.com/gowalrus/gowalrus/walrus/eval"
)

// protocol returns the evaluation protocol of a task for a system. Evaluations have at least
// two frames of history; a network that was trained with one takes the last.
func (t task) protocol(s System) eval.Protocol {
	return eval.Protocol{Input: max(2, s.Cut.Input), Horizons: []eval.Horizon{t.horizon}, Windows: t.windows}
}

// frameCount is the progress of a validation: the number of frames that its evaluations
// have forecast.
type frameCount struct {
	mu          sync.Mutex
	tell        func(done, total int) // nil without an observer
	done, total int
}

// count returns a frameCount that starts at 0 of all frames of this process.
func (v *validator) count(tasks []task) *frameCount {
	c := &frameCount{tell: v.o.ObserveValidation}
	if c.tell == nil {
		return c
	}
	for _, list := range v.mine {
		for _, i := range list {
			for _, t := range tasks {
				c.total += t.protocol(v.o.Systems[i]).Frames(v.o.Systems[i].Valid)
			}
		}
	}
	c.tell(0, c.total)
	return c
}

// part returns the Progress function of one evaluation.
func (c *frameCount) part() func(done, total int) {
	if c.tell == nil {
		return nil
	}
	before := 0
	return func(done, _ int) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.done += done - before
		before = done
		c.tell(c.done, c.total)
	}
}

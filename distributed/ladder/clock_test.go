package ladder

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
)

// recorder notes the times at which it is fired.
type recorder struct {
	clock *clock
	name  int
	log   *[]fired
}

type fired struct {
	time float64
	name int
}

func (r recorder) fire() { *r.log = append(*r.log, fired{r.clock.now, r.name}) }

// Events fire in the order of their times; events of equal times fire in the order in
// which they were set.
func TestEventsComeInOrder(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 0))
		c, log := &clock{}, &[]fired{}
		for i := range 200 {
			c.after(float64(rng.IntN(10)), recorder{c, i, log})
		}
		c.run()
		assert.Len(t, *log, 200)
		for i := 1; i < len(*log); i++ {
			a, b := (*log)[i-1], (*log)[i]
			assert.True(t, a.time < b.time || a.time == b.time && a.name < b.name, "%v before %v", a, b)
		}
	}
}

// echo sets the next event while it is fired.
type echo struct {
	clock *clock
	left  int
	times []float64
}

func (e *echo) fire() {
	e.times = append(e.times, e.clock.now)
	if e.left--; e.left > 0 {
		e.clock.after(2, e)
	}
}

func TestEventsSetEvents(t *testing.T) {
	e := &echo{clock: &clock{}, left: 4}
	e.clock.after(1, e)
	e.clock.run()
	assert.Equal(t, []float64{1, 3, 5, 7}, e.times)
}

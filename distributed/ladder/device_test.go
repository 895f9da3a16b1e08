package ladder

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// once returns a program of one part.
func once(ops ...op) func(*device) []op {
	return func(d *device) []op {
		if d.part > 0 {
			return nil
		}
		return ops
	}
}

// Two devices work for 1 s and 4 s, then both take part in a transfer of 2 s. The fast
// one waits 3 s for the other, and both wait 2 s for the transfer.
func TestDeviceWaitsForTheOther(t *testing.T) {
	c := &clock{}
	all := &collective{clock: c, link: &link{}, need: 2, seconds: 2}
	var devices []*device
	for i, work := range []float64{1, 4} {
		devices = append(devices, &device{clock: c, index: i,
			more: once(op{kind: compute, seconds: work}, op{kind: ask, collective: all}, op{kind: wait, collective: all}, op{kind: compute, seconds: 0.5})})
	}
	for _, d := range devices {
		d.step()
	}
	c.run()
	for i, want := range []device{{busy: 1.5, waiting: 3, communication: 2}, {busy: 4.5, waiting: 0, communication: 2}} {
		d := devices[i]
		assert.Equal(t, want.busy, d.busy)
		assert.Equal(t, want.waiting, d.waiting)
		assert.Equal(t, want.communication, d.communication)
		assert.Equal(t, 6.5, d.end)
	}
}

// A transfer that was asked for early overlaps with computation.
func TestTransferIsHidden(t *testing.T) {
	c := &clock{}
	gather := &collective{clock: c, link: &link{}, need: 1, seconds: 2}
	d := &device{clock: c, more: once(op{kind: ask, collective: gather}, op{kind: compute, seconds: 3}, op{kind: wait, collective: gather})}
	d.step()
	c.run()
	assert.Equal(t, 3.0, d.end)
	assert.Zero(t, d.communication)
	assert.Zero(t, d.waiting)
}

// Transfers on one link follow each other; on two links they run at once.
func TestLinksAreShared(t *testing.T) {
	for links, want := range map[int]float64{1: 5, 2: 3} {
		c := &clock{}
		lines := make([]link, links)
		first := &collective{clock: c, link: &lines[0], need: 1, seconds: 2}
		second := &collective{clock: c, link: &lines[links-1], need: 1, seconds: 3}
		d := &device{clock: c, more: once(op{kind: ask, collective: first}, op{kind: ask, collective: second},
			op{kind: wait, collective: first}, op{kind: wait, collective: second})}
		d.step()
		c.run()
		assert.Equal(t, want, d.end, "%d links", links)
		assert.Equal(t, want, d.communication)
	}
}

// A collective that uses the result of another starts when that one has ended and all
// other participants have asked.
func TestCollectivesAreChained(t *testing.T) {
	c := &clock{}
	second := &collective{clock: c, link: &link{}, need: 2, seconds: 1}
	first := &collective{clock: c, link: &link{}, need: 1, seconds: 2, then: []*collective{second}}
	a := &device{clock: c, more: once(op{kind: ask, collective: first}, op{kind: wait, collective: second})}
	b := &device{clock: c, more: once(op{kind: compute, seconds: 5}, op{kind: ask, collective: second}, op{kind: wait, collective: second})}
	a.step()
	b.step()
	c.run()
	assert.Equal(t, 6.0, a.end)
	assert.Equal(t, 5.0, a.waiting)
	assert.Equal(t, 1.0, a.communication)
	assert.Panics(t, func() { first.ask(0) })
}

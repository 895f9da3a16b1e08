package ladder

// link carries one transfer at a time; transfers on one link follow each other.
type link struct{ free float64 }

// collective is one transfer between several devices. It is ready when all of them have
// asked for it, and starts when its link is free.
type collective struct {
	clock   *clock
	link    *link
	need    int // devices that have not asked yet
	seconds float64

	came    float64 // time at which the last device that it depends on arrived
	done    bool
	waiting []*device
	// then are the collectives that use the result; each is asked for once.
	then []*collective
}

// ask is the request of one participant. came is the time at which the participant, or
// the last device that it depends on, arrived.
func (c *collective) ask(came float64) {
	c.came = max(c.came, came)
	c.need--
	if c.need > 0 {
		return
	}
	if c.need < 0 {
		panic("ladder: a collective was asked for too often")
	}
	begin := max(c.clock.now, c.link.free)
	c.link.free = begin + c.seconds
	c.clock.after(c.link.free-c.clock.now, c)
}

// fire ends the transfer.
func (c *collective) fire() {
	c.done = true
	for _, next := range c.then {
		next.ask(c.came)
	}
	for _, d := range c.waiting {
		d.resume(c)
	}
	c.waiting = nil
}

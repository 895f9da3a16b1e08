package ladder

// link is what transfers share: they follow each other.
type link struct{ free float64 }

// collective is one transfer in which several devices take part. It is ready when all
// have asked for it and begins when its link is free.
type collective struct {
	clock   *clock
	link    *link
	need    int // who have not asked yet
	seconds float64

	came    float64 // when the last device that it depends on had come
	done    bool
	waiting []*device
	// then are collectives that take the result, each asked for once.
	then []*collective
}

// ask is the request of one participant, for whose sake nobody had to wait after the
// given time.
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

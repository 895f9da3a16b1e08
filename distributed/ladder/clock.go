package ladder

// actor is the target of an event.
type actor interface{ fire() }

// event is a time at which an actor is fired.
type event struct {
	time float64
	// order is the number of the event. Events of equal times fire in the order in
	// which they were set.
	order uint64
	actor actor
}

func (e event) before(f event) bool {
	if e.time != f.time {
		return e.time < f.time
	}
	return e.order < f.order
}

// clock fires events in the order of their times. Its queue is a binary heap.
type clock struct {
	now   float64
	count uint64
	queue []event
}

// after sets an event the given seconds from now.
func (c *clock) after(seconds float64, a actor) {
	c.queue = append(c.queue, event{c.now + seconds, c.count, a})
	c.count++
	for i := len(c.queue) - 1; i > 0; {
		parent := (i - 1) / 2
		if !c.queue[i].before(c.queue[parent]) {
			return
		}
		c.queue[i], c.queue[parent] = c.queue[parent], c.queue[i]
		i = parent
	}
}

// run fires events until none is left.
func (c *clock) run() {
	for len(c.queue) > 0 {
		e := c.pop()
		c.now = e.time
		e.actor.fire()
	}
}

func (c *clock) pop() event {
	q := c.queue
	first, n := q[0], len(q)-1
	q[0], q[n] = q[n], event{}
	c.queue = q[:n]
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < n; child++ {
			if q[child].before(q[least]) {
				least = child
			}
		}
		if least == i {
			return first
		}
		q[i], q[least] = q[least], q[i]
		i = least
	}
}

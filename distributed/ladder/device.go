package ladder

// op is one operation of a device: compute for some seconds, ask for a collective, or
// wait for a collective.
type op struct {
	kind       opKind
	seconds    float64
	collective *collective
}

type opKind uint8

const (
	compute opKind = iota
	ask
	wait
)

// device runs a program and records how its time is spent.
type device struct {
	clock *clock
	// more returns the next part of the program, nil at its end.
	more  func(d *device) []op
	index int // of the device
	part  int // parts started
	ops   []op
	since float64 // start of the current wait

	// busy is the time spent computing. waiting is the time until the last participant
	// of a collective arrived, communication the time from then until its end.
	busy, waiting, communication float64
	end                          float64
}

// fire continues after computing.
func (d *device) fire() { d.step() }

// resume continues after waiting for c.
func (d *device) resume(c *collective) {
	late := min(max(c.came, d.since), d.clock.now)
	d.waiting += late - d.since
	d.communication += d.clock.now - late
	d.step()
}

// step runs operations until one takes time.
func (d *device) step() {
	for {
		if len(d.ops) == 0 {
			if d.ops = d.more(d); len(d.ops) == 0 {
				d.end = d.clock.now
				return
			}
			d.part++
		}
		o := d.ops[0]
		d.ops = d.ops[1:]
		switch {
		case o.kind == compute:
			d.busy += o.seconds
			d.clock.after(o.seconds, d)
			return
		case o.kind == ask:
			o.collective.ask(d.clock.now)
		case !o.collective.done:
			d.since = d.clock.now
			o.collective.waiting = append(o.collective.waiting, d)
			return
		}
	}
}

package ladder

// op is one thing a device does: compute for some seconds, ask for a collective, or
// wait for one.
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

// device runs a program and keeps account of its time.
type device struct {
	clock *clock
	// more returns the next part of the program, nil at its end.
	more  func(d *device) []op
	index int // of the device
	part  int // parts begun
	ops   []op
	since float64 // of waiting

	// busy is time spent computing, waiting time spent until the last participant
	// of a collective had come, communication time spent until it was over.
	busy, waiting, communication float64
	end                          float64
}

// fire goes on after computing.
func (d *device) fire() { d.step() }

// resume goes on after waiting for c.
func (d *device) resume(c *collective) {
	late := min(max(c.came, d.since), d.clock.now)
	d.waiting += late - d.since
	d.communication += d.clock.now - late
	d.step()
}

// step does what takes no time and begins what does.
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

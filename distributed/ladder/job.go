package ladder

import "math/rand/v2"

// job is the simulation of one rung.
type job struct {
	setup          Setup
	rung           Rung
	classes        []Class
	units          []unit
	groups, shards int
	micros         int     // micro-batches per update
	update         float64 // seconds of the optimiser

	clock        clock
	inner, outer []link // of each group, of each shard
	samplers     []*rand.Rand
	updates      []*update // made so far; old ones are dropped
	drawn        [][]int   // [device] classes of the current update
	devices      []*device
	tokens       int
}

func newJob(s Setup, r Rung) (*job, error) {
	classes, err := s.classes(r.Form)
	if err != nil {
		return nil, err
	}
	bytes, err := s.sizes()
	if err != nil {
		return nil, err
	}
	j := &job{setup: s, rung: r, classes: classes, units: s.units(bytes, r.Hybrid),
		groups: 1, shards: s.Devices, micros: 1}
	if r.Hybrid {
		j.groups, j.shards = s.Devices/s.Group, s.Group
	}
	if r.Accumulate {
		j.micros = s.Accumulate
	}
	// AdamW reads weight, gradient and two moments and writes all but the gradient.
	for _, u := range j.units {
		n := u.bytes
		if !u.whole {
			n /= float64(j.shards)
		}
		j.update += 7 * n / s.Memory
	}
	j.inner, j.outer = make([]link, j.groups), make([]link, j.shards)
	n := s.Devices
	if r.Together {
		n = j.groups
	}
	for i := range n {
		j.samplers = append(j.samplers, sampler(s.Seed, i))
	}
	return j, nil
}

// sampler returns the generator from which a device, or a group, draws data sets.
func sampler(seed uint64, number int) *rand.Rand { return rand.New(rand.NewPCG(seed, uint64(number))) }

// run simulates all devices to their end.
func (j *job) run() {
	for i := range j.setup.Devices {
		d := &device{clock: &j.clock, index: i, more: j.program}
		j.devices = append(j.devices, d)
	}
	for _, d := range j.devices {
		d.step()
	}
	j.clock.run()
}

// at returns the collectives of an update.
func (j *job) at(number int) *update {
	for len(j.updates) <= number {
		j.updates = append(j.updates, j.newUpdate())
		if old := len(j.updates) - 3; old >= 0 {
			j.updates[old] = nil
		}
	}
	return j.updates[number]
}

// draw returns the class of a device's micro-batch.
func (j *job) draw(d *device, together []int, m int) *Class {
	if !j.rung.Together {
		return &j.classes[j.samplers[d.index].IntN(len(j.classes))]
	}
	return &j.classes[together[m]]
}

// program returns the operations of a device up to its next update.
func (j *job) program(d *device) []op {
	if d.part*j.micros >= j.setup.Micro {
		return nil
	}
	u := j.at(d.part)
	g, i := d.index/j.shards, d.index%j.shards
	p := &program{}
	p.ask(u.forward[g][0][0])
	for m := range j.micros {
		c := j.draw(d, j.together(g, d.part), m)
		j.tokens += c.Tokens
		j.forward(p, c, u.forward[g][m])
		var next *collective
		if m+1 < j.micros {
			next = u.forward[g][m+1][0]
		}
		j.backward(p, c, u.backward[g][m], u.reduce[g][m], next)
	}
	for _, c := range u.final[g][i] {
		p.wait(c)
	}
	p.ask(u.norm[g])
	p.wait(u.norm[g])
	p.compute(j.update)
	return p.ops
}

// together returns the classes that a group draws for an update. All devices of the
// group use the same classes.
func (j *job) together(g, number int) []int {
	if !j.rung.Together {
		return nil
	}
	if j.drawn == nil {
		j.drawn = make([][]int, j.groups)
	}
	for len(j.drawn[g]) < (number+1)*j.micros {
		j.drawn[g] = append(j.drawn[g], j.samplers[g].IntN(len(j.classes)))
	}
	return j.drawn[g][number*j.micros:]
}

// forward runs the units. It asks for the weights of each unit while the one before
// runs.
func (j *job) forward(p *program, c *Class, gather []*collective) {
	for k, u := range j.units {
		if k+1 < len(j.units) {
			p.ask(gather[k+1])
		}
		p.wait(gather[k])
		p.compute(u.segment(c).Forward)
	}
}

// backward runs the units in reverse; the weights of the last unit are still on the
// device. next is the first collective of the following micro-batch.
func (j *job) backward(p *program, c *Class, gather, reduce []*collective, next *collective) {
	for k := len(j.units) - 1; k >= 0; k-- {
		if k > 0 {
			p.ask(gather[k-1])
		} else {
			p.ask(next)
		}
		if k+1 < len(j.units) {
			p.wait(gather[k])
		}
		p.compute(j.units[k].segment(c).Backward)
		p.ask(reduce[k])
	}
}

// program collects operations and leaves out those on nil collectives.
type program struct{ ops []op }

func (p *program) ask(c *collective) {
	if c != nil {
		p.ops = append(p.ops, op{kind: ask, collective: c})
	}
}

func (p *program) wait(c *collective) {
	if c != nil {
		p.ops = append(p.ops, op{kind: wait, collective: c})
	}
}

func (p *program) compute(seconds float64) {
	p.ops = append(p.ops, op{kind: compute, seconds: seconds})
}

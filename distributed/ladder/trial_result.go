package ladder

import (
	"math"
	"slices"
)

// results computes the results of all rungs and simulates the same draws.
func (b *bench) results() ([]Measured, error) {
	s, err := b.simulation()
	if err != nil {
		return nil, err
	}
	var out []Measured
	for _, r := range Rungs() {
		m := b.result(r)
		if m.Simulated, err = s.Run(r); err != nil {
			return nil, err
		}
		out = append(out, m)
		a, z := out[0], &out[len(out)-1]
		z.Relative = 100 * float64(m.Tokens) / m.Seconds * a.Seconds / float64(a.Tokens)
		z.Simulated.Relative = 100 * m.Simulated.Throughput / a.Simulated.Throughput
	}
	return out, nil
}

// extra returns the seconds that sharding over a mesh adds to a micro-batch of a
// device, the mean over all classes.
func (b *bench) extra(r Rung) float64 {
	sharded, alone := b.costs[costKey(b.mesh(r), r.Form)], b.costs[costKey(b.own(), r.Form)]
	sum := 0.0
	for i := range alone.seconds {
		sum += sharded.seconds[i] - alone.seconds[i]
	}
	return sum / float64(len(alone.seconds))
}

// result computes the result of a rung. HSDP without drawing together uses the run of
// the rung below, whose devices also draw separately.
func (b *bench) result(r Rung) Measured {
	x, ok := b.rounds[r.Name]
	if !ok {
		x = b.rounds[Rungs()[3].Name]
	}
	micros := b.micros(r)
	extra, update := b.extra(r), b.costs[costKey(b.mesh(r), r.Form)].update
	meeting, busy := 0.0, 0.0
	for _, spent := range x.spent {
		devices := x.devices(spent, b.Devices)
		if r.Together { // the measured run was sharded
			for _, d := range devices {
				for m := range d {
					d[m] -= extra
				}
			}
		}
		meeting += meet(devices, r.Hybrid, b.Group)
		for _, d := range devices {
			for _, s := range d {
				busy += s / float64(b.Devices)
			}
		}
	}
	n := float64(len(x.spent))
	out := Measured{Rung: r.Name, Mesh: x.mesh.String(), Relative: 100}
	out.Seconds = meeting + n*(float64(micros)*extra+update)
	sharding := n * float64(micros) * extra
	out.Busy, out.Waiting = (busy+sharding)/out.Seconds, (meeting-busy)/out.Seconds
	out.Sharding, out.Updating = sharding/out.Seconds, n*update/out.Seconds
	out.Tokens, out.Padding = x.tokens(b.Devices)
	out.PerWall = float64(out.Tokens) / x.wall
	return out
}

// devices repeats the seconds of groups for each of their devices.
func (x round) devices(spent [][]float64, n int) (out [][]float64) {
	for d := range n {
		out = append(out, slices.Clone(spent[d*len(spent)/n]))
	}
	return out
}

// tokens returns the tokens of all devices and the fraction of padding.
func (x round) tokens(devices int) (n int, padding float64) {
	all := 0
	for _, draws := range x.draws {
		for _, i := range draws {
			k := x.classes[i]
			n += k.Tokens * devices / len(x.draws)
			all += k.shape.Frames() * k.plan.Tokens() * devices / len(x.draws)
		}
	}
	return n, 1 - float64(n)/float64(all)
}

// meet returns the seconds of an update's micro-batches, given as [device][micro].
// Devices that share weights wait for each other at each micro-batch, groups at the
// end. If hybrid is false all devices share weights.
func meet(spent [][]float64, hybrid bool, group int) (seconds float64) {
	if !hybrid {
		group = len(spent)
	}
	for members := range slices.Chunk(spent, group) {
		sum := 0.0
		for m := range members[0] {
			slowest := math.Inf(-1)
			for _, d := range members {
				slowest = max(slowest, d[m])
			}
			sum += slowest
		}
		seconds = max(seconds, sum)
	}
	return seconds
}

// simulation returns the setup with the measured times of the classes on a single
// device. Bandwidths of links and memory are chosen so that transfers and updates of
// the naive rung take as long as measured. Links without measurable cost are very fast.
func (b *bench) simulation() (Setup, error) {
	s := b.Setup
	s.Times = &Times{Source: "trial", Config: s.Config}
	for _, form := range []Form{{}, {Adaptive: true}, {Adaptive: true, Differential: true}} {
		for i, seconds := range b.costs[costKey(b.own(), form)].seconds {
			s.Times.Classes = append(s.Times.Classes, Time{s.Systems[i].Name, form, seconds})
		}
	}
	bytes, err := s.sizes()
	if err != nil {
		return s, err
	}
	all, naive, n := bytes.encoder+bytes.blocks+bytes.decoder, Rungs()[0], float64(s.Devices)
	moved := (3*all - bytes.decoder) * (n - 1) / n // forward, backward, gradients
	link := Link{Bandwidth: 1e18}
	if extra := b.extra(naive); extra > 0 && moved > 0 {
		link.Bandwidth = moved / extra
	}
	s.Network = Network{Node: s.Devices, Inner: link, Outer: link}
	if update := b.costs[costKey(b.all(), naive.Form)].update; update > 0 {
		s.Memory = 7 * all / n / update
	}
	return s, nil
}

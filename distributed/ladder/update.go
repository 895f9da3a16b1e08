package ladder

// update holds the collectives of the micro-batches up to an update. A collective that
// is not needed is nil.
type update struct {
	// forward and backward gather weights, reduce sums gradients inside a group:
	// [group][micro][unit].
	forward, backward, reduce [][][]*collective
	// final are the collectives that a device waits for before its update:
	// [group][shard].
	final [][][]*collective
	// norm sums the norms of the gradients of a group's shards.
	norm []*collective
}

// newUpdate returns the collectives of an update.
func (j *job) newUpdate() *update {
	u := &update{}
	for g := range j.groups {
		u.forward = append(u.forward, j.perMicro(g, j.gather))
		u.backward = append(u.backward, j.perMicro(g, j.gather))
		u.reduce = append(u.reduce, j.perMicro(g, j.scatter))
		u.final = append(u.final, make([][]*collective, j.shards))
		u.norm = append(u.norm, j.inGroup(g, 2*j.setup.Network.gather(0, j.shards, 1)))
	}
	for k := range j.units {
		j.exchange(u, k)
	}
	return u
}

func (j *job) perMicro(g int, make func(g int, u unit) *collective) [][]*collective {
	var out [][]*collective
	for range j.micros {
		var list []*collective
		for _, u := range j.units {
			list = append(list, make(g, u))
		}
		out = append(out, list)
	}
	return out
}

// inGroup returns a collective of all devices of a group.
func (j *job) inGroup(g int, seconds float64) *collective {
	if j.shards == 1 {
		return nil
	}
	return &collective{clock: &j.clock, link: &j.inner[g], need: j.shards, seconds: seconds}
}

// gather returns the all-gather of the weights of a unit.
func (j *job) gather(g int, u unit) *collective {
	if u.whole {
		return nil
	}
	return j.inGroup(g, j.setup.Network.gather(u.bytes, j.shards, u.parts))
}

// scatter returns the reduce-scatter of the gradients of a unit inside a group.
func (j *job) scatter(g int, u unit) *collective {
	return j.inGroup(g, j.setup.Network.gather(u.bytes, j.shards, u.parts))
}

// exchange links the reduce-scatter of the last micro-batch to the sum over groups and,
// for whole units, to the all-gather of that sum. It notes the last ones in u.final.
func (j *job) exchange(u *update, k int) {
	last := j.micros - 1
	between := make([]*collective, j.shards)
	for i := range between {
		if j.groups > 1 {
			between[i] = &collective{clock: &j.clock, link: &j.outer[i], need: j.groups,
				seconds: j.setup.Network.reduce(j.units[k].bytes/float64(j.shards), j.groups, j.shards, j.units[k].parts)}
		}
	}
	for g := range j.groups {
		first := u.reduce[g][last][k]
		var again *collective
		if j.units[k].whole {
			again = j.inGroup(g, j.setup.Network.gather(j.units[k].bytes, j.shards, j.units[k].parts))
		}
		for i, b := range between {
			chain := chained(first, b, again)
			if len(chain) > 0 {
				u.final[g][i] = append(u.final[g][i], chain[len(chain)-1])
			}
			if first == nil && b != nil {
				u.reduce[g][last][k] = b // without shards devices ask for the sum directly
			}
		}
	}
}

// chained lets each collective use the result of the one before it, and returns the
// collectives that are not nil. A collective that follows several others is asked for
// once by each of them.
func chained(list ...*collective) []*collective {
	var out []*collective
	for _, c := range list {
		if c == nil {
			continue
		}
		if len(out) > 0 {
			out[len(out)-1].then = append(out[len(out)-1].then, c)
		}
		out = append(out, c)
	}
	return out
}

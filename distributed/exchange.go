package distributed

import (
	"fmt"

	"golang.org/x/sync/errgroup"
)

// bucketValues is the number of values that groups exchange at a time. While the
// processes sum one bucket, this process adds up the next.
const bucketValues = 4 << 20

// exchange sums the gradients over all groups of all processes and gives every group
// the sums. It returns the slots for which any group has gradients, in the network's
// order.
func (t *Trainer) exchange() ([]slot, error) {
	slots, err := t.waiting()
	if err != nil || (len(t.groups) == 1 && t.engine.Size() == 1) {
		return slots, err
	}
	var sent []bucket
	for rest := slots; len(rest) > 0; {
		b := firstBucket(rest)
		rest = rest[len(b.slots):]
		if b.values, err = t.addUp(b.slots); err != nil {
			return nil, err
		}
		b.wait = t.engine.Sum(b.values)
		sent = append(sent, b)
	}
	for _, b := range sent {
		if err := b.wait(); err != nil {
			return nil, fmt.Errorf("distributed: adding up gradients: %w", err)
		}
		if err := t.deliver(b.slots, b.values); err != nil {
			return nil, err
		}
	}
	return slots, nil
}

// bucket is the part of the gradients that is exchanged at a time.
type bucket struct {
	slots  []slot
	values []float32
	wait   func() error
}

// firstBucket returns the first slots that fit into a bucket, at least one.
func firstBucket(slots []slot) bucket {
	n, size := 0, 0
	for n < len(slots) && (n == 0 || size+slots[n].Size() <= bucketValues) {
		size += slots[n].Size()
		n++
	}
	return bucket{slots: slots[:n]}
}

// waiting lists the slots for which any group of any process has gradients.
func (t *Trainer) waiting() ([]slot, error) {
	all := t.groups[0].slots
	marks := make([]float32, len(all))
	for _, g := range t.groups {
		for i, s := range all {
			if g.sums[s.Key] != nil {
				marks[i] = 1
			}
		}
	}
	if err := t.engine.Sum(marks)(); err != nil {
		return nil, fmt.Errorf("distributed: agreeing on gradients: %w", err)
	}
	var out []slot
	for i, s := range all {
		if marks[i] > 0 {
			out = append(out, s)
		}
	}
	return out, nil
}

// addUp sums the gradients of this process's groups, slot after slot.
func (t *Trainer) addUp(slots []slot) ([]float32, error) {
	total := 0
	for _, s := range slots {
		total += s.Size()
	}
	sum, one := make([]float32, total), []float32(nil)
	at := 0
	for _, s := range slots {
		for _, g := range t.groups {
			parts := g.sums[s.Key]
			if parts == nil {
				continue
			}
			if cap(one) < s.Size() {
				one = make([]float32, s.Size())
			}
			one = one[:s.Size()]
			if err := g.layout.gather(s, parts, one); err != nil {
				return nil, err
			}
			for i, v := range one {
				sum[at+i] += v
			}
		}
		at += s.Size()
	}
	return sum, nil
}

// deliver copies sums to all groups.
func (t *Trainer) deliver(slots []slot, values []float32) error {
	var work errgroup.Group
	for _, g := range t.groups {
		work.Go(func() error {
			at := 0
			for _, s := range slots {
				if err := g.set(g.sums, s, values[at:at+s.Size()]); err != nil {
					return err
				}
				at += s.Size()
			}
			return nil
		})
	}
	return work.Wait()
}

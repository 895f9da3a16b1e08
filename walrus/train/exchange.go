package train

import "fmt"

// bucketValues is the number of values that groups exchange at a time. While the
// processes sum one bucket, this process adds up the next.
const bucketValues = 4 << 20

// exchange sums the gradients over all groups of all processes and gives every group the
// sums. It returns the tensors for which any group has gradients, in the network's order,
// and the number of micro-batches of all groups.
func (t *Trainer) exchange() (keys []string, micro int, err error) {
	keys, micro, err = t.waiting()
	if err != nil || t.total() == 1 {
		return keys, micro, err
	}
	var sent []bucket
	for rest := keys; len(rest) > 0; {
		b := t.firstBucket(rest)
		rest = rest[len(b.keys):]
		if b.values, err = t.addUp(b.keys); err != nil {
			return nil, 0, err
		}
		b.wait = t.opts.Engine.Sum(b.values)
		sent = append(sent, b)
	}
	for _, b := range sent {
		if err := b.wait(); err != nil {
			return nil, 0, fmt.Errorf("train: adding up gradients: %w", err)
		}
		if err := t.deliver(b.keys, b.values); err != nil {
			return nil, 0, err
		}
	}
	return keys, micro, nil
}

// bucket is the part of the gradients that is exchanged at a time.
type bucket struct {
	keys   []string
	values []float32
	wait   func() error
}

// firstBucket returns the first tensors that fit into a bucket, at least one.
func (t *Trainer) firstBucket(keys []string) bucket {
	n, size := 0, 0
	for n < len(keys) {
		if size += t.size(keys[n]); n > 0 && size > bucketValues {
			break
		}
		n++
	}
	return bucket{keys: keys[:n]}
}

func (t *Trainer) size(key string) int {
	p := t.index[key]
	return p.Size()
}

// waiting lists the tensors for which any group of any process has gradients.
func (t *Trainer) waiting() (keys []string, micro int, err error) {
	params := t.params()
	marks := make([]float32, len(params)+1) // and the number of micro-batches
	for _, g := range t.groups {
		for i, p := range params {
			if g.sums[p.Key] != nil {
				marks[i] = 1
			}
		}
		marks[len(params)] += float32(g.micro)
	}
	if err := t.allReduce(marks); err != nil {
		return nil, 0, fmt.Errorf("train: agreeing on gradients: %w", err)
	}
	for i, p := range params {
		if marks[i] > 0 {
			keys = append(keys, p.Key)
		}
	}
	return keys, int(marks[len(params)]), nil
}

// addUp sums the gradients of this process's groups, tensor after tensor.
func (t *Trainer) addUp(keys []string) ([]float32, error) {
	var sum []float32
	for _, key := range keys {
		at := len(sum)
		sum = append(sum, make([]float32, t.size(key))...)
		for _, g := range t.groups {
			if g.sums[key] == nil {
				continue
			}
			values, err := g.get(g.sums, key)
			if err != nil {
				return nil, err
			}
			for i, v := range values {
				sum[at+i] += v
			}
		}
	}
	return sum, nil
}

// deliver copies sums to all groups.
func (t *Trainer) deliver(keys []string, values []float32) error {
	return t.each(func(_ int, g *group) error {
		at := 0
		for _, key := range keys {
			n := t.size(key)
			if err := g.set(g.sums, key, values[at:at+n]); err != nil {
				return err
			}
			at += n
		}
		return nil
	})
}

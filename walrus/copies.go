package walrus

import "github.com/gomlx/gomlx/core/tensors"

// copies holds what an emulator makes of the tensors of weights, each with the tensor that it
// was made from. Training replaces tensors; of a tensor that was not replaced nothing is made
// again.
type copies[T interface{ free() }] map[copyKey]copyOf[T]

type copyKey struct {
	weights *Weights
	key     string
}

type copyOf[T any] struct {
	from *tensors.Tensor
	made T
}

// of returns the copy of t, the tensor of w with the given key, and makes it if necessary.
func (c copies[T]) of(w *Weights, key string, t *tensors.Tensor, build func() (T, error)) (T, error) {
	at := copyKey{w, key}
	if old, ok := c[at]; ok {
		if old.from == t {
			return old.made, nil
		}
		old.made.free()
		delete(c, at)
	}
	made, err := build()
	if err == nil {
		c[at] = copyOf[T]{t, made}
	}
	return made, err
}

func (c copies[T]) close() {
	for _, x := range c {
		x.made.free()
	}
	clear(c)
}

package testbackend

import (
	"hash/fnv"
	"math/rand/v2"

	"github.com/gomlx/gomlx/core/tensors"
)

// Seeded returns a generator that depends only on the name.
func Seeded(name string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(name))
	return rand.New(rand.NewPCG(7, h.Sum64()))
}

// Normal returns standard normal float32 values that depend only on the name.
func Normal(name string, dims ...int) *tensors.Tensor {
	rng, n := Seeded(name), 1
	for _, d := range dims {
		n *= d
	}
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(rng.NormFloat64())
	}
	return Tensor(v, dims...)
}

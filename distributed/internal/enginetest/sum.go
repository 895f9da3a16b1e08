package enginetest

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/gowalrus/gowalrus/distributed"
)

// sizes are lengths around the limits of likely pieces, and odd lengths.
var sizes = []int{0, 1, 2, 3, 7, 1000, 4097, 65535, 1<<18 - 1, 1 << 18, 1<<18 + 1, 1 << 20, 1<<20 + 1, 3<<20 + 13}

// margin is the number of values on each side of a sum that must not change.
const margin = 3

// term returns value i of vector number v of a rank. Sums of terms over a few thousand
// ranks are whole numbers below 2^24 and therefore exact.
func term(rank, v, i int) float32 { return float32((rank + 1) * ((i + 7*v) % 5)) }

// total returns the sum of term over all ranks.
func total(size, v, i int) float32 { return float32(size * (size + 1) / 2 * ((i + 7*v) % 5)) }

// vector returns vector number v between two margins of NaN.
func vector(rank, v, n int) []float32 {
	x := make([]float32, n+2*margin)
	for i := range x {
		x[i] = float32(math.NaN())
	}
	for i := range n {
		x[margin+i] = term(rank, v, i)
	}
	return x
}

func inner(x []float32) []float32 { return x[margin : len(x)-margin] }

// checkTotal compares a summed vector and its margins with the expected values.
func checkTotal(x []float32, size, v int) error {
	for i, got := range inner(x) {
		if want := total(size, v, i); got != want {
			return fmt.Errorf("%d values: value %d: expected %v, got %v", len(x)-2*margin, i, want, got)
		}
	}
	for i, y := range slices.Concat(x[:margin], x[len(x)-margin:]) {
		if y == y {
			return fmt.Errorf("%d values: value %d next to them was overwritten by %v", len(x)-2*margin, i, y)
		}
	}
	return nil
}

func sums(e distributed.Engine) error {
	for v, n := range sizes {
		x := vector(e.Rank(), v, n)
		wait := e.Sum(inner(x))
		for range 2 { // a second wait returns the same
			if err := wait(); err != nil {
				return err
			}
		}
		if err := checkTotal(x, e.Size(), v); err != nil {
			return err
		}
	}
	return nil
}

// overlapping starts sums before others have ended, waits for them in another order,
// and makes other calls in between.
func overlapping(e distributed.Engine) error {
	order := []int{3, 0, 6, 1, 5, 2, 4}
	vectors := make([][]float32, len(order))
	waits := make([]func() error, len(order))
	for v := range order {
		vectors[v] = vector(e.Rank(), v, 5<<18/(v+1)+v)
		waits[v] = e.Sum(inner(vectors[v]))
	}
	greeting := []byte{byte(e.Rank() + 5)}
	if err := e.Broadcast(e.Size()-1, greeting); err != nil {
		return err
	}
	if greeting[0] != byte(e.Size()+4) {
		return fmt.Errorf("broadcast between sums: expected %d, got %d", e.Size()+4, greeting[0])
	}
	for _, v := range order {
		if err := waits[v](); err != nil {
			return err
		}
		if err := checkTotal(vectors[v], e.Size(), v); err != nil {
			return fmt.Errorf("sum %d: %w", v, err)
		}
	}
	return nil
}

// sameBits sums numbers that rounding affects. The result must be near the exact sum
// and have the same bits on all ranks, as copies of a network need it.
func sameBits(e distributed.Engine) error {
	const n = 2<<20 + 5
	x, exact, size := make([]float32, n), make([]float64, n), make([]float64, n)
	for rank := range e.Size() {
		rng := rand.New(rand.NewPCG(1, uint64(rank)))
		for i := range x {
			y := float32(rng.NormFloat64())
			if rank == e.Rank() {
				x[i] = y
			}
			exact[i] += float64(y)
			size[i] += math.Abs(float64(y))
		}
	}
	if err := e.Sum(x)(); err != nil {
		return err
	}
	// Every partial sum is rounded once, by 2^-24 of at most the sum of magnitudes.
	allowed := float64(e.Size()) / (1 << 24)
	bits := make([]byte, 0, 4*n)
	for i, y := range x {
		if d := math.Abs(float64(y) - exact[i]); !(d <= allowed*size[i]) {
			return fmt.Errorf("value %d: expected %v, got %v", i, exact[i], y)
		}
		bits = binary.LittleEndian.AppendUint32(bits, math.Float32bits(y))
	}
	first := slices.Clone(bits)
	if err := e.Broadcast(0, first); err != nil {
		return err
	}
	if !slices.Equal(bits, first) {
		return fmt.Errorf("rank %d: expected the bits of rank 0, got others", e.Rank())
	}
	return nil
}

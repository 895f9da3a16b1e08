package eval_test

import (
	"math/rand/v2"
	"testing"

	"github.com/gowalrus/gowalrus/walrus/eval"
)

// BenchmarkMetrics measures the metrics of a field of 256×256 points; those of ensembles have
// 16 members.
func BenchmarkMetrics(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	field := func() []float32 {
		f := make([]float32, 256*256)
		for i := range f {
			f[i] = float32(rng.NormFloat64())
		}
		return f
	}
	pred, ref := field(), field()
	var members [][]float32
	for range 16 {
		members = append(members, field())
	}
	grid := []int{256, 256}
	for name, f := range map[string]func() error{
		"VRMSE":         func() error { _, err := eval.VRMSE(pred, ref, eval.DefaultEps); return err },
		"PowerSpectrum": func() error { _, err := eval.PowerSpectrum(pred, grid, 32); return err },
		"CRPS":          func() error { _, err := eval.CRPS(members, ref); return err },
		"EnergyScore":   func() error { _, err := eval.EnergyScore(members, ref); return err },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(4 * 256 * 256)
			for b.Loop() {
				if err := f(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

package train

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
)

// BenchmarkStep measures a training step of a network of width 64 with two blocks, on six
// frames of 32×32 points, 64 tokens each: of all weights, and of adapters of rank 4.
func BenchmarkStep(b *testing.B) {
	c := walrus.Small()
	c.Hidden, c.Blocks, c.Heads, c.Intermediate, c.DropPath = 64, 2, 4, 16, 0
	c.Tokens = [3]int{8, 8, 8}
	batch := &Batch{Windows: []*data.Window{waves("bench", []int{32, 32}, data.Boundaries{periodic, walled}, 7)}}
	for name, o := range map[string]Options{"all": {}, "LoRA": {LoRA: &LoRA{Rank: 4}, Freeze: []string{"embed.*", "debed.*"}}} {
		b.Run(name, func(b *testing.B) {
			w, err := walrus.InitWeights(c, 1)
			require.NoError(b, err)
			defer w.Close()
			o.Backend = testbackend.New(b)
			tr, err := New(w, o)
			require.NoError(b, err)
			defer tr.Close()
			step := func() {
				if _, err := tr.Step(batch, 1e-4); err != nil {
					b.Fatal(err)
				}
			}
			step() // compiles
			for b.Loop() {
				step()
			}
		})
	}
}

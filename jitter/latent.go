package jitter

import (
	"fmt"
	"math/rand/v2"

	"github.com/gowalrus/gowalrus/csm"
)

// Before each block the release rolls the tokens of every periodic axis by a
// random number of tokens and after the last block rolls them back, because
// the position embedding is not periodic (SPEC §2.9). Attention over all
// tokens of a frame sees position only through that embedding, so rolling the
// embedding's table does the same and moves no activation
// ([layers.AxialRoPE.Angles]).

// DrawLatentRolls draws the rolls of every block, for each block the axes in
// order: uniform in [0, tokens) on axes whose tokens are periodic, else 0.
// Mode Off draws nothing.
func (j Jitterer) DrawLatentRolls(rng *rand.Rand, blocks int) [][3]int32 {
	out := make([][3]int32, blocks)
	if j.Mode == Off {
		return out
	}
	for b := range out {
		for i, a := range j.Plan.Axes {
			if a.PeriodicTokens && a.Tokens > 1 {
				out[b][i] = int32(rng.IntN(a.Tokens))
			}
		}
	}
	return out
}

// AccumulateRolls turns the roll drawn before each block into the total roll
// that the block sees, modulo the tokens of the axis: what
// [layers.AxialRoPE.Angles] takes. A roll that is negative or not smaller than
// its axis is an error.
func AccumulateRolls(plan *csm.Plan, rolls [][3]int32) ([][3]int32, error) {
	grid := plan.TokenGrid()
	out := make([][3]int32, len(rolls))
	var total [3]int32
	for b, roll := range rolls {
		for i, r := range roll {
			if r < 0 || int(r) >= grid[i] {
				return nil, fmt.Errorf("jitter: latent roll of block %d, axis %d: expected 0 ≤ roll < %d, got %d", b, i, grid[i], r)
			}
			total[i] = (total[i] + r) % int32(grid[i])
		}
		out[b] = total
	}
	return out, nil
}

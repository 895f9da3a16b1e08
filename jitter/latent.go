package jitter

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/gowalrus/gowalrus/csm"
)

// Before each block, the release rolls the tokens of every periodic axis by a random number
// of tokens, because the position embedding is not periodic. After the last block it undoes
// the rolls (docs/reference.md §2, steps 9 and 10). Attention over all tokens of a frame
// depends on positions only through that embedding, so rolling the table of the embedding
// has the same effect and moves no activations ([layers.AxialRoPE.Angles]).

// DrawLatentRolls draws the rolls before every block: for each block and axis, an integer
// uniform in [0, tokens) if the axis has periodic tokens, else 0. Mode Off draws nothing. It
// returns nil unless blocks is 1 to 2^16.
func (j Jitterer) DrawLatentRolls(rng *rand.Rand, blocks int) [][3]int32 {
	if blocks < 1 || blocks > 1<<16 {
		return nil
	}
	out := make([][3]int32, blocks)
	if j.Mode == Off || j.Plan == nil {
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

// AccumulateRolls sums the rolls of the blocks up to each block, modulo the tokens of the
// axis. The result is the argument of [layers.AxialRoPE.Angles]. A roll outside [0, tokens)
// is an error.
func AccumulateRolls(plan *csm.Plan, rolls [][3]int32) ([][3]int32, error) {
	if plan == nil {
		return nil, errors.New("jitter: latent rolls: expected a plan, got nil")
	}
	grid := plan.TokenGrid()
	out := make([][3]int32, len(rolls))
	var total [3]int32
	for b, roll := range rolls {
		for i, r := range roll {
			if r < 0 || int(r) >= grid[i] {
				return nil, fmt.Errorf("jitter: latent roll of block %d, axis %d: expected 0 ≤ roll < %d, got %d", b, i, grid[i], r)
			}
			total[i] = int32((int(total[i]) + int(r)) % grid[i])
		}
		out[b] = total
	}
	return out, nil
}

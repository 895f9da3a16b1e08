package walrus

import (
	"fmt"
	"math/rand/v2"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/jitter"
)

// Draws are the random numbers of one forward pass.
type Draws struct {
	// Shift is the jitter of the axes H, W, D.
	Shift [3]int32
	// Rolls are the latent rolls drawn before each block, in tokens; empty
	// means none.
	Rolls [][3]int32
}

// Draw returns a random shift and random rolls from rng. With jitter off both are zero.
func (m *Model) Draw(rng *rand.Rand, plan *csm.Plan) Draws {
	j := m.Jitterer(plan)
	return Draws{Shift: j.Draw(rng), Rolls: j.DrawLatentRolls(rng, m.config.Blocks)}
}

// CheckDraws returns an error when draws do not fit the network and the plan.
func (m *Model) CheckDraws(d Draws, plan *csm.Plan) error {
	if err := m.Jitterer(plan).CheckShift(d.Shift); err != nil {
		return fmt.Errorf("walrus: %w", err)
	}
	if n := len(d.Rolls); n != 0 && n != m.config.Blocks {
		return fmt.Errorf("walrus: latent rolls: expected one per block (%d), got %d", m.config.Blocks, n)
	}
	if _, err := jitter.AccumulateRolls(plan, d.Rolls); err != nil {
		return fmt.Errorf("walrus: %w", err)
	}
	return nil
}

// batch returns the draws of n samples as tensors. For several samples the shapes are
// int32 [n, 3] and [Blocks, n, 3], for one sample those of [Model.Tensors].
func (m *Model) batch(list []Draws, plan *csm.Plan) (shift, rolls *tensors.Tensor, err error) {
	if len(list) == 1 {
		return m.Tensors(list[0], plan)
	}
	n, blocks := len(list), m.config.Blocks
	shifts, flat := make([]int32, 3*n), make([]int32, 3*n*blocks)
	for i, d := range list {
		if err := m.CheckDraws(d, plan); err != nil {
			return nil, nil, err
		}
		copy(shifts[3*i:], d.Shift[:])
		total, _ := jitter.AccumulateRolls(plan, d.Rolls)
		for b, r := range total {
			copy(flat[3*(b*n+i):], r[:])
		}
	}
	return tensors.FromFlatDataAndDimensions(shifts, n, 3), tensors.FromFlatDataAndDimensions(flat, blocks, n, 3), nil
}

// Tensors returns the draws in the form of [Inputs]: the shift, int32 [3], and
// the accumulated rolls, int32 [Blocks, 3].
func (m *Model) Tensors(d Draws, plan *csm.Plan) (shift, rolls *tensors.Tensor, err error) {
	if err := m.CheckDraws(d, plan); err != nil {
		return nil, nil, err
	}
	total, _ := jitter.AccumulateRolls(plan, d.Rolls)
	flat := make([]int32, 3*m.config.Blocks)
	for i, r := range total {
		copy(flat[3*i:], r[:])
	}
	return tensors.FromFlatDataAndDimensions(d.Shift[:], 3),
		tensors.FromFlatDataAndDimensions(flat, m.config.Blocks, 3), nil
}

package jitter_test

import (
	"math/rand/v2"
	"testing"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/jitter"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var mixed = data.Boundaries{data.Both(data.Wall), data.Both(data.Periodic)}

func TestBounds(t *testing.T) {
	released := csm.Options{}
	for _, c := range []struct {
		name string
		grid []int
		mode jitter.Mode
		want [3]int
	}{
		// docs/reference.md §4: stride 2×2 pads 5+2 = 7; half a period of 128 is 64.
		{"fixed", []int{128, 128}, jitter.Fixed, [3]int{7, 64, 0}},
		{"padded: half a patch everywhere", []int{128, 256}, jitter.Padded, [3]int{2, 4, 0}},
		{"off", []int{128, 128}, jitter.Off, [3]int{}},
		{"patches of one point are not shifted", []int{32, 32}, jitter.Fixed, [3]int{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.want, newJitterer(t, c.grid, mixed, c.mode, released).Bounds())
		})
	}
}

func TestDraw(t *testing.T) {
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			j := newJitterer(t, []int{128, 25}, mixed, mode, csm.Options{})
			rng, again := rand.New(rand.NewPCG(1, 2)), rand.New(rand.NewPCG(1, 2))
			var low, high [3]int32
			for range 2000 {
				s := j.Draw(rng)
				require.Equal(t, s, j.Draw(again), "one seed, one sequence")
				require.NoError(t, j.CheckShift(s))
				for i, v := range s {
					low[i], high[i] = min(low[i], v), max(high[i], v)
				}
			}
			assert.Equal(t, extreme(j, -1), low, "the lowest shift is drawn")
			assert.Equal(t, extreme(j, 1), high, "the highest shift is drawn")
		})
	}
}

func TestCheckShift(t *testing.T) {
	j := newJitterer(t, []int{128, 128}, mixed, jitter.Fixed, csm.Options{})
	for _, bad := range [][3]int32{{7, 0, 0}, {-7, 0, 0}, {0, 64, 0}, {0, 0, 1}} {
		require.Error(t, j.CheckShift(bad), "%v", bad)
	}
	require.EqualError(t, j.CheckShift([3]int32{0, -64, 0}), "jitter: shift of axis 1: expected within ±63, got -64")
}

func TestLatentRolls(t *testing.T) {
	j := newJitterer(t, []int{20, 24}, mixed, jitter.Fixed, csm.Options{})
	tokens := j.Plan.TokenGrid()
	require.True(t, j.Plan.Axes[1].PeriodicTokens)
	rng := rand.New(rand.NewPCG(5, 6))
	seen := map[int32]bool{}
	var rolls [][3]int32
	for range 40 {
		draw := j.DrawLatentRolls(rng, 10)
		require.Len(t, draw, 10)
		rolls = append(rolls, draw...)
	}
	for _, r := range rolls {
		require.Zero(t, r[0], "a walled axis never rolls")
		require.Zero(t, r[2], "a single point never rolls")
		require.True(t, r[1] >= 0 && int(r[1]) < tokens[1], "%v", r)
		seen[r[1]] = true
	}
	require.Len(t, seen, tokens[1], "every roll is drawn")
	off := newJitterer(t, []int{20, 24}, mixed, jitter.Off, csm.Options{})
	require.Equal(t, make([][3]int32, 3), off.DrawLatentRolls(rng, 3))

	got, err := jitter.AccumulateRolls(j.Plan, rolls)
	require.NoError(t, err)
	sum := 0
	for b, r := range rolls {
		sum += int(r[1])
		require.Equal(t, [3]int32{0, int32(sum % tokens[1]), 0}, got[b], "block %d", b)
	}
}

func TestAccumulateRollsErrors(t *testing.T) {
	j := newJitterer(t, []int{128, 128}, mixed, jitter.Fixed, csm.Options{})
	got, err := jitter.AccumulateRolls(j.Plan, nil)
	require.NoError(t, err)
	require.Empty(t, got)
	for _, bad := range [][3]int32{{0, -1, 0}, {0, 32, 0}, {0, 0, 1}, {33, 0, 0}} {
		_, err := jitter.AccumulateRolls(j.Plan, [][3]int32{{0, 31, 0}, bad})
		require.ErrorContains(t, err, "block 1, axis ", "%v", bad)
	}
}

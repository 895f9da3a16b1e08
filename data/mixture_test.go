package data

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// systems returns three systems of different size and batch.
func systems(t testing.TB) []System {
	var out []System
	for i, steps := range [][]int{{40, 31}, {9}, {20, 20, 20}} {
		w, err := NewWindows(count(t, steps...), Cut{Input: 6, Output: 1, MinStride: 1, MaxStride: 3})
		require.NoError(t, err)
		out = append(out, System{Name: string(rune('a' + i)), Windows: w, Batch: []int{2, 5, 1}[i]})
	}
	return out
}

func mixture(t testing.TB, o MixtureOptions) *Mixture {
	m, err := NewMixture(systems(t), o)
	require.NoError(t, err)
	return m
}

func drawAll(m *Mixture) (out []Draw) {
	for d, ok := m.Next(); ok; d, ok = m.Next() {
		out = append(out, d)
	}
	return out
}

// TestMixtureUniform: systems are drawn with equal frequency, or by weight.
func TestMixtureUniform(t *testing.T) {
	counts := [3]float64{}
	for _, d := range drawAll(mixture(t, MixtureOptions{Length: 6000})) {
		counts[d.System]++
		assert.Len(t, d.Spans, []int{2, 5, 1}[d.System])
	}
	chi := 0.0
	for _, n := range counts {
		chi += (n - 2000) * (n - 2000) / 2000
	}
	assert.Less(t, chi, 13.8, "two degrees of freedom, one in a thousand")

	list := systems(t)
	list[1].Weight = 6
	m, err := NewMixture(list, MixtureOptions{Length: 8000})
	require.NoError(t, err)
	heavy := 0
	for _, d := range drawAll(m) {
		if d.System == 1 {
			heavy++
		}
	}
	assert.InDelta(t, 6000, heavy, 150)
}

// TestMixturePasses: every window of a system is drawn once before any is repeated, also if
// a batch is larger than the system.
func TestMixturePasses(t *testing.T) {
	m := mixture(t, MixtureOptions{Length: 500})
	seen := [3]map[[2]int]int{{}, {}, {}}
	drawn := [3]int{}
	orders := [3][]int{}
	for _, d := range drawAll(m) {
		for _, s := range d.Spans {
			key := [2]int{s.Trajectory, s.Start}
			seen[d.System][key]++
			n := m.Systems()[d.System].Windows.Len()
			assert.Equal(t, drawn[d.System]/n+1, seen[d.System][key], "pass")
			drawn[d.System]++
			if d.System == 1 {
				orders[1] = append(orders[1], s.Start)
			}
		}
	}
	assert.Len(t, seen[0], 34+25)
	assert.Len(t, seen[1], 3, "fewer windows than a batch")
	assert.Len(t, seen[2], 42)
	first, differs := orders[1][:3], false
	for i := 3; i+3 <= len(orders[1]); i += 3 {
		differs = differs || !assert.ObjectsAreEqual(first, orders[1][i:i+3])
	}
	assert.True(t, differs, "passes have orders of their own")
}

// TestMixtureGroups: the members of a group draw the same system at each step and divide
// its windows among them; groups differ.
func TestMixtureGroups(t *testing.T) {
	a := drawAll(mixture(t, MixtureOptions{Member: 0, Members: 2, Length: 300}))
	b := drawAll(mixture(t, MixtureOptions{Member: 1, Members: 2, Length: 300}))
	other := drawAll(mixture(t, MixtureOptions{Group: 1, Member: 0, Members: 2, Length: 300}))
	differs := 0
	firstPass := map[[3]int]int{}
	for i := range a {
		assert.Equal(t, a[i].System, b[i].System)
		if a[i].System != other[i].System {
			differs++
		}
		for _, s := range append(a[i].Spans, b[i].Spans...) {
			firstPass[[3]int{a[i].System, s.Trajectory, s.Start}]++
		}
	}
	assert.Greater(t, differs, 100, "two thirds of the steps")
	for key, n := range firstPass {
		if key[0] == 0 { // 59 windows, about 400 drawn
			assert.InDelta(t, 400.0/59, n, 1.5)
		}
	}
}

// TestMixtureRestore: a mixture restored from JSON at any position continues the original
// stream.
func TestMixtureRestore(t *testing.T) {
	o := MixtureOptions{Seed: 3, Epoch: 2, Group: 1, Member: 1, Members: 3, Length: 120}
	all := drawAll(mixture(t, o))
	for _, at := range []int{0, 1, 17, 60, 119, 120} {
		m := mixture(t, o)
		for range at {
			m.Next()
		}
		text, err := json.Marshal(m.State())
		require.NoError(t, err)
		var s MixtureState
		require.NoError(t, json.Unmarshal(text, &s))
		fresh := mixture(t, MixtureOptions{Seed: 3, Epoch: 9, Group: 1, Member: 1, Members: 3, Length: 120})
		require.NoError(t, fresh.Restore(s))
		assert.Equal(t, append([]Draw(nil), all[at:]...), drawAll(fresh), "at %d", at)
	}
	m := mixture(t, o)
	m.SetEpoch(3)
	assert.NotEqual(t, all, drawAll(m), "epochs differ")
	m.SetEpoch(2)
	assert.Equal(t, all, drawAll(m), "and repeat")
	other := mixture(t, MixtureOptions{Seed: 4})
	assert.ErrorContains(t, other.Restore(m.State()), "belongs to another mixture")
	s := m.State()
	s.Step = 121
	assert.ErrorContains(t, m.Restore(s), "expected a step of at most 120, got 121")
}

func TestMixtureErrors(t *testing.T) {
	list := systems(t)
	for want, change := range map[string]func(s []System, o *MixtureOptions) []System{
		"expected at least one system":                     func([]System, *MixtureOptions) []System { return nil },
		`system "a" has no windows`:                        func(s []System, _ *MixtureOptions) []System { s[0].Windows = nil; return s },
		`system "b": expected a batch of 1 to 2^24, got 0`: func(s []System, _ *MixtureOptions) []System { s[1].Batch = 0; return s },
		`system "c": expected a positive weight, got -1`:   func(s []System, _ *MixtureOptions) []System { s[2].Weight = -1; return s },
		"expected a member below 2":                        func(s []System, o *MixtureOptions) []System { o.Members, o.Member = 2, 2; return s },
	} {
		var o MixtureOptions
		_, err := NewMixture(change(append([]System(nil), list...), &o), o)
		assert.ErrorContains(t, err, want)
	}
}

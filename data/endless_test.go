package data

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// endlessSet is an endless data set that records the announced trajectories.
type endlessSet struct {
	Dataset
	serving Serving
	ahead   []int
}

func (e *endlessSet) Serving() Serving { return e.serving }

func (e *endlessSet) Prefetch(t int) {
	if len(e.ahead) == 0 || e.ahead[len(e.ahead)-1] != t {
		e.ahead = append(e.ahead, t)
	}
}

// endless returns a mixture of two endless systems with an ordinary one between them.
func endless(t testing.TB, o MixtureOptions, windows, ahead int) (*Mixture, [3]*endlessSet) {
	var sets [3]*endlessSet
	list := systems(t)
	for i := range 3 {
		if i == 1 {
			continue
		}
		steps := make([]int, 1000)
		for k := range steps {
			steps[k] = 24
		}
		sets[i] = &endlessSet{Dataset: count(t, steps...), serving: Serving{Windows: windows, Ahead: ahead}}
		var err error
		list[i].Windows, err = NewWindows(sets[i], Cut{Input: 6, Output: 1, MinStride: 1, MaxStride: 3})
		require.NoError(t, err)
	}
	m, err := NewMixture(list, o)
	require.NoError(t, err)
	return m, sets
}

// epochs draws all micro-batches of the first n epochs.
func epochs(m *Mixture, n int) (out []Draw) {
	for e := range n {
		m.SetEpoch(uint64(e))
		out = append(out, drawAll(m)...)
	}
	return out
}

// TestEndlessOnce: over several epochs each trajectory serves its windows, all different,
// in successive micro-batches of its system, and is not used again.
func TestEndlessOnce(t *testing.T) {
	m, _ := endless(t, MixtureOptions{Length: 100}, 4, 0)
	uses := map[[2]int]int{}
	windows := map[[3]int]bool{}
	turns, turn := map[[2]int][]int{}, [3]int{}
	for _, d := range epochs(m, 5) {
		turn[d.System]++
		if d.System == 1 {
			continue
		}
		batch := map[int]bool{}
		for _, s := range d.Spans {
			key := [2]int{d.System, s.Trajectory}
			uses[key]++
			turns[key] = append(turns[key], turn[d.System])
			window := [3]int{d.System, s.Trajectory, s.Start}
			assert.False(t, windows[window], "window %v comes again", window)
			windows[window] = true
			assert.False(t, batch[s.Trajectory], "twice in a micro-batch")
			batch[s.Trajectory] = true
			assert.Less(t, s.Start+6*s.Stride, 24)
		}
	}
	short := 0
	for key, n := range uses {
		if n < 4 { // at the end
			short++
			continue
		}
		assert.Equal(t, 4, n, "%v", key)
		for i, at := range turns[key] {
			assert.Equal(t, turns[key][0]+i, at, "micro-batches of the system")
		}
	}
	assert.LessOrEqual(t, short, 3)
	assert.Greater(t, len(uses), 100)
}

// TestEndlessGroups: members of a group draw windows of different trajectories, and no two
// groups share a trajectory.
func TestEndlessGroups(t *testing.T) {
	owner := map[[2]int][2]int{}
	for group := range 3 {
		for member := range 2 {
			m, _ := endless(t, MixtureOptions{Length: 60, Group: uint64(group), Groups: 3, Member: member, Members: 2}, 3, 5)
			for _, d := range epochs(m, 2) {
				for _, s := range d.Spans {
					if d.System == 1 {
						continue
					}
					key, me := [2]int{d.System, s.Trajectory}, [2]int{group, member}
					if o, ok := owner[key]; ok {
						require.Equal(t, o, me, "trajectory %v", key)
					}
					owner[key] = me
				}
			}
		}
	}
}

// TestEndlessRestore: a mixture restored at any position continues the original sequence.
func TestEndlessRestore(t *testing.T) {
	o := MixtureOptions{Seed: 3, Group: 1, Groups: 2, Member: 1, Members: 3, Length: 40}
	m, _ := endless(t, o, 4, 7)
	all := epochs(m, 4)
	for _, at := range []int{0, 1, 39, 40, 57, 120, 159} {
		m, _ := endless(t, o, 4, 7)
		place := m.State()
		place.Epoch, place.Step = uint64(at/40), at%40
		require.NoError(t, m.Restore(place))
		require.Equal(t, place, m.State())
		require.Equal(t, all[at:at/40*40+40], drawAll(m), "at %d", at)
		require.Equal(t, 40, m.State().Step)
	}
	m, _ = endless(t, o, 3, 7)
	other, _ := endless(t, o, 4, 7)
	assert.ErrorContains(t, m.Restore(other.State()), "belongs to another mixture")
}

// TestEndlessAnnounced: trajectories are announced in the order of use, the given number of
// micro-batches ahead, also across the end of an epoch and after a restart.
func TestEndlessAnnounced(t *testing.T) {
	const ahead = 9
	m, _ := endless(t, MixtureOptions{Length: 50}, 2, 0)
	all, position := epochs(m, 3), 0
	m, sets := endless(t, MixtureOptions{Length: 50}, 2, ahead)
	check := func(steps int) {
		for range steps {
			_, ok := m.Next()
			require.True(t, ok)
			position++
			for i, set := range sets {
				if set == nil {
					continue
				}
				var want []int
				for _, d := range all[:position-1+ahead] {
					for _, s := range d.Spans {
						if d.System == i && (len(want) == 0 || want[len(want)-1] != s.Trajectory) {
							want = append(want, s.Trajectory)
						}
					}
				}
				require.Equal(t, want[max(0, len(want)-len(set.ahead)):], set.ahead, "system %d at %d", i, position)
			}
		}
	}
	check(50)
	m.SetEpoch(1)
	check(20)
	m, sets = endless(t, MixtureOptions{Length: 50}, 2, ahead)
	place := m.State()
	place.Epoch, place.Step = 1, 20
	require.NoError(t, m.Restore(place))
	check(30)
	for _, set := range sets {
		if set != nil {
			assert.NotEmpty(t, set.ahead)
		}
	}
}

// TestEndlessShort: a trajectory with fewer windows than it must serve repeats them.
func TestEndlessShort(t *testing.T) {
	set := &endlessSet{Dataset: count(t, 8, 8, 8, 8), serving: Serving{Windows: 5}}
	w, err := NewWindows(set, Cut{Input: 6, Output: 1})
	require.NoError(t, err)
	m, err := NewMixture([]System{{Name: "short", Windows: w, Batch: 6}}, MixtureOptions{Length: 30})
	require.NoError(t, err)
	seen := map[[2]int]bool{}
	for _, d := range drawAll(m) {
		for _, s := range d.Spans {
			seen[[2]int{s.Trajectory, s.Start}] = true
		}
	}
	assert.Len(t, seen, 8, "four trajectories of two windows")
}

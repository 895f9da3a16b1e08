package data

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// count returns a data set whose trajectories have the given lengths. The value of every
// point encodes trajectory and frame.
func count(t testing.TB, steps ...int) *Memory {
	var list []*Window
	for k, n := range steps {
		w := &Window{Name: "count", Fields: []Field{{Name: "u"}, {Name: "c", Constant: true}}, Grid: []int{2, 3},
			Boundaries: Boundaries{Both(Open), Both(Wall)}, Constants: make([]float32, 6)}
		energy := Scalar{Name: "energy"}
		for i := range n {
			frame := make([]float32, 6)
			for p := range frame {
				frame[p] = float32(1000*k + i)
			}
			w.Frames, w.Times = append(w.Frames, frame), append(w.Times, float32(i)/2)
			energy.Values = append(energy.Values, float32(-i))
		}
		w.Scalars = []Scalar{energy, {"Re", true, []float32{7}}}
		list = append(list, w)
	}
	m, err := NewMemory("count", list)
	require.NoError(t, err)
	return m
}

func TestMemory(t *testing.T) {
	m := count(t, 9, 12)
	var _ Dataset = m
	assert.Equal(t, []Trajectory{{"count", 0, 9}, {"count", 1, 12}}, m.Trajectories())
	w, err := m.Read(context.Background(), Span{1, 3, 4, 3}, nil)
	require.NoError(t, err)
	require.NoError(t, w.Validate())
	assert.Equal(t, []float32{1.5, 3.5, 5.5}, w.Times)
	assert.Equal(t, float32(1011), w.Frames[2][5])
	assert.Equal(t, []float32{-3, -7, -11}, w.Scalars[0].Values)
	first := &w.Frames[0][0]
	again, err := m.Read(context.Background(), Span{0, 0, 1, 2}, w)
	require.NoError(t, err)
	assert.Same(t, w, again)
	assert.Same(t, first, &again.Frames[0][0], "arrays are used again")
	require.NoError(t, again.Validate())
	for _, bad := range []Span{{2, 0, 1, 1}, {-1, 0, 1, 1}, {0, 9, 1, 1}, {0, 0, 4, 4}, {0, -1, 1, 1}, {0, 0, 0, 2}, {0, 0, 1, 0}} {
		_, err := m.Read(context.Background(), bad, nil)
		assert.ErrorContains(t, err, "data: data set count: ", "%+v", bad)
	}
	empty := plane()
	empty.Frames = nil
	_, err = NewMemory("count", []*Window{plane(), empty})
	assert.EqualError(t, err, "data: data set count: trajectory 1: window tank 7: expected at least one frame of history, got none")
	_, err = NewMemory("none", nil)
	assert.ErrorContains(t, err, "expected at least one trajectory")
	a, b := plane(), plane()
	b.Grid = []int{2, 3}
	_, err = NewMemory("mixed", []*Window{a, b})
	assert.ErrorContains(t, err, "trajectory 1: expected grid [3 2]")
}

func TestSubset(t *testing.T) {
	m := count(t, 5, 6, 7)
	s, err := Subset(m, []int{2, 0})
	require.NoError(t, err)
	assert.Equal(t, []Trajectory{{"count", 2, 7}, {"count", 0, 5}}, s.Trajectories())
	w, err := s.Read(context.Background(), Span{0, 1, 1, 1}, nil)
	require.NoError(t, err)
	assert.Equal(t, float32(2001), w.Frames[0][0])
	_, err = s.Read(context.Background(), Span{2, 0, 1, 1}, nil)
	assert.ErrorContains(t, err, "expected a trajectory below 2, got 2")
	_, err = Subset(m, []int{3})
	assert.ErrorContains(t, err, "expected trajectories below 3, got 3")
}

func TestSplitTrajectories(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 9, 10, 19, 20, 100, 1001} {
		train, valid, test := SplitTrajectories(n, 5)
		all := append(append(append([]int{}, train...), valid...), test...)
		assert.Len(t, all, n)
		seen := map[int]bool{}
		for _, i := range all {
			seen[i] = true
		}
		assert.Len(t, seen, n, "sets do not overlap")
		assert.Equal(t, len(valid), len(test))
		if n >= 3 {
			assert.Equal(t, max(n/10, 1), len(valid))
		}
		again, _, _ := SplitTrajectories(n, 5)
		assert.Equal(t, train, again)
	}
	a, _, _ := SplitTrajectories(100, 1)
	b, _, _ := SplitTrajectories(100, 2)
	assert.NotEqual(t, a, b)
}

// twoFiles is a data set of six trajectories in three files.
type twoFiles struct{ *Memory }

func (d twoFiles) Trajectories() []Trajectory {
	list := append([]Trajectory{}, d.Memory.Trajectories()...)
	for i := range list {
		list[i].File = string(rune('a' + i/2))
	}
	return list
}

func TestSplitFiles(t *testing.T) {
	ds := twoFiles{count(t, 3, 3, 3, 3, 3, 3)}
	train, valid, test := SplitFiles(ds, 1)
	for _, set := range [][]int{train, valid, test} {
		require.Len(t, set, 2)
		assert.Equal(t, set[0]+1, set[1], "the two of a file stay together")
		assert.Zero(t, set[0]%2)
	}
}

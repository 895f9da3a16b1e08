package layers

import (
	"fmt"
	"math"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
)

func TestSelectColumns(t *testing.T) {
	var jobs []job
	for axis := range 4 {
		for _, order := range [][]int{{0}, {3, 1}, {2, 0, 1, 3}, {1, 1, 3, 1, 0}} {
			name := fmt.Sprintf("axis %d %v", axis, order)
			dims := []int{3, 2, 5, 3}
			dims[axis] = 4
			w := normal(seeded(name), dims...)
			want := append([]int(nil), dims...)
			want[axis] = len(order)
			out := newArray(want...)
			each(want, func(i []int) {
				from := append([]int(nil), i...)
				from[axis] = order[i[axis]]
				out.set(w.at(from...), i...)
			})
			jobs = append(jobs, job{name: name, in: []array{w, indices(order...)}, want: []array{out},
				graph: func(in []*Node) []*Node { return []*Node{SelectColumns(in[0], in[1], axis)} }})
		}
	}
	runJobs(t, jobs...)
}

func TestSelectInput(t *testing.T) {
	var jobs []job
	for _, ids := range [][]int{{5, 2, 0, 1}, {3, 6, 4, 2, 0, 1}, {8, 3, 4, 5, 6, 7, 2, 0, 1}} {
		name := fmt.Sprint(ids)
		w := normal(seeded(name), 3, 9, 2, 1, 3)
		fields := len(ids) - 3
		want := newArray(3, len(ids), 2, 1, 3)
		each(want.dims, func(i []int) {
			v := w.at(i[0], ids[i[1]], i[2], i[3], i[4])
			if i[1] <= fields { // the fields and the bias correction
				v *= math.Sqrt(float64(9-3) / float64(fields))
			}
			want.set(v, i...)
		})
		jobs = append(jobs, job{name: name, in: []array{w, indices(ids...)}, want: []array{want},
			graph: func(in []*Node) []*Node { return []*Node{SelectInput(in[0], in[1])} }})
	}
	runJobs(t, jobs...)
}

func TestSelectGradients(t *testing.T) {
	ids := func(n *Node, v ...int32) *Node { return Const(n.Graph(), v) }
	rng := seeded("select gradients")
	checkGradients(t,
		gradCase{name: "repeated columns", keys: []string{"w"}, in: []array{normal(rng, 3, 4, 2)},
			graph: func(in []*Node) *Node { return SelectColumns(in[0], ids(in[0], 1, 3, 1), 1) }},
		gradCase{name: "input", keys: []string{"w"}, in: []array{normal(rng, 2, 6, 2, 1, 2)},
			graph: func(in []*Node) *Node { return SelectInput(in[0], ids(in[0], 5, 3, 2, 0, 1)) }})
}

func TestSelectRefuses(t *testing.T) {
	// The indices are float64 here; it is their shape that is wrong.
	requireRefused(t, func(in []*Node) *Node { return SelectColumns(in[0], in[1], 0) }, [][]int{{3, 4}, {2, 2}},
		"SelectColumns ids", "expected shape [-1]", "got [2 2]")
	requireRefused(t, func(in []*Node) *Node { return SelectInput(in[0], in[1]) }, [][]int{{3, 4, 2, 2, 2}, {3}},
		"expected at least one field and three flags", "got 3 ids")
}

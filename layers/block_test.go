package layers

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/stretchr/testify/require"
)

// naiveBlock computes Block of x [T, B, S, C] in loops.
func naiveBlock(b Block, w paramSet, x array, grid, roll [3]int, keepTime, keepSpace array) array {
	y := naiveTime(b.Time, w.sub("time_mixing."), x, keepTime)
	frames := y.reshape(x.dims[0]*x.dims[1], x.dims[2], x.dims[3])
	return naiveSpace(b.Space, w.sub("space_mixing."), frames, grid, roll, keepSpace).reshape(x.dims...)
}

func testBlock(channels, heads int) Block {
	return Block{Time: TimeAttention{Channels: channels, Heads: heads},
		Space: ParallelAttention{Channels: channels, Heads: heads, MLP: 6}}
}

func TestBlock(t *testing.T) {
	b := testBlock(16, 2)
	var jobs []job
	for _, c := range []struct {
		t, b       int
		grid, roll [3]int
	}{{1, 1, [3]int{1, 1, 1}, [3]int{}}, {3, 2, [3]int{2, 3, 1}, [3]int{1, 2, 0}}, {2, 1, [3]int{1, 2, 2}, [3]int{0, 1, 1}}} {
		name := fmt.Sprint(c)
		rng := seeded(name)
		w := randomParams(rng, func(v Vars) { b.Weights(v) })
		x := normal(rng, c.t, c.b, c.grid[0]*c.grid[1]*c.grid[2], 16)
		kt, ks := normal(rng, c.t), normal(rng, c.t*c.b)
		jobs = append(jobs, job{name: name, in: append([]array{x, kt, ks}, w.in...),
			want: []array{naiveBlock(b, w, x, c.grid, c.roll, kt, ks), naiveBlock(b, w, x, c.grid, [3]int{}, array{}, array{})},
			graph: func(in []*Node) []*Node {
				bw := b.Weights(w.vars(in[3:]))
				return []*Node{b.Apply(in[0], bw, c.grid, rollNode(in[0], c.roll), in[1], in[2]),
					b.Apply(in[0], bw, c.grid, nil, nil, nil)}
			}})
	}
	runSweep(t, jobs...)
}

func TestBlockGradients(t *testing.T) {
	b, grid := testBlock(8, 1), [3]int{2, 2, 1}
	w := randomParams(seeded("block gradients"), func(v Vars) { b.Weights(v) })
	checkGradients(t, gradCase{name: "block", keys: append([]string{"x"}, w.keys...),
		in:    append([]array{normal(seeded("x"), 3, 1, 4, 8)}, w.in...),
		graph: func(in []*Node) *Node { return b.Apply(in[0], b.Weights(w.vars(in[1:])), grid, nil, nil, nil) },
		zero:  []string{"time_mixing.knorm.bias"}})
}

// rollTokens rolls the tokens x [T, B, S, C] of a grid.
func rollTokens(x *Node, grid, by [3]int) *Node {
	d := x.Shape().Dimensions
	x = Reshape(x, d[0], d[1], grid[0], grid[1], grid[2], d[3])
	for a, n := range grid {
		if r := by[a] % n; r > 0 {
			x = Concatenate([]*Node{SliceAxis(x, 2+a, AxisRange(n-r)), SliceAxis(x, 2+a, AxisRange(0, n-r))}, 2+a)
		}
	}
	return Reshape(x, d...)
}

// TestBlockRolls runs three blocks in two ways: as the reference does, rolling the tokens
// before each block and all the way back at the end; and as the model does, with the sum of
// the rolls so far in each block's table of angles.
func TestBlockRolls(t *testing.T) {
	b := testBlock(16, 1)
	var jobs []job
	for _, grid := range [][3]int{{1, 4, 3}, {3, 2, 4}} {
		name := fmt.Sprint(grid)
		rng := seeded(name)
		var rolls [3][3]int
		for i := range rolls {
			for a := range 3 {
				rolls[i][a] = rng.IntN(grid[a])
			}
		}
		w := randomParams(rng, func(v Vars) { b.Weights(v) })
		w.get("space_mixing.rotary_emb.freqs").replace(wide(RoPEBase(16)))
		x := normal(rng, 2, 1, grid[0]*grid[1]*grid[2], 16)
		jobs = append(jobs, job{name: fmt.Sprintf("%v rolls %v", grid, rolls), in: append([]array{x}, w.in...),
			graph: func(in []*Node) []*Node {
				bw := b.Weights(w.vars(in[1:]))
				literal, table := in[0], in[0]
				var total, back [3]int
				for _, r := range rolls {
					for a, n := range grid {
						total[a] = (total[a] + r[a]) % n
						back[a] = n - total[a]
					}
					literal = b.Apply(rollTokens(literal, grid, r), bw, grid, nil, nil, nil)
					table = b.Apply(table, bw, grid, rollNode(in[0], total), nil, nil)
				}
				return []*Node{rollTokens(literal, grid, back), table}
			},
			check: func(t *testing.T, got []array) { requireClose(t, got[0], got[1], 2e-5) }})
	}
	runSweep(t, jobs...)
}

// TestBlockLooksBack changes one frame in a batch of two samples: earlier frames and the
// other sample must not change.
func TestBlockLooksBack(t *testing.T) {
	b, grid := testBlock(8, 1), [3]int{2, 2, 1}
	w := randomParams(seeded("block looks back"), func(v Vars) { b.Weights(v) })
	x := normal(seeded("x"), 5, 2, 4, 8)
	other := x.scaled(1)
	each([]int{4, 8}, func(i []int) { other.set(-2, 3, 1, i[0], i[1]) })
	runSweep(t, job{name: "block", in: append([]array{x, other}, w.in...),
		graph: func(in []*Node) []*Node {
			bw := b.Weights(w.vars(in[2:]))
			return []*Node{b.Apply(in[0], bw, grid, nil, nil, nil), b.Apply(in[1], bw, grid, nil, nil, nil)}
		},
		check: func(t *testing.T, got []array) {
			for step := range 5 {
				for sample := range 2 {
					at := (step*2 + sample) * 32
					before, after := got[0].data[at:at+32], got[1].data[at:at+32]
					if step >= 3 && sample == 1 {
						require.NotEqual(t, before, after, "step %d sample %d", step, sample)
					} else {
						require.Equal(t, before, after, "step %d sample %d", step, sample)
					}
				}
			}
		}})
}

// TestBlockNames compares the parameters with the release's: names, shapes, and space
// mixing before time mixing.
func TestBlockNames(t *testing.T) {
	const file = "released_state_dict_keys.json"
	// Another set of golden vectors may lack the file.
	if _, err := os.Stat(filepath.Join(golden.Dir(t), file)); err != nil && os.Getenv(golden.EnvDir) != "" {
		t.Skipf("%v", err)
	}
	var released []struct {
		Key   string `json:"key"`
		Shape []int  `json:"shape"`
	}
	golden.ReadJSON(t, file, &released)
	var want []string
	for _, p := range released {
		if key, ok := strings.CutPrefix(p.Key, "blocks.7."); ok {
			want = append(want, fmt.Sprint(key, p.Shape))
		}
	}
	b := Block{Time: TimeAttention{Channels: 1408, Heads: 16}, Space: ParallelAttention{Channels: 1408, Heads: 16}}
	var got []string
	for _, p := range paramsOf(func(v Vars) { b.Weights(v) }) {
		got = append(got, fmt.Sprint(p.key, p.dims))
	}
	require.ElementsMatch(t, want, got)
	require.True(t, slices.IsSortedFunc(got, func(a, b string) int {
		return strings.Compare(strings.SplitN(a, ".", 2)[0], strings.SplitN(b, ".", 2)[0])
	}), "space_mixing comes first: %q", got)
}

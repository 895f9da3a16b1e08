package distributed

import (
	"fmt"
	"testing"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/unfold"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// plane is a 2D batch of five channels, periodic by walls, as in the benchmarks.
func plane(n int) BatchShape {
	return BatchShape{Grid: []int{n, n}, Boundaries: data.Boundaries{data.Both(data.Periodic), data.Both(data.Wall)}, Steps: 6, Variable: 5}
}

func volume(n int) BatchShape {
	return BatchShape{Grid: []int{n, n, n}, Boundaries: data.Boundaries{data.Both(data.Periodic), data.Both(data.Wall), data.Both(data.Periodic)}, Steps: 3, Variable: 5}
}

// The released network has the parameters and bytes that docs/reference.md states.
func TestEstimateCountsTheReleasedNetwork(t *testing.T) {
	f, err := Estimate(walrus.Walrus(), Local(), plane(256))
	require.NoError(t, err)
	assert.Equal(t, int64(1_286_199_047), f.Params)
	assert.Equal(t, int64(5_144_797_948), f.Weights)
	assert.Equal(t, int64(87_592_384+87_589_702+1), f.Replicated)
	assert.Equal(t, 4*f.Params, f.Gradients)
	assert.Equal(t, 8*f.Params, f.Moments)
	assert.Zero(t, f.Gathered)
	assert.Equal(t, int64(33*32), int64(f.Tokens))
	assert.Equal(t, 4*(int64(256*256)*(7*5)+2*5+3+120+40*12), f.Inputs)
}

// Estimate counts the parameters that weights of the same sizes have.
func TestEstimateCountsEveryTensor(t *testing.T) {
	for _, c := range []walrus.Config{walrus.Tiny(), walrus.Micro(), walrus.HalfWalrus()} {
		params, err := c.Params()
		require.NoError(t, err)
		var want int64
		for _, p := range params {
			if !p.Init.Buffer {
				want += int64(p.Size())
			}
		}
		f, err := Estimate(c, Local(), plane(128))
		require.NoError(t, err)
		assert.Equal(t, want, f.Params, c.Name)
	}
}

// In a batch that trains alone the encoder and decoder of the other dimension have no
// gradients.
func TestEstimateAlone(t *testing.T) {
	b := plane(128)
	mixed, err := Estimate(walrus.Walrus(), Local(), b)
	require.NoError(t, err)
	b.Alone = true
	alone, err := Estimate(walrus.Walrus(), Local(), b)
	require.NoError(t, err)
	assert.Equal(t, mixed.Weights, alone.Weights)
	assert.Equal(t, int64(4*(87_592_384+87_589_702)/2), mixed.Gradients-alone.Gradients)
	assert.Equal(t, 2*alone.Gradients, alone.Moments)
}

// Shards divide the blocks and nothing else; groups divide nothing.
func TestEstimateShards(t *testing.T) {
	one, err := Estimate(walrus.Walrus(), Local(), plane(128))
	require.NoError(t, err)
	blocks := one.Params - one.Replicated
	for _, n := range []int{2, 4, 7, 96} {
		f, err := Estimate(walrus.Walrus(), FullyShard(n), plane(128))
		require.NoError(t, err)
		part := (blocks + int64(n) - 1) / int64(n)
		assert.Equal(t, 4*(one.Replicated+part), f.Gradients, "%d shards", n)
		assert.Equal(t, 2*f.Gradients, f.Moments)
		assert.Equal(t, int64(4*3*27_775_424), f.Gathered)
		assert.Equal(t, one.Activations, f.Activations, "each device has a batch of its own")
		groups, err := Estimate(walrus.Walrus(), Hybrid(3, n), plane(128))
		require.NoError(t, err)
		assert.Equal(t, f, groups)
	}
}

// The operations of the two networks that docs/reference.md §18 times, as counted for the
// reference.
func TestFLOPsOfKnownNetworks(t *testing.T) {
	for _, c := range []struct {
		hidden, blocks, heads, n int
		want                     float64
	}{{256, 4, 4, 128, 83.9e9}, {512, 8, 8, 256, 515e9}} {
		config := walrus.Walrus()
		config.Hidden, config.Intermediate, config.Blocks, config.Heads = c.hidden, c.hidden/4, c.blocks, c.heads
		f, err := Estimate(config, Local(), plane(c.n))
		require.NoError(t, err)
		assert.InEpsilon(t, c.want, f.Forward.Total(), 1e-3, "hidden %d", c.hidden)
	}
}

// FLOPs agree with a count by nested loops for a small 3D network.
func TestFLOPsAgainstLoops(t *testing.T) {
	c := walrus.Tiny()
	b := volume(64)
	b.Size, b.Constant = 2, 1
	f, err := Estimate(c, Local(), b)
	require.NoError(t, err)
	m, err := walrus.NewModel(c)
	require.NoError(t, err)
	plan, err := m.Plan(b.Grid, b.Boundaries)
	require.NoError(t, err)
	frames, s, w := 3*2, plan.Tokens(), c.Hidden
	var dense, space, time float64
	for range c.Blocks {
		for range frames {
			for range s {
				dense += float64(2 * w * (3*w + w))        // time: q k v, out
				dense += float64(2 * w * (4*w + 3*w))      // space: ff q k v
				dense += float64(2*w*w) + float64(2*w*2*w) // out, ff out
				space += 2 * 2 * float64(s*w)
				time += 2 * 2 * float64(b.Steps*w)
			}
		}
	}
	assert.InEpsilon(t, dense, f.Forward.Dense, 1e-12)
	assert.InEpsilon(t, space, f.Forward.Space, 1e-12)
	assert.InEpsilon(t, time, f.Forward.Time, 1e-12)
	middle := 1
	for _, a := range plan.Axes {
		middle *= a.Conv1
	}
	encoder := float64(2*frames) * float64(middle*c.Intermediate*(6+3)*512+s*w*c.Intermediate*64)
	assert.InEpsilon(t, encoder, f.Forward.Encoder, 1e-12)
	lean := 3*f.Forward.Total() + f.Forward.Space/2 + 1.5*f.Forward.Time
	assert.InEpsilon(t, lean, f.Step, 1e-12, "only the softmax is computed again")
	c.CheckpointEvery = 1
	again, err := Estimate(c, Local(), b)
	require.NoError(t, err)
	assert.InEpsilon(t, lean+f.Forward.Dense, again.Step, 1e-12)
}

// The last block of a network that is not causal computes the last step only.
func TestFLOPsAcausal(t *testing.T) {
	c := walrus.Tiny()
	causal, err := Estimate(c, Local(), plane(128))
	require.NoError(t, err)
	c.Causal = false
	last, err := Estimate(c, Local(), plane(128))
	require.NoError(t, err)
	assert.InEpsilon(t, causal.Forward.Decoder/6, last.Forward.Decoder, 1e-12)
	assert.InEpsilon(t, causal.Forward.Space*(1+1/6.)/2, last.Forward.Space, 1e-12)
	assert.InEpsilon(t, causal.Forward.Time*(1+1/6.)/2, last.Forward.Time, 1e-12)
	assert.Less(t, last.Forward.Dense, causal.Forward.Dense)
}

func TestSmallest(t *testing.T) {
	c := walrus.Walrus()
	b := plane(128)
	one, err := Estimate(c, Local(), b)
	require.NoError(t, err)
	mesh, f, err := Smallest(c, b, one.Total())
	require.NoError(t, err)
	assert.Equal(t, Local(), mesh)
	assert.Equal(t, one, f)
	mesh, f, err = Smallest(c, b, one.Total()-1)
	require.NoError(t, err)
	assert.Equal(t, FullyShard(2), mesh)
	assert.Less(t, f.Total(), one.Total())
	_, _, err = Smallest(c, b, 1e9)
	assert.ErrorContains(t, err, "expected at most 1.0 GB per device, got")
}

func TestShapeOf(t *testing.T) {
	e, ok := data.FindEntry("acoustic_scattering_maze")
	require.True(t, ok)
	b, err := ShapeOf(e)
	require.NoError(t, err)
	assert.Equal(t, BatchShape{Grid: []int{256, 256}, Boundaries: e.Boundaries, Steps: 6, Size: 2, Variable: 4, Constant: 2}, b)
	for _, e := range data.Catalog() {
		b, err := ShapeOf(e)
		require.NoError(t, err)
		f, err := Estimate(walrus.Walrus(), Hybrid(24, 4), b)
		require.NoError(t, err, e.Name)
		assert.Positive(t, f.Total())
		channels, err := e.Channels()
		require.NoError(t, err)
		assert.Equal(t, len(channels), b.Channels(), e.Name)
	}
}

func TestEstimateSaysWhatIsWrong(t *testing.T) {
	for want, change := range map[string]func(c *walrus.Config, m *Mesh, b *BatchShape){
		"at least 1 step":            func(c *walrus.Config, m *Mesh, b *BatchShape) { b.Steps = 0 },
		"got 6 steps, -1 windows":    func(c *walrus.Config, m *Mesh, b *BatchShape) { b.Size = -1 },
		"at least 1 group":           func(c *walrus.Config, m *Mesh, b *BatchShape) { m.Shards = -1 },
		"axis 1 has 3 points":        func(c *walrus.Config, m *Mesh, b *BatchShape) { b.Grid = []int{64, 3} },
		"heads: expected at least 1": func(c *walrus.Config, m *Mesh, b *BatchShape) { c.Heads = 0 },
	} {
		c, m, b := walrus.Tiny(), Local(), plane(128)
		change(&c, &m, &b)
		_, err := Estimate(c, m, b)
		assert.ErrorContains(t, err, want)
	}
}

// A decoder extends periodic axes by the neighbours whose kernels reach over the end.
func TestOverhang(t *testing.T) {
	for _, c := range []struct{ kernel, stride, want int }{{4, 4, 0}, {4, 2, 1}, {8, 4, 1}, {8, 6, 1}, {8, 2, 3}, {4, 1, 3}} {
		assert.Equal(t, c.want, unfold.Overhang(c.kernel, c.stride))
	}
	plan, err := csm.NewPlan([]int{128, 128}, data.Boundaries{data.Both(data.Periodic), data.Both(data.Wall)}, csm.Options{})
	require.NoError(t, err)
	g := convolutions(plan)
	assert.Equal(t, 34.0*33, g.wrappedTokens)
	assert.Equal(t, float64((plan.Axes[0].Conv1+6)*plan.Axes[1].Conv1), g.wrappedMiddle)
}

func ExampleEstimate() {
	f, err := Estimate(walrus.Walrus(), Hybrid(24, 4), BatchShape{
		Grid: []int{256, 256}, Boundaries: data.Boundaries{data.Both(data.Periodic), data.Both(data.Wall)},
		Steps: 6, Size: 2, Variable: 5,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d parameters, %.1f GB of weights, gradients and moments on each device, %.0f TFLOP per step\n",
		f.Params, float64(f.Weights+f.Gradients+f.Moments)/1e9, f.Step/1e12)
	// Output: 1286199047 parameters, 7.2 GB of weights, gradients and moments on each device, 110 TFLOP per step
}

// The example finds the smallest group of 80 GB devices that can train the paper's
// network.
func ExampleSmallest() {
	batch := BatchShape{
		Grid: []int{256, 256}, Boundaries: data.Boundaries{data.Both(data.Periodic), data.Both(data.Wall)},
		Steps: 6, Size: 2, Variable: 5,
	}
	mesh, f, err := Smallest(walrus.Walrus(), batch, 80e9)
	fmt.Println(mesh, f.Total() < 80e9, err)
	_, _, err = Smallest(walrus.Walrus(), batch, 1e9)
	fmt.Println(err != nil)
	// Output:
	// 1×1 true <nil>
	// true
}

// A forecast computes only the last frame where the network allows it; a network that
// is not causal always does.
func ExampleCountFLOPs() {
	c := walrus.Small()
	plan, err := csm.NewPlan([]int{128, 128}, data.Boundaries{data.Both(data.Periodic), data.Both(data.Wall)}, csm.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	shape := BatchShape{Grid: []int{128, 128}, Steps: 6, Variable: 5}
	training := CountFLOPs(c, plan, shape)
	c.Causal = false
	fmt.Println(CountFLOPs(c, plan, shape).Total() < training.Total())
	// Output: true
}

func ExampleShapeOf() {
	for _, e := range data.Catalog() {
		if e.Name == "shear_flow" {
			s, err := ShapeOf(e)
			fmt.Println(s.Grid, s.Steps, s.Size, s.Variable, err)
		}
	}
	// Output: [256 512] 6 2 5 <nil>
}

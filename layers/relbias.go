package layers

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// RelativeBuckets is the number of rows of the relative bias table.
const RelativeBuckets = 32

// maxDistance is the distance at which the logarithmic buckets end. The release's
// constructor has an argument for it, 128, that it ignores.
const maxDistance = 32

// Masked is the bias of a pair that must not attend. It is finite in place of −∞, so that
// the difference of two masked scores is defined.
const Masked = -1e30

// RelativeBucket returns the row of the bias table for rel, the position of the key minus
// the position of the query (T5, Raffel et al. 2020). If causal, past distances below 16
// have one row each, and larger ones share rows logarithmically up to distance 32.
// Otherwise each sign has 16 rows, exact below 8.
func RelativeBucket(rel int, causal bool) int {
	if causal {
		return bucket(max(-rel, 0), RelativeBuckets)
	}
	if rel > 0 {
		return RelativeBuckets/2 + bucket(rel, RelativeBuckets/2)
	}
	return bucket(-rel, RelativeBuckets/2)
}

func bucket(distance, buckets int) int {
	exact := buckets / 2
	if distance < exact {
		return distance
	}
	ratio := math.Log(float64(distance)/float64(exact)) / math.Log(float64(maxDistance)/float64(exact))
	return min(exact+int(ratio*float64(buckets-exact)), buckets-1)
}

// RelativeBias returns the bias of every pair of time steps, [N, T, T] indexed by head,
// query and key, from the table [32, N]. If causal, keys after the query get [Masked].
func RelativeBias(table *Node, steps int, causal bool) *Node {
	assertDims("relative bias table", table, RelativeBuckets, -1)
	bias := BucketBias(table, steps, func(rel int) int { return RelativeBucket(rel, causal) })
	mask := make([][]bool, steps)
	for q := range steps {
		mask[q] = make([]bool, steps)
		for k := range steps {
			mask[q][k] = causal && k > q
		}
	}
	blocked := BroadcastToDims(Reshape(Const(table.Graph(), mask), 1, steps, steps), bias.Shape().Dimensions...)
	return Where(blocked, FillScalar(table.Graph(), bias.Shape(), Masked), bias)
}

// BucketBias returns the bias of every pair of n positions, [N, n, n] indexed by head, query
// and key, from a table [rows, N]. bucket returns the row of the table for the position of
// the key minus the position of the query.
func BucketBias(table *Node, n int, bucket func(rel int) int) *Node {
	assertDims("bias table", table, -1, -1)
	rows := make([][]int32, n*n)
	for q := range n {
		for k := range n {
			rows[q*n+k] = []int32{int32(bucket(k - q))}
		}
	}
	bias := Reshape(Gather(table, Const(table.Graph(), rows)), n, n, -1)
	return TransposeAllDims(bias, 2, 0, 1)
}

// RelativeTableShape returns the shape of the bias table of N heads, [32, N].
func RelativeTableShape(dtype dtypes.DType, heads int) shapes.Shape {
	return shapes.Make(dtype, RelativeBuckets, heads)
}

func relativeTable(v Vars, heads int) *Node {
	return v.In("rel_pos_bias").In("relative_attention_bias").Var("weight", Init{Normal: 1}, RelativeBuckets, heads)
}

// RelativeBiasBuilder builds a RelativeBias with its table in a scope.
type RelativeBiasBuilder struct {
	scope        *model.Scope
	g            *Graph
	heads, steps int
	causal       bool
}

// NewRelativeBias returns a builder of the bias of T steps for N heads, causal by default.
func NewRelativeBias(scope *model.Scope, g *Graph, heads, steps int) *RelativeBiasBuilder {
	return &RelativeBiasBuilder{scope: scope, g: g, heads: heads, steps: steps, causal: true}
}

// Causal sets whether keys after the query are masked.
func (b *RelativeBiasBuilder) Causal(c bool) *RelativeBiasBuilder { b.causal = c; return b }

// Done returns the bias [N, T, T].
func (b *RelativeBiasBuilder) Done() *Node {
	return RelativeBias(relativeTable(ScopeVars(b.scope, b.g), b.heads), b.steps, b.causal)
}

package layers

import (
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/gowalrus/gowalrus/layers/internal/attend"
)

// SoftmaxAttention returns softmax(q·kᵀ + bias)·v for q, k, v [F, N, S, K] with F sequences
// of S positions, N heads and head width K. bias [1 or F, 1 or N, S, S] is indexed by query
// and key, or is nil. Scale q by 1/√K first for the usual attention.
func SoftmaxAttention(q, k, v, bias *Node) *Node {
	assertDims("SoftmaxAttention q", q, -1, -1, -1, -1)
	assertDims("SoftmaxAttention k", k, q.Shape().Dim(0), q.Shape().Dim(1), -1, q.Shape().Dim(3))
	assertDims("SoftmaxAttention v", v, q.Shape().Dim(0), q.Shape().Dim(1), k.Shape().Dim(2), -1)
	return attend.SoftmaxDot(q, k, v, bias)
}

// LayerNorm returns the layer norm of x [..., K] over its last axis,
//
//	y = (x − mean)/√(variance + 1e-5) · weight + bias
//
// with the biased variance and with weight and bias [K]. The network normalises queries and
// keys with it (QK-normalisation, paper §3.1).
func LayerNorm(x, weight, bias *Node) *Node { return headNorm(x, weight, bias) }

package poseidon

import . "github.com/gomlx/gomlx/core/graph"

// normalizedEps is added to the denominator of the normalised loss.
const normalizedEps = 1e-10

// Loss returns the training loss of predictions y and targets, both [B, C, H, W], as a
// scalar. With [Config.Groups] it is the normalised loss
//
//	mean over groups g of d(y_g, target_g) / (d(target_g, 0) + 1e-10)
//
// where d is the mean absolute difference (L1) or the mean square of the difference (L2)
// over samples, channels of the group and space. Without groups it is d(y, target).
func (c Config) Loss(y, target *Node) *Node {
	must(y.Shape().Equal(target.Shape()) && y.Rank() == 4, "loss: expected predictions and targets of equal shape [B, C, H, W], got %v and %v", y.Shape(), target.Shape())
	must(c.Distance == L1 || c.Distance == L2, "loss: expected L1 or L2, got %d", int(c.Distance))
	size := func(x *Node) *Node {
		if c.Distance == L1 {
			return meanOf(Abs(x))
		}
		return meanOf(Square(x))
	}
	if len(c.Groups) == 0 {
		return size(Sub(y, target))
	}
	var sum *Node
	for i, low := range c.Groups[:len(c.Groups)-1] {
		of := func(x *Node) *Node { return SliceAxis(x, 1, AxisRange(low, c.Groups[i+1])) }
		part := Div(size(Sub(of(y), of(target))), AddScalar(size(of(target)), normalizedEps))
		if sum == nil {
			sum = part
		} else {
			sum = Add(sum, part)
		}
	}
	return DivScalar(sum, float64(len(c.Groups)-1))
}

// meanOf returns the mean of all values as a scalar. It reduces axis by axis: one float32 sum
// over all points would lose two digits on large grids.
func meanOf(x *Node) *Node {
	for x.Rank() > 0 {
		x = ReduceMean(x, -1)
	}
	return x
}

package walrus

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// Stats are the statistics that normalise a batch: fields x become (x−Mean)/Std, and
// a predicted change y becomes y·DeltaStd + DeltaMean in physical units. All are
// [1, B or 1, C, 1…] and carry no gradient.
type Stats struct {
	Mean, Std, DeltaMean, DeltaStd *Node
}

// SampleStats computes the statistics of fields x [T, B, C, space…] over time and
// space (docs/reference.md §8), with the normalisation and the floor eps of the scaling:
//
//	RMS:      Std = max(sqrt(mean x²), eps), DeltaStd likewise of x[t+1]−x[t]
//	MeanStd:  mean and unbiased standard deviation of both, same floor
//
// The changes are those between successive frames of x. With a single frame DeltaStd
// is 1.
func SampleStats(x *Node, scaling Scaling) Stats {
	return sampleStats(StopGradient(x), scaling)
}

// sampleStats is SampleStats, but the statistics are differentiable functions of x.
func sampleStats(x *Node, scaling Scaling) Stats {
	kind, eps := scaling.Normalization, scaling.eps()
	var s Stats
	s.Mean, s.Std = moments(x, kind, eps)
	steps := x.Shape().Dim(0)
	if steps == 1 {
		s.DeltaMean, s.DeltaStd = ZerosLike(s.Mean), OnesLike(s.Std)
		return s
	}
	delta := Sub(SliceAxis(x, 0, AxisRange(1)), SliceAxis(x, 0, AxisRange(0, steps-1)))
	s.DeltaMean, s.DeltaStd = moments(delta, kind, eps)
	return s
}

// moments returns the mean and the standard deviation over time and space or, for RMS,
// zero and the root mean square.
func moments(x *Node, kind Normalization, eps float64) (mean, scale *Node) {
	count := float64(x.Shape().Dim(0))
	for a := 3; a < x.Rank(); a++ {
		count *= float64(x.Shape().Dim(a))
	}
	if kind == NormalizeRMS {
		ms := meanOver(Square(x))
		return ZerosLike(ms), flooredRoot(ms, eps)
	}
	mean = meanOver(x)
	variance := MulScalar(meanOver(Square(Sub(x, mean))), count/(count-1))
	return mean, flooredRoot(variance, eps)
}

// flooredRoot returns max(sqrt(x), eps). Its derivative is 0 below the floor, also at x = 0,
// where that of the square root is infinite.
func flooredRoot(x *Node, eps float64) *Node {
	return MaxScalar(Sqrt(MaxScalar(x, eps*eps)), eps)
}

// meanOver averages over time and space, one axis after the other, because short
// float32 sums lose less.
func meanOver(x *Node) *Node {
	for a := x.Rank() - 1; a >= 3; a-- {
		x = ReduceAndKeep(x, ReduceMean, a)
	}
	return ReduceAndKeep(x, ReduceMean, 0)
}

// Denormalize undoes Normalize for y, which may have only the first channels.
func (s Stats) Denormalize(y *Node) *Node {
	return Add(Mul(y, firstChannels(s.Std, y)), firstChannels(s.Mean, y))
}

// Normalize returns (x − Mean)/Std. x may have only the first channels.
func (s Stats) Normalize(x *Node) *Node {
	return Div(Sub(x, firstChannels(s.Mean, x)), firstChannels(s.Std, x))
}

// NormalizeDelta normalises changes. x may have only the first channels.
func (s Stats) NormalizeDelta(x *Node) *Node {
	return Div(Sub(x, firstChannels(s.DeltaMean, x)), firstChannels(s.DeltaStd, x))
}

// DenormalizeDelta converts predicted changes to physical units. y may have only the
// first channels.
func (s Stats) DenormalizeDelta(y *Node) *Node {
	return Add(Mul(y, firstChannels(s.DeltaStd, y)), firstChannels(s.DeltaMean, y))
}

// firstChannels slices a statistic to the number of channels of y.
func firstChannels(stat, y *Node) *Node {
	if c := y.Shape().Dim(2); stat.Shape().Dim(2) > c {
		return SliceAxis(stat, 2, AxisRange(0, c))
	}
	return stat
}

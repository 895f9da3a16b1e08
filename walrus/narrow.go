package walrus

import (
	"fmt"
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/dtypes/bfloat16"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"
)

// held is a tensor in the type in which it is held. scale [n] holds the scales of an int8
// tensor's output channels; it is nil for other types.
type held struct{ values, scale *tensors.Tensor }

func (h held) free() {
	for _, t := range []*tensors.Tensor{h.values, h.scale} {
		if t != nil {
			// The only possible error is a buffer that its backend has already freed.
			_ = t.FinalizeAll()
		}
	}
}

// held makes a tensor of a parameter's shape in the given precision. fill writes the
// float32 values, which pass through the host buffer if the precision is shorter.
func (s *stager) held(p Param, to Precision, fill func(dst []float32) error) (h held, err error) {
	axis, narrow := to.narrows(p)
	if !narrow {
		h.values, err = s.tensor(p, fill)
		return h, err
	}
	values := s.host(p.Size())
	if err := fill(values); err != nil {
		return h, err
	}
	if to == BFloat16 {
		h.values, err = stage(s, shapes.Make(dtypes.BFloat16, p.Dims...), func(dst []bfloat16.BFloat16) error {
			for i, v := range values {
				dst[i] = bfloat16.FromFloat32(v)
			}
			return nil
		})
		return h, err
	}
	scales := make([]float32, p.Dims[axis])
	if err := channelScales(scales, values, p.Dims, axis); err != nil {
		return h, err
	}
	h.values, err = stage(s, shapes.Make(dtypes.Int8, p.Dims...), func(dst []int8) error {
		quantize(dst, values, scales, p.Dims, axis)
		return nil
	})
	if err == nil {
		h.scale, err = stage(s, shapes.Make(dtypes.Float32, len(scales)), func(dst []float32) error { copy(dst, scales); return nil })
	}
	if err != nil {
		h.free()
		return held{}, err
	}
	return h, nil
}

// channelScales sets dst, which must be 0, to the largest magnitude of each channel along an
// axis, divided by 127.
func channelScales(dst, values []float32, dims []int, axis int) error {
	if err := checkFinite(values, dims); err != nil {
		return fmt.Errorf("int8: %w", err)
	}
	eachChannel(dims, axis, func(c, lo, hi int) {
		for _, v := range values[lo:hi] {
			dst[c] = max(dst[c], float32(math.Abs(float64(v))))
		}
	})
	for c := range dst {
		dst[c] /= 127
	}
	return nil
}

// quantize rounds values to multiples of the scales of their channels, ties to even. A
// scale of 0 gives 0.
func quantize(dst []int8, values, scales []float32, dims []int, axis int) {
	eachChannel(dims, axis, func(c, lo, hi int) {
		if scales[c] == 0 {
			clear(dst[lo:hi])
			return
		}
		inverse := 1 / float64(scales[c])
		for i := lo; i < hi; i++ {
			dst[i] = int8(min(max(math.RoundToEven(float64(values[i])*inverse), -127), 127))
		}
	})
}

// eachChannel calls visit with every contiguous range of values of a channel along an axis.
func eachChannel(dims []int, axis int, visit func(c, lo, hi int)) {
	outer, inner := 1, 1
	for i, n := range dims {
		switch {
		case i < axis:
			outer *= n
		case i > axis:
			inner *= n
		}
	}
	for o := range outer {
		for c := range dims[axis] {
			lo := (o*dims[axis] + c) * inner
			visit(c, lo, lo+inner)
		}
	}
}

// widened calls visit with the float32 values of a held tensor. visit must not keep them.
func (h held) widened(p Param, as Precision, visit func([]float32) error) error {
	axis, narrow := as.narrows(p)
	if !narrow {
		return withValues(h.values, visit)
	}
	out := make([]float32, p.Size())
	if as == BFloat16 {
		err := withValues(h.values, func(v []bfloat16.BFloat16) error {
			for i, x := range v {
				out[i] = x.Float32()
			}
			return nil
		})
		if err != nil {
			return err
		}
		return visit(out)
	}
	err := withValues(h.scale, func(scales []float32) error {
		return withValues(h.values, func(v []int8) error {
			eachChannel(p.Dims, axis, func(c, lo, hi int) {
				for i := lo; i < hi; i++ {
					out[i] = float32(v[i]) * scales[c]
				}
			})
			return nil
		})
	})
	if err != nil {
		return err
	}
	return visit(out)
}

// narrow returns a tensor of float32 weights in the given precision, on the stager's device.
func (s *stager) narrow(p Param, t *tensors.Tensor, to Precision) (held, error) {
	return s.held(p, to, func(dst []float32) error {
		return withValues(t, func(v []float32) error { copy(dst, v); return nil })
	})
}

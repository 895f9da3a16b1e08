// Package perturb changes the initial frames of the members of an ensemble
// ([walrus.EnsembleOptions.Perturbation]).
//
//	o := walrus.EnsembleOptions{Members: 16, Perturbation: perturb.Shaped(0.02)}
//	for frame, err := range em.Ensemble(ctx, window, 20, o) { … }
//
// A perturbation adds the same random field to all frames of the history, so that the changes
// between frames, from which the network learns how fast fields evolve, stay as they are. Its
// amplitude is relative to the standard deviation of each channel over the grid, averaged over
// the frames. Constant fields, solid points ([data.MaskName]) and channels that do not vary
// are not perturbed. Vector components are perturbed independently; package steer makes them
// free of divergence again.
package perturb

import (
	"fmt"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"slices"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/fft"
	"github.com/gowalrus/gowalrus/walrus"
)

// White adds independent normal noise at every point, with a standard deviation of amplitude
// times that of the channel. Without fields it perturbs all variable fields.
func White(amplitude float64, fields ...string) walrus.Perturbation {
	return perturbation("white", amplitude, fields, func(noise []float64, _ []float32, _ []int) {})
}

// Shaped adds noise with random phases whose power spectrum is proportional, mode by mode, to
// that of the channel in the last frame of the history, without its mean. The noise has a
// root mean square of amplitude times the standard deviation of the channel. Fields that are
// not periodic are treated as periodic; the jump at their ends adds short waves to the noise.
// Without fields it perturbs all variable fields.
func Shaped(amplitude float64, fields ...string) walrus.Perturbation {
	return perturbation("shaped", amplitude, fields, shape)
}

// shape gives white noise the spectrum of u, with a mean square of 1 over the grid.
func shape(noise []float64, u []float32, grid []int) {
	x, target := make([]complex128, len(noise)), make([]complex128, len(noise))
	for i, v := range noise {
		x[i], target[i] = complex(v, 0), complex(float64(u[i]), 0)
	}
	fft.Transform(x, grid)
	fft.Transform(target, grid)
	target[0] = 0
	power := 0.0
	for i, v := range target {
		power += real(v)*real(v) + imag(v)*imag(v)
		if a := cmplx.Abs(x[i]); a > 0 {
			x[i] *= complex(cmplx.Abs(v)/a, 0)
		}
	}
	fft.Invert(x, grid)
	scale := float64(len(noise)) / math.Sqrt(power)
	for i, v := range x {
		noise[i] = real(v) * scale
	}
}

// perturbation adds noise to the given fields. form changes white noise of one channel, given
// the channel's last frame.
func perturbation(name string, amplitude float64, fields []string, form func(noise []float64, u []float32, grid []int)) walrus.Perturbation {
	fields = slices.Clone(fields)
	return func(w *data.Window, rng *rand.Rand) ([][]float32, error) {
		if !(amplitude >= 0) || math.IsInf(amplitude, 0) {
			return nil, fmt.Errorf("perturb: %s: expected an amplitude of at least 0, got %v", name, amplitude)
		}
		if err := w.Validate(); err != nil {
			return nil, fmt.Errorf("perturb: %s: %w", name, err)
		}
		if rng == nil {
			return nil, fmt.Errorf("perturb: %s: expected a generator, got nil", name)
		}
		chosen, err := channels(w, fields)
		if err != nil {
			return nil, fmt.Errorf("perturb: %s: %w", name, err)
		}
		points, solid := w.Points(), solidPoints(w)
		out := make([][]float32, len(w.Frames))
		for t, f := range w.Frames {
			out[t] = slices.Clone(f)
		}
		for c, ok := range chosen {
			noise := make([]float64, points)
			for i := range noise { // also for other channels, so that noise does not depend on the choice
				noise[i] = rng.NormFloat64()
			}
			from, to := c*points, (c+1)*points
			size := amplitude * deviation(w.Frames, from, to)
			if !ok || size == 0 {
				continue
			}
			last := w.Frames[len(w.Frames)-1][from:to]
			if slices.ContainsFunc(last, func(v float32) bool { return v != last[0] }) {
				form(noise, last, w.Grid)
			}
			for _, f := range out {
				for i, v := range noise {
					if solid == nil || solid[i] == 0 {
						f[from+i] = float32(float64(f[from+i]) + size*v)
					}
				}
			}
		}
		return out, nil
	}
}

// channels reports which variable channels belong to the given fields; without fields, all.
func channels(w *data.Window, fields []string) ([]bool, error) {
	var out []bool
	var names []string
	for _, f := range w.Fields {
		if f.Constant {
			continue
		}
		names = append(names, f.Name)
		for range f.ComponentsOf(w.AxisNames()) {
			out = append(out, len(fields) == 0 || slices.Contains(fields, f.Name))
		}
	}
	for _, f := range fields {
		if !slices.Contains(names, f) {
			return nil, fmt.Errorf("expected fields among %v, got %q", names, f)
		}
	}
	return out, nil
}

// solidPoints returns the mask, or nil.
func solidPoints(w *data.Window) []float32 {
	i := slices.Index(w.Channels(true), data.MaskName)
	if i < 0 {
		return nil
	}
	return w.Constants[i*w.Points() : (i+1)*w.Points()]
}

// deviation returns the standard deviation of a channel over the grid, as the root of the mean
// variance over the frames.
func deviation(frames [][]float32, from, to int) float64 {
	sum, n := 0.0, float64(to-from)
	for _, f := range frames {
		mean := 0.0
		for _, v := range f[from:to] {
			mean += float64(v) / n
		}
		for _, v := range f[from:to] {
			sum += (float64(v) - mean) * (float64(v) - mean) / n / float64(len(frames))
		}
	}
	return math.Sqrt(sum)
}

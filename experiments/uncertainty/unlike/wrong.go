package main

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/gowalrus/gowalrus/data"
)

// wrong holds changes of windows that are mistakes of a user, and one that is not: other units.
var wrong = map[string]func(w *data.Window, rng *rand.Rand){
	"white noise in place of the values":       func(w *data.Window, rng *rand.Rand) { noise(w, rng, 1, 0) },
	"noise of 10 % added":                      func(w *data.Window, rng *rand.Rand) { noise(w, rng, 0.1, 1) },
	"frames in random order":                   shuffle,
	"one frame, repeated":                      func(w *data.Window, _ *rand.Rand) { each(w, func(t, c int, f []float32) { copy(f, channel(w, 0, c)) }) },
	"units 1000 times smaller (no mistake)":    func(w *data.Window, _ *rand.Rand) { affine(w, 1000, 0) },
	"an offset of 30 standard deviations":      func(w *data.Window, _ *rand.Rand) { affine(w, 1, 30) },
	"values in Fortran order":                  fortran,
	"first and last field exchanged":           exchange,
	"first field under the name of an unknown": func(w *data.Window, _ *rand.Rand) { w.Fields = slices.Clone(w.Fields); w.Fields[0].Name = "unknown" },
}

// clone copies the frames of a window.
func clone(w *data.Window) *data.Window {
	v := *w
	v.Frames = nil
	for _, f := range w.Frames {
		v.Frames = append(v.Frames, slices.Clone(f))
	}
	return &v
}

// channel returns the values of a channel in a frame.
func channel(w *data.Window, t, c int) []float32 { return w.Frames[t][c*w.Points() : (c+1)*w.Points()] }

// each calls f for every frame and channel.
func each(w *data.Window, f func(t, c int, values []float32)) {
	for t := range w.Frames {
		for c := range w.Channels(false) {
			f(t, c, channel(w, t, c))
		}
	}
}

// moments returns mean and standard deviation.
func moments(values []float32) (mean, deviation float64) {
	n := float64(len(values))
	for _, v := range values {
		mean += float64(v) / n
	}
	for _, v := range values {
		deviation += (float64(v) - mean) * (float64(v) - mean) / n
	}
	return mean, math.Sqrt(deviation)
}

// noise keeps a part of the variation of every channel and adds noise of the given size,
// relative to its standard deviation.
func noise(w *data.Window, rng *rand.Rand, size, keep float64) {
	each(w, func(_, _ int, values []float32) {
		mean, deviation := moments(values)
		for i, v := range values {
			values[i] = float32(mean + keep*(float64(v)-mean) + size*deviation*rng.NormFloat64())
		}
	})
}

// affine multiplies the values and adds an offset in standard deviations of the first frame.
func affine(w *data.Window, factor, offset float64) {
	for c := range w.Channels(false) {
		_, deviation := moments(channel(w, 0, c))
		for t := range w.Frames {
			for i, v := range channel(w, t, c) {
				channel(w, t, c)[i] = float32(factor * (float64(v) + offset*deviation))
			}
		}
	}
}

// shuffle changes the order of the frames such that no frame keeps its successor.
func shuffle(w *data.Window, _ *rand.Rand) {
	order := []int{1, 0, 2}
	if len(w.Frames) == 6 {
		order = []int{3, 0, 5, 2, 4, 1}
	}
	frames := slices.Clone(w.Frames)
	for t, from := range order {
		w.Frames[t] = frames[from]
	}
}

// fortran stores the values with the first axis fastest, as if the file had the other order.
func fortran(w *data.Window, _ *rand.Rand) {
	each(w, func(_, _ int, values []float32) {
		first := w.Grid[0]
		rest := len(values) / first
		from := slices.Clone(values)
		for i := range first {
			for j := range rest {
				values[j*first+i] = from[i*rest+j]
			}
		}
	})
}

// exchange exchanges the values of the first and the last channel.
func exchange(w *data.Window, _ *rand.Rand) {
	last := len(w.Channels(false)) - 1
	for t := range w.Frames {
		a, b := channel(w, t, 0), channel(w, t, last)
		for i := range a {
			a[i], b[i] = b[i], a[i]
		}
	}
}

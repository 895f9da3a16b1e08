package main

import (
	"context"
	"fmt"
	"math"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus/eval"
	"github.com/gowalrus/gowalrus/walrus/eval/report"
)

// patch is the distance of two tokens in points, on the grids of this experiment.
const patch = 4

// imprints collects spectra of the error of the last step.
type imprints struct {
	power map[string][]float64 // [forecaster] of waves along the first axis
	ratio map[string][]float64 // [forecaster] of every run and channel
}

func newImprints() *imprints {
	return &imprints{map[string][]float64{}, map[string][]float64{}}
}

// add forecasts from the first window of every run and adds the error of the last step.
func (im *imprints) add(ctx context.Context, ds data.Dataset, forecasters map[string]eval.Forecast) error {
	for i := range ds.Trajectories() {
		w, err := ds.Read(ctx, data.Span{Trajectory: i, Stride: 1, Frames: history + steps}, nil)
		if err != nil {
			return err
		}
		seen, err := w.Slice(0, history)
		if err != nil {
			return err
		}
		for name, f := range forecasters {
			frames, err := f(ctx, seen, steps)
			if err != nil {
				return err
			}
			im.error(name, frames[steps-1], w.Frames[history+steps-1], w.Grid)
		}
	}
	return nil
}

// error adds the spectra of all channels of one error, each relative to the variance of
// the truth.
func (im *imprints) error(name string, pred, ref []float32, grid []int) {
	points := grid[0] * grid[1]
	for c := 0; c+points <= len(ref); c += points {
		diff, truth := make([]float64, points), make([]float64, points)
		for i := range diff {
			diff[i], truth[i] = float64(pred[c+i])-float64(ref[c+i]), float64(ref[c+i])
		}
		scale := variance(truth)
		if scale == 0 {
			continue
		}
		n := grid[0]
		if im.power[name] == nil {
			im.power[name] = make([]float64, n/2)
		}
		for k := 1; k <= n/2; k++ {
			im.power[name][k-1] += (wave(diff, grid, k, 0) + wave(diff, grid, 0, k*grid[1]/n)) / 2 / scale
		}
		im.ratio[name] = append(im.ratio[name], imprint(diff, grid))
	}
}

// imprint returns the power of the waves that repeat with the patches, relative to
// their neighbours; 1 means that they do not stand out.
func imprint(diff []float64, grid []int) float64 {
	kx, ky := grid[0]/patch, grid[1]/patch
	at, around, n := 0.0, 0.0, 0.0
	for _, k := range [][2]int{{kx, 0}, {0, ky}, {kx, ky}} {
		at += wave(diff, grid, k[0], k[1])
		for dx := -1; dx <= 1; dx++ {
			for dy := -1; dy <= 1; dy++ {
				if dx != 0 || dy != 0 {
					around += wave(diff, grid, k[0]+dx, k[1]+dy)
					n++
				}
			}
		}
	}
	return at / 3 / (around / n)
}

// wave returns the power of one wave.
func wave(field []float64, grid []int, kx, ky int) float64 {
	re, im := 0.0, 0.0
	for i, v := range field {
		x, y := float64(i/grid[1])/float64(grid[0]), float64(i%grid[1])/float64(grid[1])
		sin, cos := math.Sincos(2 * math.Pi * (float64(kx)*x + float64(ky)*y))
		re, im = re+v*cos, im+v*sin
	}
	n := float64(len(field))
	return (re*re + im*im) / n / n
}

func variance(values []float64) float64 {
	mean, sum := eval.Mean(values), 0.0
	for _, v := range values {
		sum += (v - mean) * (v - mean)
	}
	return sum / float64(len(values))
}

// Ratio returns the median imprint of each forecaster.
func (im *imprints) Ratio() map[string]float64 {
	out := map[string]float64{}
	for name, values := range im.ratio {
		out[name] = eval.Median(values)
	}
	return out
}

// spectra returns the mean powers of waves along an axis for each forecaster.
func (im *imprints) spectra() map[string][]float64 {
	out := map[string][]float64{}
	for name, sums := range im.power {
		for _, v := range sums {
			out[name] = append(out[name], v/float64(len(im.ratio[name])))
		}
	}
	return out
}

// frequencies returns the frequencies of spectra, in waves per patch.
func (im *imprints) frequencies() []float64 {
	var out []float64
	for _, values := range im.power {
		for k := range values {
			out = append(out, float64(k+1)*patch/float64(2*len(values)))
		}
		break
	}
	return out
}

// join adds the spectra of other.
func (im *imprints) join(other *imprints) {
	for name, sums := range other.power {
		if im.power[name] == nil {
			im.power[name] = make([]float64, len(sums))
		}
		for k, v := range sums {
			im.power[name][k] += v
		}
		im.ratio[name] = append(im.ratio[name], other.ratio[name]...)
	}
}

// chart returns a chart of the spectra.
func (im *imprints) chart() report.Chart {
	c := report.Chart{Title: fmt.Sprintf("error after %d steps by wave number; patches repeat at 8", steps),
		XLabel: "waves across the box", YLabel: "power / variance of truth", LogY: true, Width: 720}
	all := im.spectra()
	for _, v := range variants {
		c.Lines = append(c.Lines, report.Line{Name: v.name, Values: all[v.name]})
	}
	return c
}

// Package fft computes Fourier transforms of fields on grids of several axes, in row-major
// order.
package fft

import "gonum.org/v1/gonum/dsp/fourier"

// Transform computes the discrete Fourier transform over all axes, in place.
func Transform(values []complex128, grid []int) {
	along(values, grid, func(f *fourier.CmplxFFT, line []complex128) { f.Coefficients(line, line) })
}

// Invert is the inverse of Transform, in place.
func Invert(values []complex128, grid []int) {
	along(values, grid, func(f *fourier.CmplxFFT, line []complex128) { f.Sequence(line, line) })
	n := complex(float64(len(values)), 0)
	for i := range values {
		values[i] /= n
	}
}

// Mode returns the number of waves along an axis of entry i of a transform, from
// −(n−1)/2 to n/2 for n points.
func Mode(i int, grid []int, axis int) int {
	for a := len(grid) - 1; a > axis; a-- {
		i /= grid[a]
	}
	n := grid[axis]
	m := i % n
	if m > n/2 {
		m -= n
	}
	return m
}

// along applies f to every line along every axis.
func along(values []complex128, grid []int, f func(*fourier.CmplxFFT, []complex128)) {
	stride := len(values)
	for _, n := range grid {
		stride /= n
		if n == 1 {
			continue
		}
		fft := fourier.NewCmplxFFT(n)
		line := make([]complex128, n)
		for start := range values {
			if start/stride%n != 0 {
				continue
			}
			for k := range line {
				line[k] = values[start+k*stride]
			}
			f(fft, line)
			for k, v := range line {
				values[start+k*stride] = v
			}
		}
	}
}

package eval

import (
	"fmt"
	"math"
	"slices"

	"github.com/gowalrus/gowalrus/internal/fft"
)

// Spectrum is the power of a field by wavelength. Bin i holds the waves with
// frequencies in [Edges[i], Edges[i+1]), in cycles per grid point; the last bin also
// holds all higher frequencies. The mean of the field, at frequency 0, is excluded.
type Spectrum struct {
	Edges, Power []float64
}

// SpectrumEdges returns the edges of n bins of equal width on a logarithmic axis, from
// one wave over the longest axis to one wave over two points. It returns nil without axes
// and for n that is not 1 to 2^24.
func SpectrumEdges(grid []int, n int) []float64 {
	if len(grid) == 0 || n < 1 || n > maxCount {
		return nil
	}
	low := math.Log(1 / float64(max(2, slices.Max(grid))))
	high := math.Log(0.5)
	edges := make([]float64, n+1)
	for i := range edges {
		edges[i] = math.Exp(low + (high-low)*float64(i)/float64(n))
	}
	edges[0], edges[n] = edges[0]*(1-1e-12), 0.5
	return edges
}

// PowerSpectrum returns the spectrum of a field on a grid, row major, with the bins of
// SpectrumEdges. The sum over the bins is the mean square of the field without its mean
// (Parseval). Fields that are not periodic are treated as periodic; the jump adds power
// at all frequencies, to forecast and truth alike.
func PowerSpectrum(field []float32, grid []int, bins int) (Spectrum, error) {
	points := 1
	for _, n := range grid {
		if n < 1 || n > max(len(field), 1)/points {
			points = 0
			break
		}
		points *= n
	}
	if len(grid) == 0 || points != len(field) || points < 2 || bins < 1 || bins > maxCount {
		return Spectrum{}, fmt.Errorf("eval: spectrum: expected 1 to %d bins and a field of grid %v, got %d and %d values", maxCount, grid, bins, len(field))
	}
	values := make([]complex128, points)
	for i, v := range field {
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return Spectrum{}, fmt.Errorf("eval: spectrum: value %d is %v", i, v)
		}
		values[i] = complex(float64(v), 0)
	}
	fft.Transform(values, grid)
	s := Spectrum{Edges: SpectrumEdges(grid, bins), Power: make([]float64, bins)}
	for i, v := range values[1:] {
		f := frequency(i+1, grid)
		bin := max(0, min(bins-1, sortedBefore(s.Edges, f)))
		s.Power[bin] += (real(v)*real(v) + imag(v)*imag(v)) / float64(points) / float64(points)
	}
	return s, nil
}

// sortedBefore returns the last edge that is not above f.
func sortedBefore(edges []float64, f float64) int {
	i, found := slices.BinarySearch(edges, f)
	if found {
		return i
	}
	return i - 1
}

// frequency returns the frequency of entry i of a transform, in cycles per point.
func frequency(i int, grid []int) float64 {
	sum := 0.0
	for a := len(grid) - 1; a >= 0; a-- {
		k := i % grid[a]
		i /= grid[a]
		k = min(k, grid[a]-k)
		sum += math.Pow(float64(k)/float64(grid[a]), 2)
	}
	return math.Sqrt(sum)
}

// SpectralError compares a forecast with the truth by wavelength. For each bin of
// PowerSpectrum it returns the square root of the power of the difference divided by
// that of the truth. 1 means that the forecast has none of these waves, NaN that the
// truth has none.
func SpectralError(pred, ref []float32, grid []int, bins int) ([]float64, error) {
	if len(pred) != len(ref) {
		return nil, fmt.Errorf("eval: spectral error: expected fields of one length, got %d and %d", len(pred), len(ref))
	}
	diff := make([]float32, len(ref))
	for i := range diff {
		diff[i] = pred[i] - ref[i]
	}
	d, err := PowerSpectrum(diff, grid, bins)
	if err != nil {
		return nil, err
	}
	r, err := PowerSpectrum(ref, grid, bins)
	if err != nil {
		return nil, err
	}
	out := make([]float64, bins)
	for i := range out {
		out[i] = math.Sqrt(d.Power[i] / r.Power[i])
		if r.Power[i] == 0 {
			out[i] = math.NaN()
		}
	}
	return out, nil
}

package hdf5

import (
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data/well/driver"
)

// TestBlocks compares random blocks of datasets of every layout with the same elements
// of the whole, from several goroutines at once.
func TestBlocks(t *testing.T) {
	for _, name := range []string{"layouts_earliest.h5", "layouts_latest.h5"} {
		f, err := Open(filepath.Join("testdata", name))
		require.NoError(t, err)
		t.Cleanup(func() { f.Close() })
		var group sync.WaitGroup
		for _, path := range []string{"/layouts/contiguous", "/layouts/compact", "/layouts/never_written", "/chunks/single_gzip",
			"/chunks/fixed_gzip", "/chunks/extensible_second", "/chunks/extensible_last", "/chunks/tree_gzip", "/chunks/extensible_fill", "/filters/all"} {
			group.Go(func() { compareBlocks(t, f, path) })
		}
		group.Wait()
	}
}

func compareBlocks(t *testing.T, f *File, path string) {
	d, err := f.Dataset(path)
	if !assert.NoError(t, err) {
		return
	}
	shape := d.Shape()
	zero := make([]int, len(shape))
	whole := make([]float32, product(shape))
	assert.NoError(t, d.Float32(whole, zero, shape))
	rng := rand.New(rand.NewPCG(1, uint64(len(path))))
	for range 40 {
		offset, count := make([]int, len(shape)), make([]int, len(shape))
		for i, n := range shape {
			offset[i] = rng.IntN(n)
			count[i] = rng.IntN(n - offset[i] + 1)
		}
		got, want := make([]float32, product(count)), make([]float32, product(count))
		assert.NoError(t, d.Float32(got, offset, count))
		if product(count) > 0 {
			_ = box{shape, offset, count, zero, count}.runs(func(from, to, n int) error {
				copy(want[to:to+n], whole[from:])
				return nil
			})
		}
		assert.Equal(t, want, got, "%s: %v at %v", path, count, offset)
	}
}

func TestReadErrors(t *testing.T) {
	f, err := Open(filepath.Join("testdata", "layouts_latest.h5"))
	require.NoError(t, err)
	defer f.Close()
	d, err := f.Dataset("/layouts/contiguous") // 5 × 7
	require.NoError(t, err)
	text, err := f.Dataset("/types/text")
	require.NoError(t, err)
	compound, err := f.Dataset("/types/compound")
	require.NoError(t, err)
	missing := func(_ any, err error) error { return err }
	for want, err := range map[string]error{
		"expected a block within shape [5 7], got [5 1] elements at [1 0]": d.Float32(make([]float32, 5), []int{1, 0}, []int{5, 1}),
		"expected an offset and a count for each axis of shape [5 7]":      d.Float32(nil, []int{1}, []int{5}),
		"expected room for 6 elements, got 5":                              d.Float32(make([]float32, 5), []int{0, 0}, []int{2, 3}),
		"got the type string":                                              text.Float32(make([]float32, 2), []int{0}, []int{2}),
		"got the type compound":                                            compound.Float64(make([]float64, 1), []int{0}, []int{1}),
		`not found: "/layouts" has no member "nothing"`:                    missing(f.Dataset("/layouts/nothing")),
		"not found: the object is not a dataset":                           missing(f.Dataset("/layouts")),
		"is not a group":                                                   missing(f.Children("/layouts/contiguous")),
		`attribute "nothing": not found`:                                   missing(f.Attribute("/", "nothing")),
	} {
		assert.ErrorContains(t, err, want)
		assert.ErrorContains(t, err, "layouts_latest.h5")
	}
	assert.ErrorIs(t, missing(f.Dataset("/nothing")), driver.ErrNotFound)
	_, err = Open("testdata")
	assert.ErrorContains(t, err, "expected a file, got a folder")
	_, err = Open("nothing.h5")
	assert.ErrorContains(t, err, "nothing.h5")
}

// BenchmarkWindow reads a field of seven frames at random places, as the loader
// does: chunked and compressed, and contiguous.
func BenchmarkWindow(b *testing.B) {
	root := filepath.Join("..", "..", "testdata", "data", "shear_flow", "data")
	for name, file := range map[string]string{
		"gzip":       filepath.Join(root, "train", "shear_flow_Reynolds_2000_Schmidt_0.5.hdf5"),
		"contiguous": filepath.Join(root, "test", "shear_flow_Reynolds_2000_Schmidt_0.5.hdf5"),
	} {
		b.Run(name, func(b *testing.B) {
			f, err := Open(file)
			require.NoError(b, err)
			defer f.Close()
			d, err := f.Dataset("/t1_fields/velocity")
			require.NoError(b, err)
			dst := make([]float32, 7*32*64*2)
			rng := rand.New(rand.NewPCG(1, 2))
			b.SetBytes(int64(4 * len(dst)))
			for b.Loop() {
				if err := d.Float32(dst, []int{rng.IntN(2), rng.IntN(23), 0, 0, 0}, []int{1, 7, 32, 64, 2}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

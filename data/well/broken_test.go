package well_test

import (
	"context"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well"
)

// TestBroken opens and reads every damaged file of testdata/data/broken. The README there
// describes the faults; the error must name the file and the fault within a second.
func TestBroken(t *testing.T) {
	want := map[string]string{
		"01_truncated_half":               "truncated: the superblock says that the file ends at byte 384764, it ends at 192382",
		"02_truncated_tail":               "truncated: the superblock says that the file ends at byte 384764, it ends at 384252",
		"03_no_t1_group":                  "the group /t1_fields is missing",
		"04_no_boundary_conditions":       "the group /boundary_conditions is missing",
		"05_no_dimensions":                "the group /dimensions is missing",
		"06_no_scalars":                   "the group /scalars is missing",
		"07_listed_field_absent":          `/t0_fields/B: not found: "/t0_fields" has no member "B"`,
		"08_wrong_dims":                   "/t0_fields/A: expected shape [2 12 32 32] ([trajectory time x y]), got [2 12 32 30]",
		"09_wrong_ntraj":                  "/t0_fields/A: expected shape [5 12 32 32] ([trajectory time x y]), got [2 12 32 32]",
		"10_time_longer_than_data":        "/t0_fields/A: expected shape [2 20 32 32] ([trajectory time x y]), got [2 12 32 32]",
		"11_nan_frames":                   "trajectory 1 frame 5 field A: A is NaN at [0 0]: expected finite values",
		"12_bc_mask_wrong_length":         "/boundary_conditions/x_periodic/mask: expected shape [32], the lengths of its axes, got [16]",
		"13_bc_conflict":                  "/boundary_conditions/x_wall: the x low end is wall here and periodic in /boundary_conditions/x_periodic",
		"14_bc_unknown_type":              `bc_type: expected PERIODIC, WALL or OPEN, got "SLIPPERY"`,
		"15_bc_half_periodic":             "axis x: boundary periodic/open: an axis is periodic at both ends or at none",
		"16_no_dataset_name":              `attribute "dataset_name": not found`,
		"17_no_bc_type_attr":              `attribute "bc_type": not found`,
		"18_no_varying_attrs":             `/t0_fields/A: attribute "sample_varying": not found`,
		"19_zero_time":                    "/dimensions/time: expected at least one frame, got none",
		"25_unknown_field_order":          "/t3_fields: fields of this tensor order are not supported",
		"26_t1_wrong_components":          "/t1_fields/grad_A: expected shape [2 12 32 32 2] ([trajectory time x y component]), got [2 12 32 32 3]",
		"27_chunk_flipped_bytes_gzip":     "/t0_fields/A: chunk [0 7 0 0]: filter number 1 (deflate): the stream is damaged",
		"28_chunk_flipped_bytes_fletcher": "/t0_fields/A: chunk [0 7 0 0]: filter number 3 (fletcher32): checksum",
		"30_flipped_header":               "object header at 0x60: expected version [1]",
		"31_empty_file":                   "not an HDF5 file: the signature is missing",
		"32_not_hdf5":                     "not an HDF5 file: the signature is missing",
		"33_signature_only":               "superblock: expected 1 more bytes, got 0",
		"34_spatial_dims_mismatch":        "n_spatial_dims: expected 1 to 3 and the number of the axes [x y], got 3",
		"35_missing_coordinate":           `/dimensions/y: not found`,
		"38_too_few_frames":               "38_too_few_frames.hdf5: trajectory 0 has 5 frames",
	}
	files, err := filepath.Glob(filepath.Join(dataDir(t), "broken", "*.hdf5"))
	require.NoError(t, err)
	legal := 0
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".hdf5")
		t.Run(name, func(t *testing.T) {
			begin := time.Now()
			err := readAll(path)
			assert.Less(t, time.Since(begin), time.Second)
			if want[name] == "" {
				legal++
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, want[name])
			assert.ErrorContains(t, err, path)
		})
	}
	assert.Equal(t, 9, legal, "00, 20 to 24, 29, 36 and 37 are legal")
	assert.Len(t, files, len(want)+9)
}

// readAll opens a file, checks all values and reads windows of 6+1 frames.
func readAll(path string) error {
	ds, err := well.Open(path, well.Options{})
	if err != nil {
		return err
	}
	defer ds.Close()
	if err := ds.Check(context.Background(), nil); err != nil {
		return err
	}
	_, err = data.NewWindows(ds, data.Cut{Input: 6, Output: 1})
	return err
}

// TestBrokenFrames: Check reports every frame that is not finite.
func TestBrokenFrames(t *testing.T) {
	ds, err := well.Open(filepath.Join(dataDir(t), "broken", "11_nan_frames.hdf5"), well.Options{})
	require.NoError(t, err)
	defer ds.Close()
	err = ds.Check(context.Background(), nil)
	assert.ErrorContains(t, err, "trajectory 1 frame 5 field A: A is NaN at [0 0]")
	assert.ErrorContains(t, err, "trajectory 0 frame 3 field B: B is +Inf at [")
	assert.Equal(t, 2, strings.Count(err.Error(), "expected finite values"))

	ds, err = well.Open(filepath.Join(dataDir(t), "broken", "11_nan_frames.hdf5"), well.Options{NonFinite: well.ReplaceNonFinite})
	require.NoError(t, err)
	defer ds.Close()
	w, err := ds.Read(context.Background(), data.Span{Trajectory: 1, Start: 5, Stride: 1, Frames: 1}, nil)
	require.NoError(t, err)
	require.NoError(t, w.Validate())
	assert.Zero(t, w.Frames[0][17])
}

// TestLegalVariants: files with other types, byte orders, filters and strings give the
// values of the original, up to the precision of their type.
func TestLegalVariants(t *testing.T) {
	ctx := context.Background()
	span := data.Span{Trajectory: 1, Start: 3, Stride: 2, Frames: 4}
	read := func(name string) (*well.Dataset, *data.Window) {
		ds, err := well.Open(filepath.Join(dataDir(t), "broken", name+".hdf5"), well.Options{})
		require.NoError(t, err)
		t.Cleanup(func() { ds.Close() })
		w, err := ds.Read(ctx, span, nil)
		require.NoError(t, err)
		require.NoError(t, w.Validate())
		return ds, w
	}
	good, want := read("00_good")
	assert.Equal(t, []data.Field{{Name: "A"}, {Name: "B"}, {Name: "grad_A", Order: 1}}, good.Metadata().Fields)
	for _, name := range []string{"20_dtype_float64", "22_big_endian_float32", "36_unsupported_filter", "37_fixed_length_strings"} {
		ds, got := read(name)
		assert.Equal(t, want.Frames, got.Frames, name)
		assert.Equal(t, good.Metadata(), ds.Metadata(), name)
	}
	_, half := read("23_float16")
	points := want.Points()
	for i, frame := range want.Frames {
		for k, v := range frame {
			// 11 significant bits, and steps of 2^-24 near zero.
			require.InDelta(t, v, half.Frames[i][k], math.Abs(float64(v))/2048+1.0/(1<<25))
		}
	}
	_, whole := read("21_dtype_int32")
	assert.Equal(t, want.Frames[0][points:], whole.Frames[0][points:], "only A is stored as integers")
	for _, v := range whole.Frames[0][:points] {
		assert.Equal(t, float32(int(v)), v)
	}
	ds, swapped := read("24_unlisted_and_reordered")
	assert.Equal(t, []data.Field{{Name: "B"}, {Name: "A"}, {Name: "grad_A", Order: 1}}, ds.Metadata().Fields)
	assert.Equal(t, want.Frames[2][:points], swapped.Frames[2][points:2*points])
	assert.Equal(t, want.Frames[2][points:2*points], swapped.Frames[2][:points])
}

// TestAllFaults: opening a folder of damaged files reports every one of them.
func TestAllFaults(t *testing.T) {
	_, err := well.Open(filepath.Join(dataDir(t), "broken"), well.Options{Include: []string{"/01_", "/03_", "/16_"}})
	for _, name := range []string{"01_truncated_half.hdf5", "03_no_t1_group.hdf5", "16_no_dataset_name.hdf5"} {
		assert.ErrorContains(t, err, name)
		assert.Equal(t, 1, strings.Count(err.Error(), name), "each once")
	}
}

func TestMixedResolution(t *testing.T) {
	_, err := well.Open(filepath.Join(dataDir(t), "broken", "39_mixed_resolution_dir"), well.Options{})
	require.ErrorContains(t, err, "b.hdf5: resolution: expected [32 32], as in ")
	assert.ErrorContains(t, err, "a.hdf5, got [16 32]")
}

// dataDir returns the folder of the small data sets, or the folder of the same layout that
// GOWALRUS_DATA names.
func dataDir(t testing.TB) string {
	if dir := os.Getenv("GOWALRUS_DATA"); dir != "" {
		return dir
	}
	return filepath.Join("..", "..", "testdata", "data")
}

// TestCloseWhileReading: reads end with their values or with an error that says that the
// data set is closed.
func TestCloseWhileReading(t *testing.T) {
	ds, err := well.Open(filepath.Join(dataDir(t), "shear_flow"), well.Options{Split: "test"})
	require.NoError(t, err)
	span := data.Span{Frames: 2, Stride: 1}
	_, err = ds.Read(t.Context(), span, nil)
	require.NoError(t, err)
	var started, work sync.WaitGroup
	for range 4 {
		started.Add(1)
		work.Go(func() {
			var once sync.Once
			for {
				_, err := ds.Read(context.Background(), span, nil)
				once.Do(started.Done)
				if err != nil {
					assert.ErrorIs(t, err, fs.ErrClosed)
					return
				}
			}
		})
	}
	started.Wait()
	assert.NoError(t, ds.Close())
	assert.NoError(t, ds.Close())
	work.Wait()
}

package experiment

import (
	"context"
	"errors"
	"flag"
	"image"
	"image/color"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/augment"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/solve"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/eval"
	"github.com/gowalrus/gowalrus/walrus/eval/picture"
	"github.com/gowalrus/gowalrus/walrus/train"
)

func TestFlags(t *testing.T) {
	var s Settings
	f := flag.NewFlagSet("x", flag.ContinueOnError)
	s.Flags(f, "x", 100, 4)
	require.NoError(t, f.Parse([]string{"-updates", "7"}))
	require.Equal(t, Settings{Out: "out/x", Updates: 7, Runs: 4, Seeds: []uint64{1}}, s)
	require.NoError(t, f.Parse([]string{"-seeds", "3, 5"}))
	require.Equal(t, []uint64{3, 5}, s.Seeds)
	for _, bad := range []string{"", "1,", "1,-2", "one"} {
		_, err := ParseSeeds(bad)
		require.ErrorContains(t, err, "expected whole numbers", bad)
	}
}

// roller forecasts n frames and then fails.
type roller struct{ n, calls int }

func (r *roller) Rollout(_ context.Context, _ *data.Window, steps int) iter.Seq2[walrus.Frame, error] {
	r.calls++
	return func(yield func(walrus.Frame, error) bool) {
		for i := range steps {
			if i == r.n {
				yield(walrus.Frame{}, errors.New("diverged"))
				return
			}
			if !yield(walrus.Frame{Step: i + 1, Values: make([]float32, 4)}, nil) {
				return
			}
		}
	}
}

// TestSurvive: a forecast that diverges after two steps ends in far-off frames, and is
// requested once.
func TestSurvive(t *testing.T) {
	r := &roller{n: 2}
	f := Remember(Survive(r))
	frames, err := f(context.Background(), &data.Window{}, 4)
	require.NoError(t, err)
	require.Len(t, frames, 4)
	require.Equal(t, []float32{0, 0, 0, 0}, frames[1])
	require.Equal(t, []float32{far, -far, far, -far}, frames[3])
	frames, err = f(context.Background(), &data.Window{}, 3)
	require.NoError(t, err)
	require.Len(t, frames, 3)
	require.Equal(t, 1, r.calls)
	_, err = f(context.Background(), &data.Window{Origin: data.Origin{Start: 1}}, 1)
	require.NoError(t, err)
	require.Equal(t, 2, r.calls)
	_, err = Survive(&roller{})(context.Background(), &data.Window{}, 3)
	require.ErrorContains(t, err, "diverged")
	ctx, stop := context.WithCancel(context.Background())
	stop()
	_, err = Survive(&roller{n: 2})(ctx, &data.Window{}, 3)
	require.ErrorContains(t, err, "diverged")
}

func TestCompare(t *testing.T) {
	require.Equal(t, Comparison{Better: 2, Of: 3, Improvement: 25}, Compare([]float64{1, 3, 6}, []float64{2, 4, 5}))
	require.Equal(t, []float64{2, 5}, Middle([][]float64{{1, 9}, {2, 5}, {3, 0}}))
}

// square is a drawing of one colour.
type square color.RGBA

func (s square) Image() (*image.RGBA, error) {
	img := image.NewRGBA(image.Rect(0, 0, 2, 2))
	for i := range 4 {
		img.SetRGBA(i/2, i%2, color.RGBA(s))
	}
	return img, nil
}

func TestSheet(t *testing.T) {
	red, blue, white := color.RGBA{255, 0, 0, 255}, color.RGBA{0, 0, 255, 255}, color.RGBA{255, 255, 255, 255}
	img, err := Sheet{Columns: 2, Drawings: []picture.Drawing{square(red), square(blue), square(blue)}}.Image()
	require.NoError(t, err)
	require.Equal(t, image.Pt(4, 4), img.Bounds().Size())
	for at, want := range map[image.Point]color.RGBA{{X: 1, Y: 1}: red, {X: 2, Y: 1}: blue, {X: 1, Y: 2}: blue, {X: 3, Y: 3}: white} {
		require.Equal(t, want, img.RGBAAt(at.X, at.Y), at)
	}
	_, err = Sheet{}.Image()
	require.Error(t, err)
}

// sets simulates two short runs of a system, one for training.
func sets(t *testing.T, dir string) Sets {
	t.Helper()
	s, err := SimulateAll(context.Background(), []string{"burgers"}, solve.Options{Out: dir, Train: 1, Test: 2, Grid: []int{8, 8}, Frames: 12, Seed: 1})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

// TestSimulate: a second call opens the existing data set, and an interrupted call
// leaves nothing that a later call would open.
func TestSimulate(t *testing.T) {
	dir := t.TempDir()
	s := sets(t, dir)
	require.Len(t, s[0].Learn.Trajectories(), 1)
	before, err := os.Stat(s[0].Dir)
	require.NoError(t, err)
	after, err := os.Stat(sets(t, dir)[0].Dir)
	require.NoError(t, err)
	require.Equal(t, before.ModTime(), after.ModTime())
	require.Equal(t, s, s.Named("burgers"))
	require.Empty(t, s.Named("water"))

	_, err = SimulateAll(context.Background(), []string{"water"}, solve.Options{Out: dir})
	require.ErrorContains(t, err, "water")
	ctx, stop := context.WithCancel(context.Background())
	stop()
	broken := filepath.Join(dir, "broken")
	_, err = SimulateAll(ctx, []string{"burgers"}, solve.Options{Out: broken, Train: 1, Test: 1})
	require.ErrorIs(t, err, context.Canceled)
	left, err := os.ReadDir(broken)
	require.NoError(t, err)
	require.Empty(t, left)
}

// TestScore: the scores of all horizons come from one forecast from the first frames of
// each run.
func TestScore(t *testing.T) {
	s := sets(t, t.TempDir())
	places := map[data.Origin]int{}
	spy := func(_ context.Context, w *data.Window, steps int) ([][]float32, error) {
		places[w.Origin]++
		return eval.Persistence(w.Frames, steps)
	}
	r, err := Score(context.Background(), s[0].Unseen, map[string]eval.Forecast{"spy": Remember(spy)}, 6, []eval.Horizon{{From: 3, To: 6}, {From: 1, To: 1}})
	require.NoError(t, err)
	require.Len(t, places, 2)
	for origin, calls := range places {
		require.Equal(t, 0, origin.Start)
		require.Equal(t, 1, calls)
	}
	require.Greater(t, r.Horizons[0].Scores["spy"].Median, r.Horizons[1].Scores["spy"].Median)
	_, err = Score(context.Background(), s[0].Unseen, eval.Baselines(), 6, []eval.Horizon{{From: 1, To: 7}})
	require.ErrorContains(t, err, "expected 2 runs of 13 frames")
}

// TestFit trains a network, loads it again without training, and finetunes it on a
// rotated data set.
func TestFit(t *testing.T) {
	ctx, b := context.Background(), testbackend.New(t)
	s := sets(t, t.TempDir())
	small := func(r map[string]any) { r["blocks"], r["intermediate"] = 1, 8 }
	first := Training{Recipe: Finetuning("", s[0], 10, 1), Dir: filepath.Join(t.TempDir(), "first")}
	small(first.Recipe.Network)
	var log strings.Builder
	first.Log = &log
	first.Recipe.Updates = 10
	for range 2 {
		em, err := first.Fit(ctx, b)
		require.NoError(t, err)
		require.Equal(t, 64, em.Model().Config().Hidden)
		em.Close()
	}
	lines, err := os.ReadFile(filepath.Join(first.Dir, train.LogFile))
	require.NoError(t, err)
	require.Equal(t, 100, strings.Count(string(lines), `"loss":`), "trained once")
	if log.Len() > 0 { // slower than ten seconds
		require.Contains(t, log.String(), "of 100 updates")
	}
	turn := augment.Rotation{Axes: [3]int{2, 0, 1}}
	more := Training{Recipe: Finetuning(first.Checkpoint(), s[0], 10, 1), Rotations: []augment.Rotation{turn}, Dir: filepath.Join(t.TempDir(), "more")}
	em, err := more.Fit(ctx, b)
	require.NoError(t, err)
	defer em.Close()
	require.Equal(t, walrus.RoPEPerAxis, em.Model().Config().RoPE)
	_, err = Training{Recipe: Finetuning("nothing", s[0], 10, 1), Dir: t.TempDir()}.Fit(ctx, b)
	require.ErrorContains(t, err, "nothing")
}

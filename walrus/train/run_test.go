package train

import (
	"bufio"
	"context"
	"encoding/json"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gowalrus/gowalrus/augment"
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/stretchr/testify/require"
)

// memory returns a data set of waves in memory.
func memory(t *testing.T, name string, grid []int, bcs data.Boundaries, frames ...int) *data.Memory {
	t.Helper()
	var list []*data.Window
	for _, n := range frames {
		list = append(list, waves(name, grid, bcs, n))
	}
	ds, err := data.NewMemory(name, list)
	require.NoError(t, err)
	return ds
}

// smallRun returns the options of a run of two systems, 2D and 3D, with all kinds of random
// draws: jitter, strides, rotations, drop path, field drop.
func smallRun(t *testing.T, dir string) RunOptions {
	walls := data.Boundaries{periodic, walled}
	return RunOptions{
		Dir: dir, Epochs: 2, Updates: 4, Accumulate: 2, SaveEvery: 3,
		Trainer:  Options{Backend: testbackend.New(t), Seed: 5, EMA: 0.9},
		Schedule: Schedule{Base: 1e-3, Warmup: 1, Cooldown: -1},
		Systems: []System{
			{Name: "plane", Train: memory(t, "plane", []int{16, 16}, walls, 6, 7), Valid: memory(t, "plane", []int{16, 16}, walls, 5),
				Batch: 2, Cut: data.Cut{Input: 2, MaxStride: 2}, Rotations: augment.InPlane(augment.Rotations())[:2]},
			{Name: "space", Train: memory(t, "space", []int{8, 8, 8}, data.Boundaries{walled, walled, periodic}, 4), Cut: data.Cut{Input: 2}},
		},
		Validation: Validation{Windows: 2, RolloutEvery: 2, RolloutSteps: 3},
	}
}

func smallWeights(t *testing.T) *walrus.Weights {
	c := smallConfig()
	c.Blocks, c.DropPath, c.FieldDrop = 2, 0.3, 0.5
	w, err := walrus.InitWeights(c, 1)
	require.NoError(t, err)
	t.Cleanup(w.Close)
	return w
}

// losses reads the loss of every update from the log of a run and checks that each update
// is logged once.
func losses(t *testing.T, dir string) []float64 {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, LogFile))
	require.NoError(t, err)
	defer f.Close()
	var out []float64
	for s := bufio.NewScanner(f); s.Scan(); {
		var line updateLine
		require.NoError(t, json.Unmarshal(s.Bytes(), &line))
		if line.Samples == 0 {
			continue // a validation
		}
		require.EqualValues(t, len(out)+1, line.Update)
		out = append(out, line.Loss)
	}
	return out
}

// onGo skips tests that start a training many times on backends on which that takes
// minutes.
func onGo(t *testing.T) {
	t.Helper()
	if name := testbackend.New(t).Name(); !strings.HasPrefix(name, "Go") {
		t.Skipf("compiles the same programs again and again, which takes minutes on %s", name)
	}
}

// TestRunResume: a run that is interrupted after every update has the same losses, weights
// and validation as a run without interruption.
func TestRunResume(t *testing.T) {
	onGo(t)
	whole := t.TempDir()
	w := smallWeights(t)
	o := smallRun(t, whole)
	var judged []Progress
	o.Observe = func(p Progress) {
		if p.Validation != nil {
			judged = append(judged, p)
		}
	}
	var counts [][2]int
	o.ObserveValidation = func(done, total int) { counts = append(counts, [2]int{done, total}) }
	r, err := NewRun(w, o)
	require.NoError(t, err)
	require.False(t, r.Resumed())
	require.NoError(t, r.Train(context.Background()))
	want, average := snapshot(t, w), snapshot(t, r.Trainer().averaged)
	seen := w.Coverage()
	require.Same(t, seen, r.Trainer().averaged.Coverage())
	require.Equal(t, int64(2*16), seen.Dims[2].Windows+2*seen.Dims[3].Windows, "16 micro-batches: two windows in 2D, one in 3D: %v", seen)
	require.NoError(t, r.Close())
	require.Len(t, losses(t, whole), 8)
	require.Len(t, judged, 2)
	require.Contains(t, judged[1].Validation["plane"], "1:3")
	// The first validation forecasts two frames, the second these and a rollout of three
	// steps.
	require.Equal(t, [][2]int{{0, 2}, {1, 2}, {2, 2}, {0, 5}, {1, 5}, {2, 5}, {3, 5}, {4, 5}, {5, 5}}, slices.Compact(counts))

	parts := t.TempDir()
	for stops := 0; ; stops++ {
		require.Less(t, stops, 20)
		o := smallRun(t, parts)
		ctx, cancel := context.WithCancel(context.Background())
		o.Observe = func(p Progress) {
			if p.Validation == nil {
				cancel()
			} else {
				require.Equal(t, judged[p.Epoch].Validation, p.Validation)
			}
		}
		fresh := smallWeights(t)
		r, err := NewRun(fresh, o)
		require.NoError(t, err)
		require.Equal(t, stops > 0, r.Resumed())
		err = r.Train(ctx)
		cancel()
		if err == nil {
			require.Equal(t, want, snapshot(t, fresh))
			require.Equal(t, average, snapshot(t, r.Trainer().averaged))
			require.Equal(t, seen, fresh.Coverage())
			require.NoError(t, r.Close())
			break
		}
		require.ErrorIs(t, err, ErrInterrupted)
		require.NoError(t, r.Close())
	}
	require.Equal(t, losses(t, whole), losses(t, parts))

	m, err := walrus.OpenCheckpoint(filepath.Join(whole, LastCheckpoint))
	require.NoError(t, err)
	require.Equal(t, seen, m.Coverage)
	best, err := walrus.Load(filepath.Join(whole, BestCheckpoint), walrus.EmulatorOptions{Backend: testbackend.New(t)})
	require.NoError(t, err)
	best.Close()
}

// TestRunOtherData: a run does not resume from the folder of a run on other data, and with
// other settings only if that is allowed.
func TestRunOtherData(t *testing.T) {
	dir := t.TempDir()
	o := smallRun(t, dir)
	o.Epochs, o.Updates = 1, 1
	r, err := NewRun(smallWeights(t), o)
	require.NoError(t, err)
	require.NoError(t, r.Train(context.Background()))
	_, err = NewRun(smallWeights(t), o)
	require.ErrorContains(t, err, "another run is writing to it")
	require.NoError(t, r.Close())
	resume := func(change func(o *RunOptions)) error {
		o := o
		o.Systems = slices.Clone(o.Systems)
		change(&o)
		r, err := NewRun(smallWeights(t), o)
		if err == nil {
			require.NoError(t, r.Close())
		}
		return err
	}
	for want, change := range map[string]func(o *RunOptions){
		"system plane.Batch: was 2, is 1":           func(o *RunOptions) { o.Systems[0].Batch = 1 },
		"schedule.Base: was 0.001, is 0.002":        func(o *RunOptions) { o.Schedule.Base = 2e-3 },
		"optimizer.WeightDecay: was 0.0001, is 0.5": func(o *RunOptions) { o.Trainer.AdamW.WeightDecay = 0.5 },
		"epochs: was 1, is 2":                       func(o *RunOptions) { o.Epochs = 2 },
		"system other.Batch: was not set, is 2":     func(o *RunOptions) { o.Systems[0].Name = "other" },
		"seed: was 5, is 6":                         func(o *RunOptions) { o.Trainer.Seed = 6 },
	} {
		err := resume(change)
		var changed *ChangedError
		require.ErrorAs(t, err, &changed, want)
		require.Contains(t, changed.Changes, want)
		require.ErrorContains(t, err, "train: resuming from ")
	}
	require.NoError(t, resume(func(*RunOptions) {}))
	var log strings.Builder
	require.NoError(t, resume(func(o *RunOptions) {
		o.Schedule.Base, o.AllowChanges, o.Trainer.Log = 2e-3, true, slog.New(slog.NewTextHandler(&log, nil))
	}))
	require.Contains(t, log.String(), "schedule.Base: was 0.001, is 0.002")
	require.ErrorContains(t, resume(func(o *RunOptions) { o.Systems[0].Batch, o.AllowChanges = 1, true }), "belongs to another mixture")
}

// TestRunNotFinite: a field that overflows ends the run with an error that names window and
// field, and the checkpoint does not change.
func TestRunNotFinite(t *testing.T) {
	dir := t.TempDir()
	o := smallRun(t, dir)
	o.Systems = o.Systems[:1]
	o.SaveEvery = 1
	bad := waves("bad", []int{16, 16}, data.Boundaries{periodic, walled}, 7)
	for i := range bad.Frames[3][256:512] {
		bad.Frames[3][256+i] = math.MaxFloat32
	}
	ds, err := data.NewMemory("bad", []*data.Window{bad})
	require.NoError(t, err)
	o.Systems[0].Train = ds
	o.Systems[0].Rotations = nil
	r, err := NewRun(smallWeights(t), o)
	require.NoError(t, err)
	defer r.Close()
	err = r.Train(context.Background())
	require.Error(t, err)
	var where *NonFiniteError
	require.ErrorAs(t, err, &where)
	require.Contains(t, where.Fields, "velocity_x")
	require.NotContains(t, where.Fields, "density")
	require.ErrorContains(t, err, "train: update")
	require.ErrorContains(t, err, "window bad")

	o.Dir, o.Trainer.SkipNonFinite, o.Accumulate = t.TempDir(), true, 1
	r, err = NewRun(smallWeights(t), o)
	require.NoError(t, err)
	defer r.Close()
	require.NoError(t, r.Train(context.Background()))
	require.Less(t, r.Updates(), int64(o.Epochs*o.Updates), "updates of bad windows alone are left out")
	log, err := os.ReadFile(filepath.Join(o.Dir, LogFile))
	require.NoError(t, err)
	require.EqualValues(t, r.Updates(), strings.Count(string(log), `"loss"`), "one line for each update that was made:\n%s", log)
}

func TestRunErrors(t *testing.T) {
	for want, change := range map[string]func(*RunOptions){
		"expected at least one system":                                 func(o *RunOptions) { o.Systems = nil },
		"expected a folder":                                            func(o *RunOptions) { o.Dir = "" },
		"expected a data set to train on":                              func(o *RunOptions) { o.Systems[0].Train = nil },
		"expected 1 frames to forecast (1 and the pushforward), got 3": func(o *RunOptions) { o.Systems[0].Cut.Output = 3 },
		"expected positive numbers":                                    func(o *RunOptions) { o.Updates = -1 },
		"expected warm-up and cooldown":                                func(o *RunOptions) { o.Schedule.Warmup = 7 },
		"expected at least 23 for windows":                             func(o *RunOptions) { o.Systems[0].Cut.Input = 22 },
		"pattern \"nothing.*\" matches none of the network's":          func(o *RunOptions) { o.Trainer.Freeze = []string{"nothing.*"} },
		"expected a decay between 0 and 1":                             func(o *RunOptions) { o.Trainer.EMA = 2 },
	} {
		t.Run(want, func(t *testing.T) {
			o := smallRun(t, t.TempDir())
			change(&o)
			_, err := NewRun(smallWeights(t), o)
			require.ErrorContains(t, err, want)
		})
	}
}

// TestFreeze: frozen tensors do not change, not even by weight decay, and Trainable does not
// count them as trained.
func TestFreeze(t *testing.T) {
	tr := newTrainer(t, Options{Freeze: []string{"blocks.*", "encoder_dummy"}})
	before := snapshot(t, tr.weights)
	trained, all := tr.Trainable()
	require.Less(t, trained, all)
	for range 2 {
		_, err := tr.Step(still(plane()), 1e-2)
		require.NoError(t, err)
	}
	same := 0
	for key, values := range snapshot(t, tr.weights) {
		if tr.frozen[key] {
			require.Equal(t, before[key], values, key)
			same++
		}
	}
	require.Positive(t, same)
	require.NotEqual(t, before["embed.2.proj1.weight"], snapshot(t, tr.weights)["embed.2.proj1.weight"])
	all2 := newTrainer(t, Options{Freeze: []string{"*"}})
	_, err := all2.Step(still(plane()), 1e-2)
	require.ErrorContains(t, err, "got only frozen ones")
}

// TestAverage compares the average of one parameter with a loop.
func TestAverage(t *testing.T) {
	tr := newTrainer(t, Options{EMA: 0.75})
	const key = "blocks.0.space_mixing.norm1.weight"
	params := tr.weights.Params()
	name := key
	if _, ok := tr.weights.Tensor(key); !ok {
		name = params[len(params)-1].Key
	}
	want := snapshot(t, tr.weights)[name]
	for range 3 {
		_, err := tr.Step(still(plane()), 1e-2)
		require.NoError(t, err)
		now := snapshot(t, tr.weights)[name]
		for i := range want {
			want[i] = 0.75*want[i] + 0.25*now[i]
		}
		require.InDeltaSlice(t, want, snapshot(t, tr.averaged)[name], 1e-6)
	}
	require.EqualValues(t, 3, tr.Updates())
}

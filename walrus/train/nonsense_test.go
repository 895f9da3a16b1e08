package train_test

import (
	"testing"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/sweep"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// TestNonsense: no function panics on bad input.
func TestNonsense(t *testing.T) {
	c := walrus.Micro()
	c.Tokens, c.Registry = [3]int{4, 4, 2}, data.MustRegistry("density")
	w, err := walrus.InitWeights(c, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	plane := &data.Window{Name: "plane", Fields: []data.Field{{Name: "density"}}, Grid: []int{8, 8},
		Boundaries: data.Boundaries{data.Both(data.Wall), data.Both(data.Periodic)}}
	for t := range 4 {
		frame := make([]float32, 64)
		for i := range frame {
			frame[i] = float32(i*(t+1)%13) + 1
		}
		plane.Frames = append(plane.Frames, frame)
	}
	set, err := data.NewMemory("planes", []*data.Window{plane, plane})
	if err != nil {
		t.Fatal(err)
	}
	o := train.Options{Backend: testbackend.New(t)}
	trainer, err := train.New(w, o)
	if err != nil {
		t.Fatal(err)
	}
	defer trainer.Close()
	runs := train.RunOptions{Trainer: o, Dir: t.TempDir(), Epochs: 30, Updates: 1,
		Systems:  []train.System{{Name: "planes", Train: set, Batch: 1, Cut: data.Cut{Input: 2, Output: 1}}},
		Schedule: train.Schedule{Kind: train.Constant, Base: 1e-4}}
	run, err := train.NewRun(w, runs)
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	sweep.Run(t, sweep.Package{
		Funcs: []any{train.ApplyAdapters, train.DefaultTargets, train.New, train.NewFor, train.NewRun, train.NewRunFor, train.RunCheckpoint},
		Types: []any{new(train.ChangedError), new(train.AdamW), new(train.Batch), new(train.GroupError), new(train.NonFiniteError), new(train.Objective), new(train.ResumeError),
			new(train.Schedule), new(train.ScheduleKind)},
		Made: []any{(*train.Run)(nil), (*train.Trainer)(nil)},
		Values: []any{c, w, o, trainer, plane, set, &train.Batch{Windows: []*data.Window{plane, plane}},
			runs, run},
		Exempt: map[string]string{
			"Trainer.Close": "the other methods need the tensors",
			"Run.Close":     "the other methods need the tensors",
		},
		Calls: 30,
	})
}

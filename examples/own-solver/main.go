// Command own-solver finetunes walrus-nano on the frames of a solver of its own, which never
// become files: from Go slices to windows, a training, an evaluation and a page with an
// animation.
//
//	GOEXPERIMENT=simd go run ./examples/own-solver -epochs 10 -updates 100
//
// The solver integrates the complex Ginzburg–Landau equation, whose spirals the weights do
// not know. Without flags the training is too short to learn much.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/eval"
	"github.com/gowalrus/gowalrus/walrus/eval/report"
	"github.com/gowalrus/gowalrus/walrus/nano"
	"github.com/gowalrus/gowalrus/walrus/recipe"
	"github.com/gowalrus/gowalrus/walrus/train"
)

const side, frames, history, forecast = 16, 16, 6, 5

func main() {
	epochs := flag.Int("epochs", 1, "epochs")
	updates := flag.Int("updates", 4, "updates of an epoch")
	dir := flag.String("out", "out/own-solver", "folder of the run and the page")
	flag.Parse()
	if err := run(context.Background(), *dir, *epochs, *updates, os.Stdout); err != nil {
		log.Fatal("own-solver: ", err)
	}
}

// run trains, evaluates and writes the page.
func run(ctx context.Context, dir string, epochs, updates int, out io.Writer) error {
	training, err := data.NewMemory("spirals", simulations(8, 1))
	if err != nil {
		return err
	}
	validation, err := data.NewMemory("spirals", simulations(2, 2))
	if err != nil {
		return err
	}
	if err := finetune(ctx, dir, training, validation, epochs, updates); err != nil {
		return err
	}
	return evaluate(ctx, dir, validation, out)
}

// finetune trains walrus-nano on data in memory. The fields join the weights.
func finetune(ctx context.Context, dir string, training, validation data.Dataset, epochs, updates int) error {
	r := recipe.Finetuning(nano.Name, "")
	r.Data = []recipe.Data{{TrainSet: training, ValidSet: validation}}
	r.Updates = updates
	r.SetEpochs(epochs)
	opened, err := r.Open()
	if err != nil {
		return err
	}
	defer opened.Close()
	if opened.Options.Trainer.Backend, err = backend.Pick(false); err != nil {
		return err
	}
	opened.Options.Dir = dir
	started, err := train.NewRun(opened.Weights, opened.Options)
	if err != nil {
		return err
	}
	defer started.Close()
	return started.Train(ctx)
}

// evaluate scores the trained weights beside the baselines and writes a page with curves,
// pictures and an animation.
func evaluate(ctx context.Context, dir string, validation data.Dataset, out io.Writer) error {
	b, err := backend.Pick(false)
	if err != nil {
		return err
	}
	em, err := walrus.Load(train.RunCheckpoint(dir), walrus.EmulatorOptions{Backend: b, Seed: 1})
	if err != nil {
		return err
	}
	defer em.Close()
	forecasters := eval.Baselines()
	forecasters["finetuned"] = eval.Model(em)
	result, err := eval.Evaluate(ctx, validation, forecasters, eval.Protocol{Windows: 2, Horizons: []eval.Horizon{{From: 1, To: 1}, {From: 1, To: forecast}}})
	if err != nil {
		return err
	}
	for _, h := range result.Horizons {
		fmt.Fprintf(out, "steps %v: finetuned %.3f, persistence %.3f, linear %.3f\n", h.Horizon,
			h.Scores["finetuned"].Median, h.Scores["persistence"].Median, h.Scores["linear"].Median)
	}
	drawn, err := report.NewSample(ctx, validation, forecasters["finetuned"], history, forecast)
	if err != nil {
		return err
	}
	page := filepath.Join(dir, "report")
	err = report.Write(page, "Spirals", []string{"finetuned", "persistence", "linear"}, []report.Entry{{Result: result, Sample: drawn}})
	fmt.Fprintln(out, "wrote", filepath.Join(page, report.HTMLFile))
	return err
}

// simulations returns runs of the solver as windows: ∂A/∂t = A + (1 + ib)∇²A − (1 + ic)|A|²A
// by explicit Euler steps on a periodic square.
func simulations(n int, seed uint64) (out []*data.Window) {
	const b, c, dt, h, every = 1.0, -1.2, 0.02, 2.0, 25
	rng := rand.New(rand.NewPCG(seed, 0))
	for k := range n {
		w := &data.Window{Name: fmt.Sprint("run ", k), Grid: []int{side, side},
			Fields:     []data.Field{{Name: "wave_real"}, {Name: "wave_imaginary"}},
			Boundaries: data.Boundaries{data.Both(data.Periodic), data.Both(data.Periodic)}}
		a, next := make([]complex128, side*side), make([]complex128, side*side)
		for p := range a {
			a[p] = complex(0.1*rng.NormFloat64(), 0.1*rng.NormFloat64())
		}
		for step := range every * (frames + 20) {
			for p, u := range a {
				x, y := p/side, p%side
				near := a[(x+1)%side*side+y] + a[(x+side-1)%side*side+y] + a[x*side+(y+1)%side] + a[x*side+(y+side-1)%side]
				square := complex(real(u)*real(u)+imag(u)*imag(u), 0)
				next[p] = u + dt*(u+complex(1, b)*(near-4*u)/(h*h)-complex(1, c)*square*u)
			}
			a, next = next, a
			if step%every == 0 && step >= 20*every { // after the start
				frame := make([]float32, 2*len(a))
				for p, u := range a {
					frame[p], frame[len(a)+p] = float32(real(u)), float32(imag(u))
				}
				w.Frames = append(w.Frames, frame)
			}
		}
		out = append(out, w)
	}
	return out
}

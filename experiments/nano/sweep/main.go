// Command sweep forecasts 20 steps of a periodic wave, a tracer and the Euler systems on
// grids of every length. For each rollout it prints a line with a JSON object, which holds
// the mean VRMSE of the forecast and of persistence. The last line counts the rollouts whose
// error is more than three times that of persistence.
//
//	go run ./experiments/nano/sweep -weights out/run-nano/best -auto
//	go run ./experiments/nano/sweep -weights nano -systems wave -lengths 32:64 -volumes ""
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"

	"github.com/gowalrus/gowalrus/experiments/nano/lengths"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/nano"
)

// worst is the ratio of the errors of forecast and persistence that no rollout should
// exceed.
const worst = 3

type options struct {
	weights, systems, lengths, volumes string
	every, seeds, aspect               int
	auto                               bool
}

func main() {
	var o options
	flag.StringVar(&o.weights, "weights", "nano", "a checkpoint, or nano for the weights that come with the library")
	flag.StringVar(&o.systems, "systems", "", "systems separated by commas; empty is all")
	flag.StringVar(&o.lengths, "lengths", "8:128", "points per axis in 2D, first:last; empty is none")
	flag.StringVar(&o.volumes, "volumes", "8:32", "points per axis in 3D, first:last; empty is none")
	flag.IntVar(&o.every, "every", 1, "take every n-th length only")
	flag.IntVar(&o.aspect, "aspect", 1, "times as many points along the first axis as along the others")
	flag.IntVar(&o.seeds, "seeds", 1, "initial states of each")
	flag.BoolVar(&o.auto, "auto", false, "use XLA where a plugin is installed, instead of the pure Go backend")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "sweep:", err)
		os.Exit(1)
	}
}

// line is a row of the table.
type line struct {
	lengths.Score
	Tokens int `json:"tokens"`
	// Advice names the properties of the window that the training of the weights
	// lacked.
	Advice []string `json:"advice,omitempty"`
}

func run(ctx context.Context, o options, out io.Writer) error {
	trials, err := o.trials()
	if err != nil {
		return err
	}
	b, err := backend.Pick(o.auto)
	if err != nil {
		return err
	}
	done, above, lost := 0, 0, 0
	print := json.NewEncoder(out)
	for _, t := range trials {
		// Each shape has its own emulator, because the compiled programs of all shapes
		// would fill the memory.
		l, err := score(ctx, o.weights, walrus.EmulatorOptions{Backend: b, Seed: 1, Divergence: walrus.Divergence{Factor: -1}}, t)
		if err != nil {
			return err
		}
		if done++; l.Lost != "" {
			lost++
		} else if l.Ratio > worst {
			above++
		}
		if err := print.Encode(l); err != nil {
			return err
		}
	}
	return print.Encode(map[string]any{"weights": o.weights, "rollouts": done, "above": above, "lost": lost, "limit": worst})
}

func score(ctx context.Context, weights string, o walrus.EmulatorOptions, t lengths.Trial) (line, error) {
	load := func() (*walrus.Emulator, error) { return walrus.Load(weights, o) }
	if weights == "nano" {
		load = func() (*walrus.Emulator, error) { return nano.Load(o) }
	}
	em, err := load()
	if err != nil {
		return line{}, err
	}
	defer em.Close()
	w, err := t.Window(ctx)
	if err != nil {
		return line{}, err
	}
	s, err := t.Score(ctx, w, em.Forecast)
	if err != nil {
		return line{}, err
	}
	l := line{Score: s}
	plan, err := em.Model().Plan(w.Grid, w.Boundaries)
	if err != nil {
		return l, err
	}
	l.Tokens = plan.Tokens()
	w.Frames = w.Frames[:t.History()]
	advice, err := em.Advice(w)
	for _, a := range advice {
		l.Advice = append(l.Advice, a.Text)
	}
	return l, err
}

// trials returns the trials that the options select.
func (o options) trials() ([]lengths.Trial, error) {
	if min(o.every, o.seeds, o.aspect) < 1 {
		return nil, fmt.Errorf("expected -every, -seeds and -aspect of at least 1, got %d, %d and %d", o.every, o.seeds, o.aspect)
	}
	var out []lengths.Trial
	for dims, text := range map[int]string{2: o.lengths, 3: o.volumes} {
		first, last, err := bounds(text)
		if err != nil {
			return nil, err
		}
		for _, system := range lengths.Systems(dims) {
			if o.systems != "" && !slices.Contains(strings.Split(o.systems, ","), system) {
				continue
			}
			for n := first; n <= last; n += o.every {
				for seed := range o.seeds {
					out = append(out, lengths.Trial{System: system, Grid: lengths.Grid(dims, n, o.aspect), Seed: uint64(seed + 1)})
				}
			}
		}
	}
	slices.SortStableFunc(out, func(a, b lengths.Trial) int { return len(a.Grid) - len(b.Grid) })
	return out, nil
}

// bounds parses "8:128"; an empty text is an empty range.
func bounds(text string) (first, last int, err error) {
	if text == "" {
		return 1, 0, nil
	}
	a, b, _ := strings.Cut(text, ":")
	first, err = strconv.Atoi(a)
	if err == nil {
		last, err = strconv.Atoi(b)
	}
	if err != nil || first < 8 || last < first {
		return 0, 0, fmt.Errorf("expected lengths first:last from 8, got %q", text)
	}
	return first, last, nil
}

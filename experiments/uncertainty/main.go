// Command uncertainty measures what ensembles and calibrated intervals say about the error of
// a forecast: walrus-nano is calibrated on simulated runs of each system and forecasts others,
// as a single rollout, as an ensemble, and with calibrated intervals.
//
//	go run ./experiments/uncertainty -auto -out out/uncertainty
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gomlx/compute"

	"github.com/gowalrus/gowalrus/data/solve"
	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/internal/progress/meter"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/eval"
	"github.com/gowalrus/gowalrus/walrus/nano"
	"github.com/gowalrus/gowalrus/walrus/perturb"
)

const (
	history = 6
	steps   = 20
	level   = 0.9
	// trusted is the VRMSE that bounds the trust horizon.
	trusted = 0.5
)

// shown lists the steps of the table.
var shown = []int{1, 5, 10, 20}

// options are the command's flags.
type options struct {
	out         string
	systems     []string
	calibration int
	test        int
	members     int
	noise       float64
	points      int
	auto        bool
}

// line is the result of one system at one step.
type line struct {
	System string `json:"system"`
	Step   int    `json:"step"`
	// Single and Mean are the median VRMSE of a rollout and of the mean of the members.
	Single float64 `json:"single"`
	Mean   float64 `json:"mean"`
	// Members scores the ensemble, Calibrated the single rollout with calibrated intervals.
	Members    eval.EnsembleScore `json:"members"`
	Calibrated eval.EnsembleScore `json:"calibrated"`
	// Trust is the system's trust horizon.
	Trust int `json:"trust_horizon"`
}

func main() {
	var o options
	flag.StringVar(&o.out, "out", "out/uncertainty", "folder for the simulations, the calibrations and result.json")
	systems := flag.String("systems", "gray_scott,euler_periodic,rayleigh_benard,acoustics,shallow_water,navier_stokes", "systems of data/solve")
	flag.IntVar(&o.calibration, "calibration", 40, "simulated runs for the calibration")
	flag.IntVar(&o.test, "test", 40, "simulated runs to forecast")
	flag.IntVar(&o.members, "members", 16, "members of the ensemble")
	flag.Float64Var(&o.noise, "noise", 0.02, "perturbation of the members, relative to the fields' standard deviation")
	flag.IntVar(&o.points, "points", 0, "points along both axes, 0 for the system's grid")
	flag.BoolVar(&o.auto, "auto", false, "use XLA where a plugin is installed, instead of the pure Go backend")
	flag.Parse()
	o.systems = strings.Split(*systems, ",")
	if err := run(context.Background(), o); err != nil {
		fmt.Fprintln(os.Stderr, "uncertainty:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	b, err := backend.Pick(o.auto)
	if err != nil {
		return err
	}
	fmt.Println("| system | step | single | mean | spread/skill | CRPS | coverage of the members | width | calibrated coverage | width | trust horizon |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|---|---|")
	var all []line
	for _, name := range o.systems {
		lines, err := measure(ctx, b, name, o)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		for _, l := range lines {
			m, c := l.Members, l.Calibrated
			fmt.Printf("| %s | %d | %.3f | %.3f | %.2f | %.3f | %.1f %% | %.3f | %.1f %% | %.3f | %d |\n",
				l.System, l.Step, l.Single, l.Mean, m.SpreadSkill, m.CRPS, 100*m.Coverage, m.Width, 100*c.Coverage, c.Width, l.Trust)
		}
		all = append(all, lines...)
	}
	text, err := json.MarshalIndent(all, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(o.out, "result.json"), append(text, '\n'), 0o666)
}

// simulate makes the runs of a system, or finds existing ones.
func simulate(ctx context.Context, name string, o options) (string, error) {
	s, err := solve.Lookup(name)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(o.out, name)
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	so := solve.Options{System: s, Out: o.out, Valid: o.calibration, Test: o.test, Frames: history + steps, Seed: 20261130}
	if o.points > 0 {
		so.Grid = []int{o.points, o.points}
	}
	return solve.Simulate(ctx, so)
}

// measure calibrates on one split and scores the other.
func measure(ctx context.Context, b compute.Backend, name string, o options) ([]line, error) {
	dir, err := simulate(ctx, name, o)
	if err != nil {
		return nil, err
	}
	m := meter.New(os.Stderr, name, "frames")
	defer m.Close()
	// Intervals describe the errors of all forecasts, so that none ends early.
	all := walrus.Divergence{Factor: -1}
	em, err := nano.Load(walrus.EmulatorOptions{Backend: b, Seed: 1, Divergence: all})
	if err != nil {
		return nil, err
	}
	defer em.Close()
	valid, err := well.Open(dir, well.Options{Split: "valid"})
	if err != nil {
		return nil, err
	}
	defer valid.Close()
	c, err := eval.Calibrate(ctx, valid, em, eval.CalibrateOptions{Steps: steps, Input: history, Levels: []float64{level}, Progress: m.SetInt})
	if err != nil {
		return nil, err
	}
	if err := c.Save(filepath.Join(o.out, name+"_"+walrus.CalibrationFile)); err != nil {
		return nil, err
	}
	calibrated, err := nano.Load(walrus.EmulatorOptions{Backend: b, Seed: 2, Calibration: c, Level: level, Divergence: all})
	if err != nil {
		return nil, err
	}
	defer calibrated.Close()
	test, err := well.Open(dir, well.Options{Split: "test"})
	if err != nil {
		return nil, err
	}
	defer test.Close()
	p := eval.Protocol{Input: history, Horizons: []eval.Horizon{{From: 1, To: steps}}, Windows: o.test, Level: level, Progress: m.SetInt,
		Ensembles: map[string]eval.EnsembleForecast{
			"members":    eval.Members(em, walrus.EnsembleOptions{Members: o.members, Perturbation: perturb.Shaped(o.noise)}),
			"calibrated": eval.Intervals(calibrated),
		}}
	r, err := eval.Evaluate(ctx, test, nil, p)
	if err != nil {
		return nil, err
	}
	trust, err := c.TrustHorizon(trusted)
	if err != nil {
		return nil, err
	}
	h := r.Horizons[0]
	var out []line
	for _, s := range shown {
		out = append(out, line{System: name, Step: s, Trust: trust, Single: h.Curves["calibrated"][s-1], Mean: h.Curves["members"][s-1],
			Members: h.Ensembles["members"].Steps[s-1], Calibrated: h.Ensembles["calibrated"].Steps[s-1]})
	}
	return out, nil
}

package ladder

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/distributed"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// little is a setup that is measured in seconds: a 2D and a 3D system.
func little(devices, group int) Setup {
	s := Paper()
	s.Devices, s.Group, s.Micro, s.Accumulate, s.Network.Node = devices, group, 4, 2, group
	s.Config = walrus.Micro()
	s.Config.Hidden, s.Config.Heads, s.Config.Intermediate, s.Config.Groups = 12, 1, 2, 2
	s.Config.Tokens, s.Config.Kernel = [3]int{4, 4, 4}, [2]int{4, 4}
	s.Config.Registry = data.MustRegistry("density")
	periodic := data.Both(data.Periodic)
	s.Systems = []data.Entry{
		{Name: "plane", Axes: []string{"x", "y"}, Grid: []int{32, 48}, Fields: []data.Field{{Name: "density"}}, Boundaries: data.Boundaries{periodic, data.Both(data.Wall)}},
		{Name: "volume", Axes: []string{"x", "y", "z"}, Grid: []int{32, 32, 32}, Fields: []data.Field{{Name: "density"}}, Boundaries: data.Boundaries{periodic, periodic, periodic}},
	}
	return s
}

// ticks returns a clock that advances by a second at every reading.
func ticks() func() (float64, error) {
	now := 0.0
	return func() (float64, error) {
		now++
		return now, nil
	}
}

// A single device can train all rungs on any backend. It never waits and sends nothing,
// and the measurement equals the simulation.
func TestTrialOfOneDevice(t *testing.T) {
	found, err := Trial{Setup: little(1, 1), Backend: testbackend.New(t), Clock: ticks()}.Run(context.Background())
	require.NoError(t, err)
	for i, r := range Rungs() {
		m := found[i]
		assert.Equal(t, r.Name, m.Rung)
		assert.Equal(t, "1×1", m.Mesh)
		assert.Zero(t, m.Waiting)
		assert.Zero(t, m.Sharding)
		assert.InDelta(t, 1, m.Busy+m.Updating, 1e-9)
		assert.Equal(t, m.Simulated.Tokens, m.Tokens, "the same draws")
		assert.Positive(t, m.PerWall)
		assert.Greater(t, m.Padding, 0.0)
		assert.InDelta(t, 100, m.Relative/m.Simulated.Relative*100, 1, r.Name)
	}
	assert.Greater(t, found[2].Relative, 1.5*found[1].Relative, "a clock that finds all micro-batches alike: more tokens are for free")
}

// Groups take turns: no other group works between two readings of the clock. A clock
// that counts its readings therefore measures one second for every micro-batch.
func TestTrialTakesTurns(t *testing.T) {
	trial := Trial{Setup: little(4, 2), Backend: testbackend.Devices(t, 4), Clock: ticks(), Log: slog.New(slog.DiscardHandler)}
	trial.Systems = trial.Systems[:1]
	for _, mesh := range []distributed.Mesh{trial.own(), trial.hybrid()} {
		c, err := newCourse(trial, mesh, true)
		require.NoError(t, err)
		defer c.close()
		require.NoError(t, c.take(trial.Setup, Form{Adaptive: true}))
		for _, b := range c.batches {
			require.Len(t, b.Windows, mesh.Shards, "a window for every device")
		}
		spent, rest, err := c.step(context.Background(), 3, func(_, _ int) int { return 0 })
		require.NoError(t, err)
		require.Len(t, spent, mesh.Groups)
		share := 1 / float64(mesh.Shards)
		for _, list := range spent {
			assert.Equal(t, []float64{share, share, share}, list, "mesh %v", mesh)
		}
		turns := float64(3 * mesh.Groups) // two readings in each turn, and one at the end
		assert.InDelta(t, (2*turns+1-turns)/4, rest, 1e-9, "the rest of an update, of one of four devices")
	}
	broken := errors.New("no clock")
	trial.Clock = func() (float64, error) { return 0, broken }
	_, err := trial.Run(context.Background())
	require.ErrorIs(t, err, broken)
}

// madeBench returns a bench in which all classes always take the same seconds and links
// are free.
func madeBench(t *testing.T, s Setup) *bench {
	t.Helper()
	b := &bench{Trial: Trial{Setup: s}, rounds: map[string]round{}, costs: map[string]cost{}}
	for _, r := range Rungs() {
		classes, err := s.classes(r.Form)
		require.NoError(t, err)
		var c cost
		for _, k := range classes {
			c.seconds = append(c.seconds, k.Seconds())
		}
		for _, mesh := range []distributed.Mesh{b.own(), b.all(), b.hybrid()} {
			b.costs[costKey(mesh, r.Form)] = c
		}
		x := round{mesh: b.own(), classes: classes, wall: 1}
		if r.Together {
			x.mesh = b.hybrid()
		}
		x.draws = b.draws(x.mesh.Groups)
		micros := b.micros(r)
		for at := 0; at < s.Micro; at += micros {
			var spent [][]float64
			for _, d := range x.draws {
				var list []float64
				for m := range micros {
					list = append(list, c.seconds[d[at+m]])
				}
				spent = append(spent, list)
			}
			x.spent = append(x.spent, spent)
		}
		b.rounds[r.Name] = x
	}
	return b
}

// A trial with constant times gives the results of the simulation, up to one
// difference: simulated devices meet at every part of the network, measured devices at
// every micro-batch.
func TestTrialIsTheSimulation(t *testing.T) {
	s := quick()
	s.Devices, s.Memory = 8, 1e30
	found, err := madeBench(t, s).results()
	require.NoError(t, err)
	for i, m := range found {
		assert.Equal(t, m.Simulated.Tokens, m.Tokens, m.Rung)
		assert.InDelta(t, m.Simulated.Waiting, m.Waiting, 0.04, m.Rung)
		assert.InEpsilon(t, m.Simulated.Relative, m.Relative, 0.04, m.Rung)
		assert.InEpsilon(t, m.Simulated.Seconds, m.Seconds, 0.05, m.Rung)
		if i == 5 {
			assert.InEpsilon(t, m.Simulated.Seconds, m.Seconds, 1e-6, "groups meet once per update in both")
		}
	}
	assert.Greater(t, found[5].Relative, found[4].Relative)
}

// The costs of sharding and updates are charged to the rungs that have them.
func TestTrialCharges(t *testing.T) {
	b := madeBench(t, quick())
	free, err := b.results()
	require.NoError(t, err)
	for _, mesh := range []distributed.Mesh{b.all(), b.hybrid()} {
		for _, form := range []Form{{}, {Adaptive: true}, {Adaptive: true, Differential: true}} {
			c := b.costs[costKey(mesh, form)]
			seconds := append([]float64(nil), c.seconds...)
			for i := range seconds {
				seconds[i] += 0.25
			}
			b.costs[costKey(mesh, form)] = cost{seconds, 0.5}
		}
	}
	dear, err := b.results()
	require.NoError(t, err)
	for i, r := range Rungs() {
		n := float64(b.Micro)
		extra, updates := n*0.25, n/float64(b.micros(r))*0.5
		if r.Together {
			extra = 0 // the run was sharded, so its time includes them
		}
		assert.InEpsilon(t, free[i].Seconds+extra+updates, dear[i].Seconds, 1e-9, r.Name)
		assert.InEpsilon(t, n*0.25, dear[i].Sharding*dear[i].Seconds, 1e-9, r.Name)
		assert.InEpsilon(t, updates, dear[i].Updating*dear[i].Seconds, 1e-9, r.Name)
		assert.InDelta(t, 1, dear[i].Busy+dear[i].Waiting+dear[i].Updating, 1e-9, r.Name)
	}
}

// Devices that share weights wait at every micro-batch, groups at the end.
func TestMeet(t *testing.T) {
	spent := [][]float64{{1, 5}, {2, 1}, {4, 1}, {1, 3}}
	assert.Equal(t, 9.0, meet(spent, false, 2), "4 and 5")
	assert.Equal(t, 7.0, meet(spent, true, 2), "2 and 5, or 4 and 3")
	assert.Equal(t, 6.0, meet(spent, true, 1), "1 and 5")
	assert.Equal(t, 9.0, meet(spent, true, 4))
}

func TestTrialsThatDoNotFit(t *testing.T) {
	for want, change := range map[string]func(x *Trial){
		"expected a backend":     func(x *Trial) { x.Backend = nil },
		"got 3 and 2 per update": func(x *Trial) { x.Micro = 3 },
		"different devices":      func(x *Trial) { x.Devices, x.Group = 1000, 1 },
		"which make one token":   func(x *Trial) { x.Config.Kernel = [2]int{8, 4} },
	} {
		x := Trial{Setup: little(1, 1), Backend: testbackend.New(t)}
		change(&x)
		_, err := x.Run(context.Background())
		require.ErrorContains(t, err, want)
	}
}

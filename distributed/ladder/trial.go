package ladder

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	backend "github.com/gomlx/compute"
	"github.com/gowalrus/gowalrus/distributed"
	"github.com/gowalrus/gowalrus/walrus"
)

// Trial is a ladder that is measured: the rungs of a setup as runs of a
// distributed.Trainer on the devices of a backend. Of the setup it takes network,
// systems, devices, groups, micro-batches and seed.
//
// Devices of one machine may share its cores, as virtual ones do, so that a device that
// waits leaves its core to those it waits for and the clock on the wall shows no wait.
// Therefore groups take turns, what each micro-batch takes is measured by itself, and
// how long devices wait follows from these numbers and from when they meet: those that
// share weights at every micro-batch, others at every update.
type Trial struct {
	Setup
	Backend backend.Backend
	// Clock returns seconds; nil is the time of day. Where devices share cores with
	// each other and with other programs, take the processor's seconds.
	Clock func() (float64, error)
	// Log receives progress; nil is none.
	Log *slog.Logger
}

// Measured is what a rung came to in a trial.
type Measured struct {
	Rung string `json:"rung"`
	// Mesh is that of the run that was measured, groups × shards.
	Mesh string `json:"mesh"`
	// Tokens were trained in Seconds if devices wait for each other, and at PerWall
	// tokens per second of the time of day in the run itself, in which groups took
	// turns. Padding is the share of tokens that are there for padding alone, which
	// are not counted.
	Tokens  int     `json:"tokens"`
	Seconds float64 `json:"seconds"`
	PerWall float64 `json:"per_wall"`
	Padding float64 `json:"padding"`
	// Relative is the throughput, Tokens/Seconds, in percent of the first rung.
	Relative float64 `json:"relative"`
	// Busy, Waiting and Updating are the shares of Seconds. Sharding is the part of Busy
	// that a micro-batch takes more on the mesh of the rung than on a device alone. It
	// is negative where what devices share in one program outweighs what they tell each
	// other.
	Busy     float64 `json:"busy"`
	Waiting  float64 `json:"waiting"`
	Sharding float64 `json:"sharding"`
	Updating float64 `json:"updating"`
	// Simulated is the simulation of the same draws with the times measured.
	Simulated Result `json:"simulated"`
}

// Run measures all rungs in the order of [Rungs] and simulates them.
func (t Trial) Run(ctx context.Context) ([]Measured, error) {
	if err := t.Validate(); err != nil {
		return nil, err
	}
	if t.Backend == nil {
		return nil, fmt.Errorf("ladder: trial: expected a backend, got none")
	}
	if t.Clock == nil {
		begin := time.Now()
		t.Clock = func() (float64, error) { return time.Since(begin).Seconds(), nil }
	}
	if t.Log == nil {
		t.Log = slog.New(slog.DiscardHandler)
	}
	b := &bench{Trial: t, rounds: map[string]round{}, costs: map[string]cost{}}
	for _, adaptive := range []bool{false, true} {
		if err := b.measure(ctx, adaptive); err != nil {
			return nil, err
		}
	}
	return b.results()
}

// network is the setup's with fixed patches or its own. Fixed ones are the largest that
// the kernels allow.
func (t Trial) network(adaptive bool) walrus.Config {
	c := t.Config
	if !adaptive {
		c.Tokens = [3]int{1, 1, 1}
	}
	return c
}

// own is the mesh on which every device draws for itself, all the one on which
// everything is sharded over all devices.
func (t Trial) own() distributed.Mesh { return distributed.DataParallel(t.Devices) }
func (t Trial) all() distributed.Mesh { return distributed.FullyShard(t.Devices) }
func (t Trial) hybrid() distributed.Mesh {
	return distributed.Hybrid(t.Devices/t.Group, t.Group)
}

// mesh is the one that a rung is to have.
func (t Trial) mesh(r Rung) distributed.Mesh {
	if r.Hybrid {
		return t.hybrid()
	}
	return t.all()
}

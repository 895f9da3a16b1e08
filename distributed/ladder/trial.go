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

// Trial measures a ladder: it runs the rungs of a setup with a train.Trainer on
// the devices of a backend. It uses the setup's network, systems, devices, groups,
// micro-batches and seed.
//
// Devices of one machine may share its cores, as virtual devices do. A device that
// waits then leaves its core to the devices that it waits for, and wall-clock time
// shows no wait. Therefore groups take turns, each micro-batch is timed separately, and
// waiting times are computed from these times: devices that share weights meet at every
// micro-batch, others at every update.
type Trial struct {
	Setup
	Backend backend.Backend
	// Clock returns seconds; nil means wall-clock time. If devices share cores with
	// each other and with other programs, use CPU seconds.
	Clock func() (float64, error)
	// Log receives progress; nil means none.
	Log *slog.Logger
}

// Measured is the outcome of a rung in a trial.
type Measured struct {
	Rung string `json:"rung"`
	// Mesh is the mesh of the measured run, groups × shards.
	Mesh string `json:"mesh"`
	// Seconds is the time in which devices that wait for each other train Tokens.
	// PerWall is the number of tokens per second of wall-clock time in the run itself,
	// in which groups took turns. Padding is the fraction of tokens that contain only
	// padding, which Tokens does not count.
	Tokens  int     `json:"tokens"`
	Seconds float64 `json:"seconds"`
	PerWall float64 `json:"per_wall"`
	Padding float64 `json:"padding"`
	// Relative is the throughput, Tokens/Seconds, in percent of the first rung.
	Relative float64 `json:"relative"`
	// Busy, Waiting and Updating are fractions of Seconds. Sharding is the part of Busy
	// by which a micro-batch on the rung's mesh takes longer than on a single device.
	// It is negative where the work that devices share in one program saves more than
	// communication costs.
	Busy     float64 `json:"busy"`
	Waiting  float64 `json:"waiting"`
	Sharding float64 `json:"sharding"`
	Updating float64 `json:"updating"`
	// Simulated is the simulation of the same draws with the measured times.
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
		t.Clock = wallClock()
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

// wallClock returns a clock of wall-clock time.
func wallClock() func() (float64, error) {
	begin := time.Now()
	return func() (float64, error) { return time.Since(begin).Seconds(), nil }
}

// network returns the setup's network, with fixed patches if adaptive is false. Fixed
// patches are the largest that the kernels allow.
func (t Trial) network(adaptive bool) walrus.Config {
	c := t.Config
	if !adaptive {
		c.Tokens = [3]int{1, 1, 1}
	}
	return c
}

// own returns the mesh on which every device draws for itself, all the mesh on which
// everything is sharded over all devices.
func (t Trial) own() distributed.Mesh { return distributed.DataParallel(t.Devices) }
func (t Trial) all() distributed.Mesh { return distributed.FullyShard(t.Devices) }
func (t Trial) hybrid() distributed.Mesh {
	return distributed.Hybrid(t.Devices/t.Group, t.Group)
}

// mesh returns the mesh of a rung.
func (t Trial) mesh(r Rung) distributed.Mesh {
	if r.Hybrid {
		return t.hybrid()
	}
	return t.all()
}

package solve

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/gowalrus/gowalrus/internal/nonfinite"
)

// recording is a simulated trajectory of a stream. It is immutable.
type recording struct {
	Case
	frames    [][]float32
	constants []float32
}

// Attempts is the number of lost simulations after which a stream gives up a trajectory.
const Attempts = 16

// slowSimulation is the duration from which the simulation of a trajectory is logged as
// slow.
const slowSimulation = time.Minute

// fingerprint identifies the trajectories of a stream: streams with equal fingerprints have
// equal trajectories.
func (s *Stream) fingerprint() string {
	o, v := s.o, s.o.System.variety()
	v.Resolve = nil // its address differs between processes
	text := fmt.Sprintf("%d %q %q %+v %d frames %+v", o.Seed, o.Split, o.System.Name, o.Case, o.Frames, v)
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:12])
}

// generator returns the random generator of an attempt at a trajectory. It does not depend
// on the number of frames or on the ranges of parameters.
func (s *Stream) generator(trajectory, attempt int) *rand.Rand {
	o := s.o
	text := fmt.Sprintf("%d %q %q %+v %d %d", o.Seed, o.Split, o.System.Name, o.Case, trajectory, attempt)
	return rand.New(rand.NewChaCha8(sha256.Sum256([]byte(text))))
}

// simulate draws and simulates a trajectory. It repeats a lost simulation with the next
// seed, so that the result depends only on the number of the trajectory.
func (s *Stream) simulate(ctx context.Context, trajectory int) (*recording, error) {
	begin := time.Now()
	var err error
	for attempt := range Attempts {
		var r *recording
		if r, err = s.attempt(ctx, trajectory, attempt); err == nil {
			if took := time.Since(begin); took > slowSimulation {
				s.pool.o.Log.Warn("a simulation was slow", "stream", s.o.Name, "trajectory", trajectory, "took", took, "case", r.Case)
			}
			return r, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		s.pool.lost(s, trajectory, attempt, err)
	}
	return nil, fmt.Errorf("expected one of %d simulations to reach %d frames, all were lost, the last by: %w", Attempts, s.o.Frames, err)
}

// attempt draws a case and simulates it once.
func (s *Stream) attempt(ctx context.Context, trajectory, attempt int) (*recording, error) {
	rng := s.generator(trajectory, attempt)
	c, err := s.o.System.Vary(rng, s.o.Case)
	if err != nil {
		return nil, err
	}
	run, err := s.o.System.StartCase(c, rng)
	if err != nil {
		return nil, err
	}
	r := &recording{Case: c}
	if r.frames, r.constants, err = record(ctx, s.o.System, c.Grid, run, s.o.Frames, c.Interval); err != nil {
		return nil, err
	}
	for k, frame := range append(r.frames[:len(r.frames):len(r.frames)], r.constants) {
		if i := nonfinite.First(frame); i >= 0 {
			return nil, fmt.Errorf("frame %d of %d: value %d is %v in float32", k, len(r.frames), i, frame[i])
		}
	}
	return r, nil
}

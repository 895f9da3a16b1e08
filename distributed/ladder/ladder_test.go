package ladder

import (
	"fmt"
	"math"
	"testing"

	"github.com/gowalrus/gowalrus/data"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// quick returns the paper's run, shortened and with larger units.
func quick() Setup {
	s := Paper()
	s.Micro, s.UnitBlocks = 80, 20
	return s
}

func TestAccountsAddUp(t *testing.T) {
	for devices, group := range map[int]int{1: 1, 4: 4, 6: 1, 12: 4} {
		for _, r := range Rungs() {
			s := quick()
			s.Devices, s.Group, s.Micro = devices, group, 20
			j, err := newJob(s, r)
			require.NoError(t, err)
			j.run()
			for _, d := range j.devices {
				assert.InEpsilon(t, d.end, d.busy+d.waiting+d.communication, 1e-9, "%s, %d devices", r.Name, devices)
				assert.LessOrEqual(t, d.end, j.clock.now)
				assert.GreaterOrEqual(t, d.waiting, 0.0)
				assert.GreaterOrEqual(t, d.communication, 0.0)
			}
			x := j.result()
			assert.InDelta(t, 1, x.Busy+x.Waiting+x.Communication, 1e-9)
		}
	}
}

// One device neither waits nor communicates.
func TestOneDeviceIsBusy(t *testing.T) {
	s := quick()
	s.Devices, s.Group = 1, 1
	for _, r := range Rungs() {
		x, err := s.Run(r)
		require.NoError(t, err)
		assert.InDelta(t, 1, x.Busy, 1e-12, r.Name)
	}
}

// If all data sets are alike no device waits, however they are drawn.
func TestEqualClassesDoNotStraggle(t *testing.T) {
	s := quick()
	s.Systems = s.Systems[:1]
	s.Devices = 16
	var last float64
	for _, r := range Rungs()[3:] {
		x, err := s.Run(r)
		require.NoError(t, err)
		assert.Less(t, x.Waiting, 1e-9, r.Name)
		last = x.Throughput
	}
	together, err := s.Run(Rungs()[4])
	require.NoError(t, err)
	assert.InEpsilon(t, last, together.Throughput, 1e-9, "drawing together changes nothing")
}

// Without latency and with free links and memory, the duration of a rung is that of its
// slowest devices: for every micro-batch if all devices share shards, for every update
// if the devices of a group draw together.
func TestFreeTransfersLeaveTheSlowest(t *testing.T) {
	s := quick()
	s.Devices, s.Micro, s.Memory = 12, 40, 1e30
	s.Network.Inner, s.Network.Outer = Link{0, 1e30}, Link{0, 1e30}
	for _, i := range []int{2, 5} {
		j, err := newJob(s, Rungs()[i])
		require.NoError(t, err)
		// The devices draw from their generators in the order of micro-batches.
		again, err := newJob(s, Rungs()[i])
		require.NoError(t, err)
		want := 0.0
		for range s.Micro / j.micros {
			slowest := 0.0
			for _, rng := range again.samplers {
				sum := 0.0
				for range j.micros {
					sum += again.classes[rng.IntN(len(again.classes))].Seconds()
				}
				slowest = max(slowest, sum)
			}
			want += slowest
		}
		j.run()
		got := j.result().Seconds
		if i == 5 {
			assert.InEpsilon(t, want, got, 1e-6)
			continue
		}
		// Devices meet after every part of the network. So the slowest encoder, the
		// slowest blocks and the slowest decoder add up, even if three devices run
		// them.
		assert.GreaterOrEqual(t, got, want*(1-1e-9))
		assert.Less(t, got, 1.1*want)
	}
}

func TestEqualSetupsGiveEqualResults(t *testing.T) {
	s := quick()
	s.Micro = 20
	a, err := s.Ladder()
	require.NoError(t, err)
	b, err := s.Ladder()
	require.NoError(t, err)
	assert.Equal(t, a, b)
	s.Seed = 2
	c, err := s.Ladder()
	require.NoError(t, err)
	assert.NotEqual(t, a[5].Seconds, c[5].Seconds)
}

// The number of blocks that are gathered at once hardly matters.
func TestUnitsHardlyMatter(t *testing.T) {
	s := quick()
	s.Micro = 40
	var relative []float64
	for _, n := range []int{1, 4, 40} {
		s.UnitBlocks = n
		x, err := s.Ladder()
		require.NoError(t, err)
		relative = append(relative, x[5].Relative)
	}
	assert.InEpsilon(t, relative[0], relative[1], 0.02)
	assert.InEpsilon(t, relative[0], relative[2], 0.04)
}

// The simulation gives the order of the paper's Figure 4, with the dip at adaptive
// patches, and every rung within a tenth.
func TestFigure4(t *testing.T) {
	s := quick()
	s.Micro = 400
	results, err := s.Ladder()
	require.NoError(t, err)
	assert.Less(t, results[1].Relative, results[0].Relative)
	for i, r := range results {
		if i > 1 {
			assert.Greater(t, r.Relative, results[i-1].Relative, r.Rung)
		}
		assert.InEpsilon(t, r.Paper, r.Relative, 0.1, r.Rung)
	}
	assert.Less(t, results[5].Waiting, results[4].Waiting, "who draws together waits less")
}

// A single group that draws together never waits; more groups wait longer for the
// slowest.
func TestMoreDevicesWaitLonger(t *testing.T) {
	s := quick()
	last := -1.0
	for _, n := range []int{4, 8, 96, 384} {
		s.Devices = n
		x, err := s.Run(Rungs()[5])
		require.NoError(t, err)
		assert.Greater(t, x.Waiting, last, "%d devices", n)
		last = x.Waiting
	}
}

func TestSetupsThatDoNotFit(t *testing.T) {
	for want, change := range map[string]func(s *Setup){
		"groups of 5 and 96 devices":                  func(s *Setup) { s.Group = 5 },
		"at least one system":                         func(s *Setup) { s.Systems = nil },
		"got 10 and 4 per update":                     func(s *Setup) { s.Micro = 10 },
		"at least 1 block per unit":                   func(s *Setup) { s.UnitBlocks = 0 },
		"rates: expected positive":                    func(s *Setup) { s.Rates.Attention = math.NaN() },
		"at least 1 device in a node":                 func(s *Setup) { s.Network.Node = 0 },
		"axis 1: expected a multiple of 16":           func(s *Setup) { s.Systems = []data.Entry{odd()} },
		"a name for each axis of the grid":            func(s *Setup) { s.Systems[0].Axes = nil },
		"hidden":                                      func(s *Setup) { s.Config.Hidden = 0 },
		"a positive bandwidth of memory, got 4 and 0": func(s *Setup) { s.Memory, s.UnitBlocks = 0, 4 },
	} {
		s := quick()
		change(&s)
		_, err := s.Ladder()
		assert.ErrorContains(t, err, want)
	}
}

func odd() data.Entry {
	e := data.Catalog()[3]
	e.Grid = []int{64, 72}
	return e
}

func ExampleSetup_Ladder() {
	s := Paper()
	s.Micro = 40
	results, err := s.Ladder()
	if err != nil {
		fmt.Println(err)
		return
	}
	best := results[0]
	for _, r := range results {
		if r.Throughput > best.Throughput {
			best = r
		}
	}
	fmt.Println(best.Rung)
	// Output: topology-aware sampling
}

// The rungs of Figure 4, as the paper reports them in percent of naive sharding.
func ExampleRungs() {
	for _, r := range Rungs() {
		fmt.Println(r.Name, r.Paper)
	}
	// Output:
	// naive 100
	// adaptive patching 78.1
	// differential batch 184.7
	// gradient accumulation 189.3
	// HSDP 197.3
	// topology-aware sampling 262
}

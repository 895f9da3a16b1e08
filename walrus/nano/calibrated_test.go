package nano

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/experiments/nano/lengths"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/eval"
)

// TestCalibrated: intervals calibrated on some runs of a wave cover others as stated.
func TestCalibrated(t *testing.T) {
	const runs, steps, level = 30, 2, 0.9
	set := func(seed uint64) data.Dataset {
		var list []*data.Window
		for i := range runs {
			w, err := lengths.Trial{System: "wave", Grid: []int{16, 16}, Seed: seed + uint64(i)}.Window(context.Background())
			require.NoError(t, err)
			w, err = w.Slice(0, 6+steps)
			require.NoError(t, err)
			list = append(list, w)
		}
		ds, err := data.NewMemory("waves", list)
		require.NoError(t, err)
		return ds
	}
	o := walrus.EmulatorOptions{Backend: testbackend.New(t), Seed: 1}
	em, err := Load(o)
	require.NoError(t, err)
	defer em.Close()
	c, err := eval.Calibrate(context.Background(), set(1000), em, eval.CalibrateOptions{Steps: steps})
	require.NoError(t, err)
	require.Equal(t, "trajectory", c.Unit)
	o.Seed, o.Calibration = 2, c
	calibrated, err := Load(o)
	require.NoError(t, err)
	defer calibrated.Close()
	r, err := eval.Evaluate(context.Background(), set(5000), nil, eval.Protocol{Horizons: []eval.Horizon{{From: 1, To: steps}}, Windows: runs, Level: level,
		Ensembles: map[string]eval.EnsembleForecast{"calibrated": eval.Intervals(calibrated)}})
	require.NoError(t, err)
	// The expected coverage is the level times (runs+1)/runs, 93 %. That of a run varies by
	// about 2.3 points, so that five standard errors of the difference of two means are 3.
	for s, score := range r.Horizons[0].Ensembles["calibrated"].Steps {
		require.InDelta(t, level*(runs+1)/runs, score.Coverage, 0.03, "step %d", s+1)
	}
}

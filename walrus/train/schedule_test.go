package train

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/stretchr/testify/require"
)

// TestGoldenSchedules compares every rate of the recorded schedules. Beyond the end the
// release's rates are below zero and must be 0 here.
func TestGoldenSchedules(t *testing.T) {
	raw, err := os.ReadFile(golden.Path(t, "l_lr_schedules.json"))
	require.NoError(t, err)
	var recorded []struct {
		Scheduler string    `json:"scheduler"`
		Base      float64   `json:"base"`
		Epochs    int       `json:"max_epochs"`
		Warmup    int       `json:"warmup_epochs"`
		Cooldown  int       `json:"cooldown_epochs"`
		WarmupF   float64   `json:"warmup_lr_factor"`
		CooldownF float64   `json:"cooldown_lr_factor"`
		Steps     int       `json:"step_mult_factor"`
		Rates     []float64 `json:"lr_used_in_epoch_1_on"`
	}
	require.NoError(t, json.Unmarshal(raw, &recorded))
	kinds := map[string]ScheduleKind{"InverseSqrtLinearWarmupSqrtCooldown": SqrtCooldown, "InverseSqrtLinearRamps": LinearRamps}
	for i, r := range recorded {
		t.Run(fmt.Sprintf("%d %s", i, r.Scheduler), func(t *testing.T) {
			kind, ok := kinds[r.Scheduler]
			require.True(t, ok)
			s := Schedule{Kind: kind, Base: r.Base, Epochs: r.Epochs, Warmup: r.Warmup, Cooldown: r.Cooldown, WarmupFactor: r.WarmupF, CooldownFactor: r.CooldownF}
			require.NoError(t, s.Validate())
			if r.Steps > 0 {
				s = s.Times(r.Steps)
			}
			require.NotEmpty(t, r.Rates)
			for e, want := range r.Rates {
				if want <= 0 {
					require.GreaterOrEqual(t, e, s.Epochs, "the rate is only negative beyond the end")
					want = 0
				}
				require.InDelta(t, want, s.Rate(e), 1e-12*r.Base, "epoch %d", e)
			}
		})
	}
}

func TestScheduleDefaults(t *testing.T) {
	s := Schedule{}
	require.NoError(t, s.Validate())
	require.InDelta(t, 2e-5, s.Rate(0), 1e-18)
	require.InDelta(t, 2e-4, s.Rate(10), 1e-18)
	require.Equal(t, 3e-3, Schedule{Kind: Constant, Base: 3e-3, Warmup: -1}.Rate(0))
	require.Equal(t, 3e-3, Schedule{Kind: Constant, Base: 3e-3, Warmup: -1}.Times(7).Rate(0))
}

func TestScheduleErrors(t *testing.T) {
	for want, s := range map[string]Schedule{
		"expected a positive base rate, got -1":                   {Base: -1},
		"expected a warm-up factor above 0 and at most 1, got 2":  {WarmupFactor: 2},
		"expected a cooldown factor from 0 to 1, got -1":          {CooldownFactor: -1},
		"expected warm-up and cooldown within 5 epochs, got 4 an": {Epochs: 5, Warmup: 4, Cooldown: 2},
		"expected one of [sqrt_cooldown linear_ramps constant]":   {Kind: 9},
	} {
		require.ErrorContains(t, s.Validate(), want)
	}
	var k ScheduleKind
	require.NoError(t, k.UnmarshalText([]byte("linear_ramps")))
	require.Equal(t, LinearRamps, k)
	require.ErrorContains(t, k.UnmarshalText([]byte("cosine")), "got \"cosine\"")
}

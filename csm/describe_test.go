package csm

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
)

func TestPlanString(t *testing.T) {
	plan, err := NewPlan([]int{256, 257, 1}, data.Boundaries{
		data.Both(data.Periodic), {Low: data.Wall, High: data.Open}, data.Both(data.Periodic),
	}, Options{})
	require.NoError(t, err)
	assert.Equal(t, `axis 0: 256 points, periodic: patch 8 (strides 4×2, as released), padded to 268 by wrapping 6+6, 32 tokens
axis 1: 257 points, wall/open: patch 8 (strides 4×2), padded to 284 by zeros 10+17, 34 tokens
axis 2: 1 point, periodic: 1 token
32×34×1 = 1088 tokens per frame, padding adds 15.7 %, released plan: no`, plan.String())
	assert.Equal(t, `axis 0: 256 points, periodic: patch 8 (strides 4×2, as released), padded to 268 by wrapping 6+6, 32 tokens
        256 points are the target of 32 tokens times 8, a patch of the release.
axis 1: 257 points, wall/open: patch 8 (strides 4×2), padded to 284 by zeros 10+17, 34 tokens
        The release needs a multiple of 32 points; a patch of 8 cuts it into 33 for a target of 32 tokens, the last with 7 points beyond the high end.
axis 2: 1 point, periodic: 1 token
        A single point needs no compression.
32×34×1 = 1088 tokens per frame, padding adds 15.7 %, released plan: no`, plan.Describe())
}

func TestReasons(t *testing.T) {
	for _, tc := range []struct {
		n    int
		bc   data.BC
		o    Options
		want string
	}{
		{384, data.Wall, Options{}, "384 points are the target of 32 tokens times 12, a patch of the release."},
		{384, data.Periodic, Options{}, "384 points are the target of 32 tokens times 12, a patch of the release, whose own decoder would return this axis 4 points short."},
		{64, data.Wall, Options{}, "The release has no patch of 2 points; a patch of 2 cuts it into 32 for a target of 32 tokens, with strides the released weights were not trained on."},
		{256, data.Wall, Options{Tokens: [3]int{64, 64, 64}}, "The options differ from the release's; a patch of 4 cuts it into 64 for a target of 64 tokens."},
		{2048, data.Wall, Options{}, "The release has no patch of 64 points; a patch of 32 cuts it into 64 for a target of 32 tokens (the kernels allow no larger patch)."},
		{257, data.Periodic, Options{}, "The release needs a multiple of 32 points; a patch of 8 cuts it into 33 for a target of 32 tokens, which do not close around the axis: its ends are copied and its tokens not rolled."},
	} {
		plan, err := NewPlan([]int{tc.n, 32}, uniform(tc.bc, 2), tc.o)
		require.NoError(t, err)
		assert.Equal(t, tc.want, plan.Axes[0].Reason)
	}
	plan, err := NewPlan([]int{1024}, uniform(data.Wall, 1), Options{NoJitter: true})
	require.NoError(t, err)
	assert.Contains(t, plan.String(), "no padding")
}

func TestPlanJSON(t *testing.T) {
	plan, err := NewPlan([]int{64, 256}, data.Boundaries{{Low: data.Wall, High: data.Open}, data.Both(data.Periodic)}, Options{})
	require.NoError(t, err)
	for _, v := range []any{plan, *plan} {
		text, err := json.Marshal(v)
		require.NoError(t, err)
		assert.JSONEq(t, `{
			"rank": 2, "dims": 2, "grid": [64, 256, 1], "padded_grid": [78, 268, 1], "token_grid": [33, 32, 1],
			"tokens": 1056, "padding_overhead": 0.27587890625, "released": false,
			"options": {"tokens": [32, 32, 16], "kernel": [8, 4], "no_jitter": false},
			"axes": [
				{"length": 64, "boundary": "wall/open", "kernel": [8, 4], "stride": [2, 1], "patch": 2,
				 "pad_low": 7, "pad_high": 7, "wrap": false, "periodic_tokens": false, "padded": 78, "conv1": 36,
				 "tokens": 33, "decoded": 78, "shift_bound": 7, "released": false, "reason": "`+plan.Axes[0].Reason+`"},
				{"length": 256, "boundary": "periodic", "kernel": [8, 4], "stride": [4, 2], "patch": 8,
				 "pad_low": 6, "pad_high": 6, "wrap": true, "periodic_tokens": true, "padded": 268, "conv1": 66,
				 "tokens": 32, "decoded": 268, "shift_bound": 128, "released": true, "reason": "`+plan.Axes[1].Reason+`"},
				{"length": 1, "boundary": "periodic", "kernel": [1, 1], "stride": [1, 1], "patch": 1,
				 "pad_low": 0, "pad_high": 0, "wrap": false, "periodic_tokens": false, "padded": 1, "conv1": 1,
				 "tokens": 1, "decoded": 1, "shift_bound": 0, "released": true, "reason": "`+plan.Axes[2].Reason+`"}
			]}`, string(text))
	}
}

package walrus

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
)

// unusual returns a configuration in which no setting has its released value.
func unusual() Config {
	return Config{
		Name: `run "3": a/b`, Registry: data.MustRegistry("pressure", "y", "velocity_x", "123", "a: b"),
		Hidden: 96, Intermediate: 24, Blocks: 3, Heads: 4, Groups: 8, MLP: 160,
		DropPath: 1e-07, FieldDrop: 0.25, Causal: false, Dims: []int{1, 3}, Kernel: [2]int{6, 2},
		Jitter: JitterPadded, TimeBias: BiasNone, Norm: NormGroup, RoPE: RoPEPerAxis, APE: []int{33, 32, 1},
		CheckpointEvery: 3, Tokens: [3]int{8, 8, 4}, Strides: map[int][][2]int{2: {{1, 2}, {2, 2}}, 3: {{2, 2}}}, Prediction: PredictFull, ProjectionDim: 5,
	}
}

func TestConfigJSONKeysAreStable(t *testing.T) {
	got, err := json.Marshal(unusual())
	require.NoError(t, err)
	want := `{"name":"run \"3\": a/b",` +
		`"registry":{"closed_boundary":0,"open_boundary":1,"bias_correction":2,"pressure":3,"y":4,"velocity_x":5,"123":6,"a: b":7},` +
		`"hidden":96,"intermediate":24,"blocks":3,"heads":4,"groups":8,"mlp":160,"drop_path":1e-7,"field_drop":0.25,` +
		`"causal":false,"dims":[1,3],"kernel":[6,2],"jitter":"padded","time_bias":"none","norm":"group","rope":"per_axis",` +
		`"ape":[33,32,1],"checkpoint_every":3,"tokens":[8,8,4],"strides":{"2":[[1,2],[2,2]],"3":[[2,2]]},"prediction":"full","projection_dim":5}`
	assert.Equal(t, want, string(got))
}

func TestConfigJSONRoundTrip(t *testing.T) {
	for _, c := range []Config{Walrus(), HalfWalrus(), Micro(), unusual(), {}} {
		b, err := json.Marshal(c)
		require.NoError(t, err)
		var back Config
		require.NoError(t, json.Unmarshal(b, &back))
		assert.Equal(t, c, back)
	}
}

func TestConfigJSONErrors(t *testing.T) {
	for text, want := range map[string]string{
		`{"hiden": 3}`:                        `unknown field "hiden"`,
		`{"hidden": "wide"}`:                  "hidden",
		`{"jitter": "sometimes"}`:             `jitter mode: expected fixed or padded or off, got "sometimes"`,
		`{"time_bias": "rotary"}`:             "does not implement",
		`{"registry": {"pressure": 0}}`:       `expected "closed_boundary" at index 0`,
		`{"registry": ["pressure"]}`:          "expected a JSON object",
		`[]`:                                  "cannot unmarshal array",
		`{"kernel": [8, 4], "norm": "batch"}`: "norm form: expected channel or group",
	} {
		c := Micro()
		err := json.Unmarshal([]byte(text), &c)
		assert.ErrorContains(t, err, want, text)
		assert.Equal(t, Micro(), c, "an error leaves the value alone: %s", text)
	}
	_, err := json.Marshal(Config{Norm: 7})
	assert.ErrorContains(t, err, "norm form: expected 0 to 1 (channel, group), got 7")
}

func TestConfigEnumNames(t *testing.T) {
	assert.Equal(t, []string{"fixed", "padded", "off"},
		[]string{JitterFixed.String(), JitterPadded.String(), JitterOff.String()})
	assert.Equal(t, []string{"rel", "none"}, []string{BiasRelative.String(), BiasNone.String()})
	assert.Equal(t, []string{"channel", "group"}, []string{NormChannel.String(), NormGroup.String()})
	assert.Equal(t, []string{"fixed", "shared", "per_axis"},
		[]string{RoPEFixed.String(), RoPEShared.String(), RoPEPerAxis.String()})
	assert.Equal(t, []string{"delta", "full"}, []string{PredictDelta.String(), PredictFull.String()})
	assert.Equal(t, "unknown(9)", Prediction(9).String())
}

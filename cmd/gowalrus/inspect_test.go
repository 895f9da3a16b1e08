package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/gowalrus/gowalrus/internal/progress/command"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/nano"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// object runs inspect with --json and decodes its one object.
func object(t *testing.T, args ...string) map[string]any {
	t.Helper()
	text := inspectText(t, append(args, "--json")...)
	dec := json.NewDecoder(strings.NewReader(text))
	var v map[string]any
	require.NoError(t, dec.Decode(&v))
	assert.False(t, dec.More(), "one object only")
	return v
}

// inspectText runs inspect and returns its output.
func inspectText(t *testing.T, args ...string) string {
	t.Helper()
	return output(t, append([]string{"inspect"}, args...)...)
}

func TestInspectPreset(t *testing.T) {
	assert.True(t, strings.HasPrefix(inspectText(t, "--preset", "walrus", "--json"), `{"tensors":857,"parameters":1286199047,"bytes":5144797948,`))
	assert.Equal(t, object(t, "--preset", "walrus"), object(t), "the default")
	text := inspectText(t, "--preset", "walrus")
	for _, want := range []string{"857 tensors, 1,286,199,047 parameters, 5.14 GB in float32",
		"blocks          1,111,016,960", "embed              87,592,384", "debed              87,589,702", "40 blocks of width 1408 with 16 heads"} {
		assert.Contains(t, text, want)
	}
}

func TestInspectPlan(t *testing.T) {
	args := []string{"--preset", "walrus", "--grid", "256x512", "--boundary", "periodic,wall"}
	text := inspectText(t, args...)
	assert.Contains(t, text, "axis 0: 256 points, periodic: patch 8")
	assert.Contains(t, text, "axis 1: 512 points, wall: patch 16")
	assert.Contains(t, text, "512 points are the target of 32 tokens times 16")
	plan := object(t, args...)["plan"].(map[string]any)
	assert.Equal(t, []any{32., 33., 1.}, plan["token_grid"])
	assert.Equal(t, true, plan["released"])
	text = inspectText(t, "--grid", "128x64x16", "--boundary", "wall/open,periodic,closed")
	assert.Contains(t, text, "axis 0: 128 points, wall/open")
	assert.Contains(t, text, "axis 2: 16 points, wall")
}

func TestInspectConfigFile(t *testing.T) {
	v := object(t, "--config", golden.Path(t, "extended_config.yaml"))
	assert.Equal(t, 59., v["tensors"])
	assert.Equal(t, 428471., v["parameters"])
	assert.Equal(t, "tiny-walrus", v["config"].(map[string]any)["name"])
}

func TestInspectCheckpoint(t *testing.T) {
	tiny := golden.Path(t, "tiny_walrus.pt")
	v := object(t, "--checkpoint", tiny)
	assert.Equal(t, 428471., v["parameters"], "the network's, from the configuration beside the file")
	c := v["checkpoint"].(map[string]any)
	assert.Equal(t, true, c["fits"])
	assert.Equal(t, "app.model", c["where"])
	assert.Equal(t, map[string]any{"F32": 59.}, c["dtypes"])
	assert.Contains(t, inspectText(t, "--checkpoint", tiny), "fits the network")

	c = object(t, "--checkpoint", tiny, "--preset", "micro")["checkpoint"].(map[string]any)
	assert.Equal(t, false, c["fits"])
	fit := c["fit"].(map[string]any)
	assert.Contains(t, fit["unexpected"], "blocks.1.space_mixing.ff_out.bias")
	text := inspectText(t, "--checkpoint", tiny, "--preset", "micro")
	assert.Contains(t, text, "does not fit the network")
	assert.Contains(t, text, "blocks.0.space_mixing.ff_out.bias: expected shape [32], got [64]")

	text = inspectText(t, "--checkpoint", golden.Path(t, "micro_checkpoints/step_1"))
	for _, want := range []string{"38 tensors", "the state of an optimizer is saved too", "step 1", "epoch 1", "validation loss 0.5",
		"not compared with a network: walrus: checkpoint: expected extended_config.yaml"} {
		assert.Contains(t, text, want)
	}
}

// TestInspectShippedWeights: the names of the shipped weights work as in the other programs.
func TestInspectShippedWeights(t *testing.T) {
	for _, name := range nano.Names() {
		text := inspectText(t, "--weights", name, "--grid", "64x64", "--boundary", "wall,open")
		for _, want := range []string{"network walrus-nano (weights " + name + ")", "checkpoint " + name, "F16", "fits the network", "axis 1: 64 points, open"} {
			assert.Contains(t, text, want)
		}
		assert.NotContains(t, text, os.TempDir())
	}
}

func TestInspectOwnCheckpoint(t *testing.T) {
	w, err := walrus.InitWeights(walrus.Micro(), 1)
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "c")
	require.NoError(t, walrus.SaveCheckpoint(dir, walrus.Checkpoint{Weights: w, Step: 41}))
	text := inspectText(t, "--checkpoint", dir, "--grid", "128x128", "--boundary", "wall,open")
	for _, want := range []string{"network micro", "step 41", "fits the network", "axis 1: 128 points, open"} {
		assert.Contains(t, text, want)
	}
}

// TestInspectAdvice: the report shows the record of the training, and the properties of a plan
// that it lacks.
func TestInspectAdvice(t *testing.T) {
	w, err := walrus.InitWeights(walrus.Micro(), 1)
	require.NoError(t, err)
	defer w.Close()
	m, err := walrus.NewModel(w.Config())
	require.NoError(t, err)
	wall := data.Both(data.Wall)
	plan, err := m.Plan([]int{64, 64}, data.Boundaries{wall, wall})
	require.NoError(t, err)
	w.Coverage().Count(plan, 6, 100)
	dir := filepath.Join(t.TempDir(), "c")
	require.NoError(t, walrus.SaveCheckpoint(dir, walrus.Checkpoint{Weights: w}))
	text := inspectText(t, "--checkpoint", dir, "--grid", "64x64", "--boundary", "wall,wall")
	assert.Contains(t, text, "trained on\n  2D: 100 windows, axes of 64 to 64 points")
	assert.NotContains(t, text, "advice")
	text = inspectText(t, "--checkpoint", dir, "--grid", "64x64", "--boundary", "wall,open", "--history", "2")
	assert.Contains(t, text, "advice (history): histories of 2 frames were not trained")
	assert.Contains(t, text, "advice (boundary): axis 1 of 64 points: boundaries open were not trained")
	v := object(t, "--checkpoint", dir, "--grid", "16x16x16", "--boundary", "wall,wall,wall")
	assert.Equal(t, "dimension", v["advice"].([]any)[0].(map[string]any)["kind"])
	assert.Equal(t, 100., v["coverage"].(map[string]any)["dims"].(map[string]any)["2"].(map[string]any)["windows"])
}

func TestInspectBackend(t *testing.T) {
	b := object(t, "--backend")["backend"].(map[string]any)
	assert.NotEmpty(t, b["config"])
	assert.NotEmpty(t, b["devices"])
	text := inspectText(t, "--backend")
	assert.Contains(t, text, "a matrix product came out right")
	assert.NotContains(t, text, "network")
}

func TestInspectErrors(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "broken.pt")
	require.NoError(t, os.WriteFile(broken, []byte("PK\x03\x04"), 0o666))
	for args, c := range map[string]struct {
		want  string
		usage bool
	}{
		"--nonsense":                     {"unknown flag: --nonsense", true},
		"stray":                          {`expected flags only, got ["stray"]`, true},
		"--preset huge":                  {`expected one of walrus, half-walrus, small, tiny, micro, got "huge"`, true},
		"--preset micro --config a.yaml": {"expected --preset or --config, got both", true},
		"--grid 64x64":                   {"expected --boundary with --grid", true},
		"--boundary wall":                {"expected --grid with --boundary", true},
		"--grid 64by64 --boundary wall":  {`expected positive numbers joined by x, such as 256x512, got "64by64"`, true},
		"--grid 0 --boundary wall":       {"expected positive numbers", true},
		"--history 3":                    {"expected --history of 1 or more, with --grid or --fit, got 3", true},
		"--grid 1x1x1x1 --boundary wall,wall,wall,wall":     {"expected one to three axes, got 4", true},
		"--grid 64x64 --boundary wall":                      {"expected 2 axes as in --grid 64x64, got 1", true},
		"--grid 64 --boundary slippery":                     {`axis 0: "slippery"`, true},
		"--grid 64 --boundary periodic/wall":                {`axis 0: "periodic/wall"`, true},
		"--config none.yaml":                                {"none.yaml", false},
		"--checkpoint none.pt":                              {"none.pt", false},
		"--checkpoint " + broken:                            {broken, false},
		"--checkpoint " + golden.Path(t, "well"):            {"expected manifest.json, or extended_config.yaml with a .pt or .safetensors file", false},
		"--grid 64 --boundary wall --backend --preset none": {`got "none"`, true},
	} {
		t.Run(args, func(t *testing.T) {
			var b bytes.Buffer
			_, err := run(context.Background(), append([]string{"inspect"}, strings.Fields(args)...), &b, io.Discard)
			require.ErrorContains(t, err, c.want)
			assert.Equal(t, c.usage, errors.Is(err, command.ErrUsage), "exit status 2 or 1")
			assert.NotContains(t, err.Error(), "\n", "one line")
			assert.Empty(t, b.String())
		})
	}
}

// TestInspectFit: --fit lists forecasts and trainings with their memory.
func TestInspectFit(t *testing.T) {
	text := inspectText(t, "--preset", "walrus", "--fit", "12GiB")
	for _, want := range []string{"memory on the grid [256 256] with 6 frames and 5 channels, at most 12.00 GiB",
		"forecast, weights in int8 ", "fits, up to ", "train all weights, checkpoint_every 2 ", "does not fit"} {
		assert.Contains(t, text, want)
	}
	fit := object(t, "--preset", "small", "--grid", "64x64", "--boundary", "wall,wall", "--fit", "800MB", "--history", "4")["fit"].(map[string]any)
	assert.Equal(t, 8e8, fit["bytes"])
	assert.Equal(t, 4., fit["history"])
	assert.Equal(t, []any{64., 64.}, fit["grid"])
	assert.Len(t, fit["uses"], 9)
	for args, want := range map[string]string{"--fit 12": `--fit: expected a size such as 12GiB or 800MB, got "12"`, "--fit -1GiB": "--fit: expected a size"} {
		_, err := run(context.Background(), append([]string{"inspect"}, strings.Fields(args)...), io.Discard, io.Discard)
		assert.ErrorContains(t, err, want)
	}
}

// TestInspectPeerPreset: the presets of package peers are counted, as in Table 4 of the paper.
func TestInspectPeerPreset(t *testing.T) {
	assert.Equal(t, "network poseidon-l (Poseidon): 1,580 tensors, 628,575,524 parameters, 2.51 GB in float32\n", inspectText(t, "--preset", "poseidon-l"))
	assert.Equal(t, 407055628.0, object(t, "--preset", "mpp-avit-l")["parameters"])
}

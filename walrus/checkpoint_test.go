package walrus_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
)

// note is a part that holds a text.
func note(name, text string) walrus.Part {
	return walrus.Part{Name: name, Write: func(path string) error { return os.WriteFile(path, []byte(text), 0o666) }}
}

// microCheckpoint returns a checkpoint at a step; the step is the seed of its weights.
func microCheckpoint(t *testing.T, step int64) walrus.Checkpoint {
	t.Helper()
	w := initMicro(t, uint64(step))
	w.SetScaling(walrus.Scaling{Normalization: walrus.NormalizeMeanStd, Eps: 1e-8,
		Statistics: &data.Statistics{RMS: map[string][]float64{"density": {1.5}}}})
	return walrus.Checkpoint{
		Weights: w,
		Step:    step,
		Extra:   map[string]json.RawMessage{"rng": json.RawMessage(`{"state":[1,2]}`)},
		Parts:   []walrus.Part{note(walrus.OptimizerFile, "moments")},
	}
}

// saved writes a checkpoint in a new folder and returns it.
func saved(t *testing.T, step int64) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "last")
	require.NoError(t, walrus.SaveCheckpoint(dir, microCheckpoint(t, step)))
	return dir
}

// requireStep opens a checkpoint and checks that it is complete and of the given step.
func requireStep(t *testing.T, dir string, step int64) *walrus.Manifest {
	t.Helper()
	m, err := walrus.OpenCheckpoint(dir)
	require.NoError(t, err)
	require.Equal(t, step, m.Step)
	w, _, err := walrus.LoadWeights(m.Path(walrus.WeightsFile), m.Config, walrus.LoadOptions{})
	require.NoError(t, err)
	defer w.Close()
	requireSameWeights(t, initMicro(t, uint64(step)), w)
	return m
}

// names lists the files of a folder, hidden files included.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	out := []string{}
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func TestCheckpointRoundTrip(t *testing.T) {
	dir := saved(t, 7)
	c := microCheckpoint(t, 7)
	m := requireStep(t, dir, 7)
	assert.Equal(t, 3, m.FormatVersion)
	assert.Equal(t, walrus.Micro(), m.Config)
	assert.Equal(t, c.Weights.Scaling(), m.Scaling)
	assert.JSONEq(t, `{"state":[1,2]}`, string(m.Extra["rng"]))
	assert.Equal(t, []string{walrus.ManifestFile, walrus.WeightsFile, walrus.OptimizerFile}, names(t, dir))
	assert.Equal(t, []string{"last"}, names(t, filepath.Dir(dir)), "nothing is left beside the folder")
	part, ok := m.Part(walrus.OptimizerFile)
	require.True(t, ok)
	assert.EqualValues(t, len("moments"), part.Bytes)

	require.NoError(t, walrus.SaveCheckpoint(dir, microCheckpoint(t, 8)))
	requireStep(t, dir, 8)
	assert.Equal(t, []string{"last"}, names(t, filepath.Dir(dir)))
}

// TestCheckpointInterrupted sets up the folders that an interrupted save leaves
// behind. It expects to read the newest complete checkpoint and to save again.
func TestCheckpointInterrupted(t *testing.T) {
	rename := func(t *testing.T, from, to string) { t.Helper(); require.NoError(t, os.Rename(from, to)) }
	for name, c := range map[string]struct {
		interrupt func(t *testing.T, dir, partial, previous string)
		found     int64
	}{
		"while writing": {func(t *testing.T, dir, partial, previous string) {
			require.NoError(t, os.Mkdir(partial, 0o777))
			require.NoError(t, os.WriteFile(filepath.Join(partial, walrus.WeightsFile), []byte("half"), 0o666))
		}, 1},
		"after moving the old aside": {func(t *testing.T, dir, partial, previous string) {
			rename(t, saved(t, 2), partial)
			rename(t, dir, previous)
		}, 1},
		"before removing the old": {func(t *testing.T, dir, partial, previous string) {
			rename(t, dir, previous)
			rename(t, saved(t, 2), dir)
		}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			dir := saved(t, 1)
			parent := filepath.Dir(dir)
			require.NoError(t, os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("mine"), 0o666))
			c.interrupt(t, dir, filepath.Join(parent, ".last.partial"), filepath.Join(parent, ".last.previous"))
			requireStep(t, dir, c.found)
			found, err := walrus.FindCheckpoint(dir)
			require.NoError(t, err)
			assert.Equal(t, c.found, found.Manifest.Step)
			require.NoError(t, walrus.SaveCheckpoint(dir, microCheckpoint(t, 3)))
			requireStep(t, dir, 3)
			assert.Equal(t, []string{"last"}, names(t, parent))
			assert.Contains(t, names(t, dir), "notes.txt", "files of others survive")
		})
	}
}

// TestCheckpointSaveFails checks that a failed save leaves the old checkpoint
// and nothing else.
func TestCheckpointSaveFails(t *testing.T) {
	with := func(parts ...walrus.Part) func(c *walrus.Checkpoint) {
		return func(c *walrus.Checkpoint) { c.Parts = parts }
	}
	for name, c := range map[string]struct {
		spoil func(c *walrus.Checkpoint)
		want  string
	}{
		"part fails":          {with(walrus.Part{Name: "x", Write: func(string) error { return errors.New("disk full") }}), `part "x": disk full`},
		"part writes nothing": {with(walrus.Part{Name: "x", Write: func(string) error { return nil }}), `part "x": expected it to be written`},
		"path as name":        {with(note("a/b", "")), `part "a/b": expected a plain file name`},
		"parent as name":      {with(note("..", "")), `part "..": expected a plain file name`},
		"manifest as name":    {with(note(walrus.ManifestFile, "")), "expected a plain file name other than manifest.json"},
		"weights as name":     {with(note(walrus.WeightsFile, "")), "expected every name once"},
		"extra is no JSON": {func(c *walrus.Checkpoint) {
			c.Extra["rng"] = json.RawMessage("{")
		}, "manifest"},
		"freed weights": {func(c *walrus.Checkpoint) { c.Weights.Close() }, "the weights were freed"},
		"no weights":    {func(c *walrus.Checkpoint) { c.Weights = nil }, "expected weights, got none"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := saved(t, 1)
			check := microCheckpoint(t, 2)
			c.spoil(&check)
			err := walrus.SaveCheckpoint(dir, check)
			assert.ErrorContains(t, err, c.want)
			assert.ErrorContains(t, err, dir)
			requireStep(t, dir, 1)
			assert.Equal(t, []string{"last"}, names(t, filepath.Dir(dir)))
		})
	}
}

// TestCheckpointRefusesFolders: a save does not replace a folder that is not a
// checkpoint.
func TestCheckpointRefusesFolders(t *testing.T) {
	dir := t.TempDir()
	c := microCheckpoint(t, 1)
	empty := filepath.Join(dir, "empty")
	require.NoError(t, os.Mkdir(empty, 0o777))
	require.NoError(t, walrus.SaveCheckpoint(empty, c))
	requireStep(t, empty, 1)
	require.NoError(t, walrus.SaveCheckpoint(filepath.Join(dir, "new", "nested")+"/", c))
	requireStep(t, filepath.Join(dir, "new", "nested"), 1)

	foreign := filepath.Join(dir, "photos")
	require.NoError(t, os.Mkdir(foreign, 0o777))
	require.NoError(t, os.WriteFile(filepath.Join(foreign, "cat.jpg"), nil, 0o666))
	assert.ErrorContains(t, walrus.SaveCheckpoint(foreign, c), `got a folder with "cat.jpg" and no manifest.json`)
	assert.Equal(t, []string{"cat.jpg"}, names(t, foreign))
	assert.ErrorContains(t, walrus.SaveCheckpoint(filepath.Join(foreign, "cat.jpg"), c), "expected a folder")
	for _, path := range []string{".", "..", "/", ""} {
		assert.ErrorContains(t, walrus.SaveCheckpoint(path, c), "expected the path of a folder to create or replace")
	}
}

// TestCheckpointDamage finds every kind of damage and names the file.
func TestCheckpointDamage(t *testing.T) {
	for _, part := range []string{walrus.WeightsFile, walrus.OptimizerFile} {
		for name, c := range map[string]struct {
			damage func(b []byte) []byte
			want   string
		}{
			"a flipped bit": {func(b []byte) []byte { b[len(b)/2] ^= 1; return b }, "is damaged: expected SHA-256"},
			"truncated":     {func(b []byte) []byte { return b[:len(b)-1] }, "is damaged: expected"},
			"longer":        {func(b []byte) []byte { return append(b, 0) }, "is damaged: expected"},
			"missing":       {nil, "no such file"},
		} {
			t.Run(part+" "+name, func(t *testing.T) {
				dir := saved(t, 1)
				path := filepath.Join(dir, part)
				b, err := os.ReadFile(path)
				require.NoError(t, err)
				require.NoError(t, os.Remove(path))
				if c.damage != nil {
					require.NoError(t, os.WriteFile(path, c.damage(b), 0o666))
				}
				_, err = walrus.OpenCheckpoint(dir)
				assert.ErrorContains(t, err, c.want)
				assert.ErrorContains(t, err, path)
				found, err := walrus.FindCheckpoint(dir)
				if name != "a flipped bit" {
					assert.ErrorContains(t, err, path)
					return
				}
				require.NoError(t, err, "finding does not read the parts")
				w, _, err := found.Load(walrus.LoadOptions{})
				if part == walrus.WeightsFile {
					assert.ErrorContains(t, err, path+" is damaged")
					return
				}
				require.NoError(t, err, "the weights are whole")
				w.Close()
			})
		}
	}
}

// TestCheckpointManifests: manifests that SaveCheckpoint cannot have written are errors.
func TestCheckpointManifests(t *testing.T) {
	dir := saved(t, 1)
	path := filepath.Join(dir, walrus.ManifestFile)
	good, err := os.ReadFile(path)
	require.NoError(t, err)
	_, sum, _ := strings.Cut(string(good[strings.LastIndex(string(good), `"sha256"`):]), `: "`)
	sum = sum[:64]
	for name, c := range map[string]struct{ old, new, want string }{
		"newer format":  {`"format_version": 3`, `"format_version": 5`, "expected format_version 1 to 4, got 5; a newer version of this library may read it"},
		"no version":    {`"format_version": 3,`, ``, "expected a format_version, got none"},
		"no JSON":       {`{`, `[`, "expected a JSON object"},
		"unknown key":   {`"step": 1`, `"stap": 1`, "stap"},
		"bad config":    {`"hidden": 32`, `"hidden": -1`, "hidden"},
		"normalization": {`"mean_std"`, `"median"`, "expected rms or mean_std"},
		"leaves the folder": {`"name": "model.safetensors"`, `"name": "../model.safetensors"`,
			`part "../model.safetensors": expected a plain file name`},
		"another step":    {`"step": 1`, `"step": 2`, "the manifest is damaged: expected SHA-256 "},
		"another space":   {`"step": 1`, `"step":  1`, "the manifest is damaged: expected SHA-256 "},
		"no checksum":     {`"sha256": "` + sum, `"sha256": "`, "the manifest is damaged: expected a SHA-256 of 64 digits, got \"\""},
		"earlier version": {`"format_version": 3`, `"format_version": 2`, "the manifest is damaged: expected SHA-256 "},
		"no UTF-8":        {`"name": "micro"`, "\"name\": \"m\xffcro\"", "the manifest is damaged: expected UTF-8 text"},
		"twice":           {`"name": "optimizer.safetensors"`, `"name": "model.safetensors"`, "expected every name once"},
		"no weights":      {`"name": "model.safetensors"`, `"name": "weights.safetensors"`, "expected a part model.safetensors"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, string(good), c.old)
			require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(good), c.old, c.new, 1)), 0o666))
			_, err := walrus.OpenCheckpoint(dir)
			assert.ErrorContains(t, err, c.want)
			assert.ErrorContains(t, err, path)
		})
	}
}

// TestLoadWhileSaving reads a checkpoint in a loop while another goroutine saves to the
// folder. Every load has the weights, the scaling and the step of one save.
func TestLoadWhileSaving(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "last")
	var saves [2]walrus.Checkpoint
	for i := range saves {
		saves[i] = microCheckpoint(t, int64(i+1))
		saves[i].Weights.SetScaling(walrus.Scaling{Eps: float64(i + 1)})
	}
	require.NoError(t, walrus.SaveCheckpoint(dir, saves[0]))
	stop, done := make(chan struct{}), make(chan error, 1)
	go func() {
		for i := 1; ; i++ {
			select {
			case <-stop:
				done <- nil
				return
			default:
			}
			if err := walrus.SaveCheckpoint(dir, saves[i%2]); err != nil {
				done <- err
				return
			}
		}
	}()
	seen := map[float64]int{}
	for range 50 {
		found, err := walrus.FindCheckpoint(dir)
		require.NoError(t, err)
		w, _, err := found.Load(walrus.LoadOptions{})
		require.NoError(t, err)
		eps := w.Scaling().Eps
		seen[eps]++
		requireSameWeights(t, saves[int(eps)-1].Weights, w)
		w.Close()
		_, err = walrus.OpenCheckpoint(dir)
		require.NoError(t, err)
	}
	close(stop)
	require.NoError(t, <-done)
	assert.Len(t, seen, 2)
}

// TestLoadReplaced: a checkpoint that was replaced since it was found is loaded as it is
// now; that of another network is an error.
func TestLoadReplaced(t *testing.T) {
	dir := saved(t, 1)
	found, err := walrus.FindCheckpoint(dir)
	require.NoError(t, err)
	require.NoError(t, walrus.SaveCheckpoint(dir, microCheckpoint(t, 2)))
	w, _, err := found.Load(walrus.LoadOptions{})
	require.NoError(t, err)
	defer w.Close()
	requireSameWeights(t, initMicro(t, 2), w)

	other := walrus.Micro()
	other.Name = "other"
	weights, err := walrus.InitWeights(other, 3)
	require.NoError(t, err)
	defer weights.Close()
	require.NoError(t, walrus.SaveCheckpoint(dir, walrus.Checkpoint{Weights: weights}))
	_, _, err = found.Load(walrus.LoadOptions{})
	assert.ErrorContains(t, err, "expected the network that was found, got another after a save; find the checkpoint again")
}

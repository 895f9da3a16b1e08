package walrus_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/gowalrus/gowalrus/internal/safetensors"
	"github.com/gowalrus/gowalrus/walrus"
)

// hostTensor is a tensor of a file under construction.
type hostTensor struct {
	dtype  string
	shape  []int
	values []float32
}

// microTensors returns the initial tensors of the smallest network, which tests damage.
func microTensors(t *testing.T) map[string]hostTensor {
	t.Helper()
	w := initMicro(t, 1)
	out := map[string]hostTensor{}
	for _, p := range w.Params() {
		out[p.Key] = hostTensor{safetensors.F32, p.Dims, valuesOf(t, w, p.Key)}
	}
	return out
}

// writeTensors writes a safetensors file and returns its path.
func writeTensors(t *testing.T, all map[string]hostTensor) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "w.safetensors")
	var infos []safetensors.Info
	for name, x := range all {
		infos = append(infos, safetensors.Info{Name: name, DType: x.dtype, Shape: x.shape})
	}
	out, err := safetensors.Create(path, infos, nil)
	require.NoError(t, err)
	for name, x := range all {
		if x.dtype == safetensors.I32 {
			require.NoError(t, out.WriteInt32(name, make([]int32, len(x.values))))
			continue
		}
		require.NoError(t, out.WriteFloat32(name, x.values))
	}
	require.NoError(t, out.Close())
	return path
}

const (
	fusedKey = "blocks.0.space_mixing.fused_ff_qkv.weight"
	attnKey  = "blocks.0.space_mixing.attn_out.weight"
	scaleKey = "encoder_dummy"
)

// TestLoadMisfit checks the reports for files that do not fit and the options that accept
// them.
func TestLoadMisfit(t *testing.T) {
	for name, c := range map[string]struct {
		damage func(all map[string]hostTensor)
		want   []string
		allow  walrus.LoadOptions
	}{
		"missing": {func(all map[string]hostTensor) { delete(all, fusedKey); delete(all, scaleKey) },
			[]string{"2 missing in the file:", "\n  " + fusedKey, "\n  " + scaleKey}, walrus.LoadOptions{AllowMissing: true}},
		"unexpected": {func(all map[string]hostTensor) { all["blocks.1.extra"] = all[scaleKey] },
			[]string{"1 unexpected in the file:\n  blocks.1.extra"}, walrus.LoadOptions{AllowUnexpected: true}},
		"two tensors exchanged": {func(all map[string]hostTensor) { all[fusedKey], all[attnKey] = all[attnKey], all[fusedKey] },
			[]string{"2 of another shape or type:", fusedKey + ": expected shape [224 32], got [32 32]", attnKey + ": expected shape [32 32], got [224 32]"},
			walrus.LoadOptions{AllowMismatched: true}},
		"transposed": {func(all map[string]hostTensor) {
			x := all[fusedKey]
			x.shape = []int{32, 224}
			all[fusedKey] = x
		}, []string{"expected shape [224 32], got [32 224]"}, walrus.LoadOptions{AllowMismatched: true}},
		"integers": {func(all map[string]hostTensor) {
			x := all[scaleKey]
			x.dtype = safetensors.I32
			all[scaleKey] = x
		}, []string{scaleKey + ": expected floating-point numbers, got I32"}, walrus.LoadOptions{AllowMismatched: true}},
		"all at once": {func(all map[string]hostTensor) {
			delete(all, scaleKey)
			all["a"] = all[attnKey]
			all[attnKey] = all[fusedKey]
		}, []string{"1 missing", "1 unexpected", "1 of another shape"},
			walrus.LoadOptions{AllowMissing: true, AllowUnexpected: true, AllowMismatched: true}},
	} {
		t.Run(name, func(t *testing.T) {
			all := microTensors(t)
			c.damage(all)
			path := writeTensors(t, all)
			w, report, err := walrus.LoadWeights(path, walrus.Micro(), walrus.LoadOptions{})
			assert.Nil(t, w)
			require.NotNil(t, report)
			var misfit *walrus.LoadError
			require.ErrorAs(t, err, &misfit)
			assert.Same(t, report, misfit.Report)
			for _, want := range append(c.want, path) {
				assert.ErrorContains(t, err, want)
				assert.Contains(t, report.String(), want)
			}
			checked, err := walrus.CheckWeights(path, walrus.Micro(), walrus.LoadOptions{})
			assert.ErrorAs(t, err, &misfit)
			assert.Equal(t, report, checked)

			c.allow.Seed = 9
			w, _, err = walrus.LoadWeights(path, walrus.Micro(), c.allow)
			require.NoError(t, err)
			defer w.Close()
			fresh := initMicro(t, 9)
			for _, p := range w.Params() {
				want := all[p.Key].values
				if x, ok := all[p.Key]; !ok || x.dtype != safetensors.F32 || !assert.ObjectsAreEqual(x.shape, p.Dims) {
					want = valuesOf(t, fresh, p.Key)
				}
				requireSameBits(t, p.Key, want, valuesOf(t, w, p.Key))
			}
		})
	}
}

// TestLoadWrongRegistry checks the hint for files with other fields.
func TestLoadWrongRegistry(t *testing.T) {
	cfg := goldenConfig(t)
	cfg.Registry = data.ReleasedRegistry()
	path := golden.Path(t, "tiny_walrus.pt")
	_, _, err := walrus.LoadWeights(path, cfg, walrus.LoadOptions{})
	assert.ErrorContains(t, err, "6 of another shape or type")
	assert.ErrorContains(t, err, "knows 11 field columns, the configuration 67: LoadOptions.Source must be")
	_, _, err = walrus.LoadWeights(path, cfg, walrus.LoadOptions{Source: data.MustRegistry("a", "b")})
	assert.ErrorContains(t, err, "knows 11 field columns, LoadOptions.Source 5")
}

// TestLoadForeign checks the errors for files that are not weights of this network.
func TestLoadForeign(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o666))
		return path
	}
	cut := func(name string, keep float64) string {
		b, err := os.ReadFile(golden.Path(t, name))
		require.NoError(t, err)
		return write("cut_"+name, string(b[:int(keep*float64(len(b)))]))
	}
	for name, c := range map[string]struct{ path, want string }{
		"empty .pt":             {write("empty.pt", ""), "got an empty one"},
		"empty .safetensors":    {write("empty.safetensors", ""), "got an empty one"},
		"LFS pointer":           {write("lfs.safetensors", "version https://git-lfs.github.com/spec/v1\noid"), "git lfs pull"},
		"text":                  {write("text.safetensors", strings.Repeat("hello ", 20)), "text.safetensors"},
		"text as .pt":           {write("text.pt", strings.Repeat("hello ", 20)), "text.pt"},
		"folder":                {dir, "got a folder"},
		"none":                  {filepath.Join(dir, "none.pt"), "none.pt"},
		"half a .pt":            {cut("tiny_walrus.pt", 0.5), "cut_tiny_walrus.pt"},
		"half a .safetensors":   {cut("tiny_walrus.safetensors", 0.5), "cut_tiny_walrus.safetensors"},
		"a sliver":              {write("sliver.safetensors", "\x00\x01"), "expected at least 8 bytes"},
		"another file's names":  {golden.Path(t, "a_rmsgroupnorm.safetensors"), "none of the network's tensors"},
		"metadata, not weights": {golden.Path(t, "micro_checkpoints/step_1/metadata.pt"), "expected tensors"},
	} {
		t.Run(name, func(t *testing.T) {
			w, _, err := walrus.LoadWeights(c.path, goldenConfig(t), walrus.LoadOptions{AllowMissing: true, AllowUnexpected: true})
			assert.Nil(t, w)
			assert.ErrorContains(t, err, c.want)
			assert.ErrorContains(t, err, filepath.Base(c.path))
		})
	}
}

package walrus

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/yamltext"
)

// yamlOf returns the YAML text of a configuration.
func yamlOf(t *testing.T, c Config) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, c.WriteYAML(&b, Scaling{}))
	return b.String()
}

func TestConfigYAMLRoundTrip(t *testing.T) {
	configs := map[string]Config{"unusual": unusual()}
	for _, name := range PresetNames() {
		configs[name], _ = Preset(name)
	}
	one := func(name string, change func(*Config)) {
		c := Tiny()
		change(&c)
		configs[name] = c
	}
	one("jitter off", func(c *Config) { c.Jitter = JitterOff })
	one("jitter padded", func(c *Config) { c.Jitter = JitterPadded })
	one("shared rope", func(c *Config) { c.RoPE = RoPEShared })
	one("ape alone", func(c *Config) { c.APE = []int{32, 33, 1} })
	one("no name", func(c *Config) { c.Name = "" })
	one("one token target", func(c *Config) { c.Tokens[2] = 8 })
	for name, c := range configs {
		t.Run(name, func(t *testing.T) {
			back, err := ParseConfig([]byte(yamlOf(t, c)))
			require.NoError(t, err)
			assert.Equal(t, c, back)
		})
	}
}

// Names that YAML would read as other types without quotes are read back as strings.
func TestConfigYAMLQuotes(t *testing.T) {
	for _, s := range []string{
		"null", "~", "true", "Yes", "no", "y", "OFF", "1", "1e5", "0x10", "-", "- a", "a: b", "a #b", "#b", " a ", "'", `"`, `\`,
		"*a", "&a", "!a", "|", ">", "%a", "@a", "`a`", "[a]", "{a}", "a,b", "?", ":", "<<", "---", "...", ".nan", ".inf", "=",
		"ä", "海象", "<b>&", "2001-01-01", "12:30:00", "${a}",
	} {
		c := Micro()
		c.Name = s
		c.Registry = data.MustRegistry("pressure", s)
		text := yamlOf(t, c)
		back, err := ParseConfig([]byte(text))
		require.NoError(t, err, "%q in\n%s", s, text)
		assert.Equal(t, c, back)
	}
}

func TestConfigYAMLRefusesToWriteAnInvalidConfig(t *testing.T) {
	c := Micro()
	c.Heads = 3
	var b strings.Builder
	assert.ErrorContains(t, c.WriteYAML(&b, Scaling{}), "hidden 32 is not divisible by heads 3")
	assert.Empty(t, b.String())
}

// An omitted key has the default of the release's constructor.
func TestConfigYAMLDefaults(t *testing.T) {
	text := yamlOf(t, Walrus())
	for _, key := range []string{"drop_path", "input_field_drop", "causal_in_time", "jitter_patches", "use_periodic_fixed_jitter",
		"gradient_checkpointing_freq", "projection_dim", "max_d", "static_axes", "override_dimensionality", "mlp_dim"} {
		text = without(t, text, key)
	}
	text = strings.Replace(text, "  include_d:\n  - 2\n  - 3\n", "", 1)
	text = strings.Replace(text, "finetuning_mods: {}\n", "", 1)
	text = strings.Replace(text, "name: walrus\n", "", 1)
	got, err := ParseConfig([]byte(text))
	require.NoError(t, err)
	want := Walrus()
	want.Name, want.DropPath, want.FieldDrop, want.Causal = "", 0.2, 0.1, false
	want.Jitter, want.CheckpointEvery, want.ProjectionDim = JitterPadded, 0, 0
	assert.Equal(t, want, got)
}

// without returns the text without the line of a key.
func without(t *testing.T, text, key string) string {
	t.Helper()
	lines := strings.SplitAfter(text, "\n")
	for i, l := range lines {
		if strings.HasPrefix(strings.TrimSpace(l), key+":") {
			return strings.Join(append(lines[:i:i], lines[i+1:]...), "")
		}
	}
	t.Fatalf("no key %s in\n%s", key, text)
	return ""
}

// Other YAML notations of the same settings are read alike.
func TestConfigYAMLForms(t *testing.T) {
	want := Micro()
	want.Dims = []int{3}
	want.DropPath = 1e-4
	text := yamlOf(t, want)
	for name, change := range map[string][]string{
		"flow list":       {"  include_d:\n  - 3\n", "  include_d: [3]\n"},
		"anchor":          {"hidden_dim: 32", "hidden_dim: &h 32"},
		"alias":           {"hidden_dim: 32", "hidden_dim: *h", "name: micro", "name: micro\nwidth: &h 32"},
		"YAML 1.2 float":  {"drop_path: 0.0001", "drop_path: 1e-4"},
		"integer as rate": {"input_field_drop: 0.0", "input_field_drop: 0"},
		"python's words":  {"causal_in_time: true", "causal_in_time: True"},
		"quoted string":   {"bias_type: rel", `bias_type: "rel"`},
		"long class name": {"_target_: walrus.models.IsotropicModel", "_target_: walrus.models.isotropic_model.IsotropicModel"},
		"comments":        {"model:\n", "# the network\nmodel: # here\n\n"},
		"document mark":   {"name: micro\n", "---\nname: micro\n"},
		"null mods":       {"finetuning_mods: {}", "finetuning_mods:"},
		"crlf":            {"\n", "\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			changed := strings.NewReplacer(change...).Replace(text)
			got, err := ParseConfig([]byte(changed))
			require.NoError(t, err, changed)
			assert.Equal(t, want, got)
		})
	}
	got, err := ParseConfig([]byte(strings.Replace(text, "  - 3\n", "  - 3\n  - 2\n", 1)))
	require.NoError(t, err)
	assert.Equal(t, []int{2, 3}, got.Dims, "the order in the file has no meaning")
}

func TestReadConfig(t *testing.T) {
	path := filepath.Join(t.TempDir(), "extended_config.yaml")
	require.NoError(t, os.WriteFile(path, []byte(yamlOf(t, Small())), 0o600))
	c, err := ReadConfig(path)
	require.NoError(t, err)
	assert.Equal(t, Small(), c)

	_, err = ReadConfig(path + ".missing")
	assert.ErrorIs(t, err, os.ErrNotExist)
	assert.ErrorContains(t, err, path+".missing")

	require.NoError(t, os.WriteFile(path, nil, 0o600))
	_, err = ReadConfig(path)
	assert.ErrorContains(t, err, path)
	assert.ErrorContains(t, err, "empty")

	require.NoError(t, os.WriteFile(path, make([]byte, yamltext.MaxBytes+1), 0o600))
	_, err = ReadConfig(path)
	assert.ErrorContains(t, err, "expected at most 524288 bytes of YAML, got more")
}

package walrus

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseConfigErrors(t *testing.T) {
	tests := []struct {
		name     string
		old, new string // replaced in the text of the Tiny preset
		want     []string
	}{
		{"unknown key in model", "  max_d: 3\n", "  max_d: 3\n  hiden_dim: 3\n", []string{`model\.hiden_dim \(line \d+\): unknown key; this library knows`, "hidden_dim"}},
		{"unknown key in encoder", "    learned_pad: true\n", "    learned_pad: true\n    stride: 4\n", []string{`model\.encoder\.stride \(line \d+\): unknown key`}},
		{"unknown key in attention", "      bias_type: rel\n", "      bias_type: rel\n      dropout: 0.1\n", []string{`model\.processor\.time_mixing\.dropout`}},
		{"merge key", "  max_d: 3\n", "  <<: {max_d: 3}\n", []string{`model\.<< \(line \d+\): unknown key`}},
		{"encoder class", "vstride_encoder.SpaceBagAdaptiveDVstrideEncoder", "hmlp.Encoder",
			[]string{`model\.encoder\._target_ \(line \d+\): expected walrus\.models\.encoders\.vstride_encoder\.SpaceBagAdaptiveDVstrideEncoder, got walrus\.models\.encoders\.hmlp\.Encoder`}},
		{"activation class", "torch.nn.SiLU", "torch.nn.GELU", []string{`model\.encoder\.activation\._target_ \(line \d+\): expected torch\.nn\.SiLU, got torch\.nn\.GELU`}},
		{"empty class", "_target_: torch.nn.Identity", "_target_: ''", []string{`channel_mixing\._target_ \(line \d+\): expected torch\.nn\.Identity, got`}},
		{"class of another type", "_target_: torch.nn.Identity", "_target_: 3", []string{`channel_mixing\._target_ \(line \d+\): expected a string, got 3`}},
		{"norm class", classNorm, "torch.nn.GroupNorm", []string{`model\.norm_layer\._target_ .* or gowalrus\.GroupRMSNorm, got torch\.nn\.GroupNorm`}},
		{"rotary time bias", "bias_type: rel", "bias_type: rotary", []string{`bias_type \(line \d+\): .*"rotary", which this library does not implement`}},
		{"string for integer", "hidden_dim: 64", "hidden_dim: wide", []string{`model\.hidden_dim \(line \d+\): expected an integer, got "wide"`}},
		{"float for integer", "hidden_dim: 64", "hidden_dim: 64.5", []string{`expected an integer, got 64\.5`}},
		{"mapping for integer", "hidden_dim: 64", "hidden_dim: {a: 1}", []string{`expected an integer, got a mapping`}},
		{"null for integer", "hidden_dim: 64", "hidden_dim: null", []string{`expected an integer, got null`}},
		{"integer too large", "hidden_dim: 64", "hidden_dim: 18446744073709551615", []string{`expected an integer, got 18446744073709551615`}},
		{"interpolation", "hidden_dim: 64", "hidden_dim: ${width}", []string{`got "\$\{width\}" \(an interpolation: save the resolved configuration\)`}},
		{"integer for switch", "causal_in_time: true", "causal_in_time: 1", []string{`model\.causal_in_time \(line \d+\): expected true or false, got 1`}},
		{"quoted rate", "drop_path: 0.0", "drop_path: '0.0'", []string{`model\.drop_path \(line \d+\): expected a number, got "0\.0"`}},
		{"rate out of range", "drop_path: 0.0", "drop_path: .nan", []string{`drop_path: expected a rate in \[0, 1\), got NaN`}},
		{"list for section", "  channel_mixing:\n", "  channel_mixing: []\n    was:\n", []string{`processor\.channel_mixing \(line \d+\): expected a mapping, got a list`}},
		{"scalar for section", "finetuning_mods: {}", "finetuning_mods: all", []string{`finetuning_mods \(line \d+\): expected a mapping, got "all"`}},
		{"missing size", "  hidden_dim: 64\n", "", []string{`model\.hidden_dim: missing: expected an integer`}},
		{"heads", "num_heads: 4\n      mlp_dim", "num_heads: 5\n      mlp_dim", []string{`time_mixing\.num_heads \(line \d+\): expected 5 as in space_mixing, got 4`}},
		{"heads not dividing", "num_heads: 4", "num_heads: 5", []string{`hidden 64 is not divisible by heads 5`}},
		{"narrow heads", "num_heads: 4", "num_heads: 8", []string{`head width 8`}},
		{"negative size", "processor_blocks: 2", "processor_blocks: -2", []string{`blocks: expected at least 1, got -2`}},
		{"stride mode", "variable_deterministic_ds: true", "variable_deterministic_ds: false", []string{`variable_deterministic_ds \(line \d+\): expected true, got false: only the stride chosen by the grid`}},
		{"stride switch missing", "    variable_downsample: true\n", "", []string{`model\.encoder\.variable_downsample: missing: expected true or false`}},
		{"padding", "learned_pad: true", "learned_pad: false", []string{`model\.encoder\.learned_pad`, `model\.decoder\.learned_pad`}},
		{"max_d", "max_d: 3", "max_d: 2", []string{`model\.max_d \(line \d+\): expected 3, got 2`}},
		{"override", "override_dimensionality: 0", "override_dimensionality: 2", []string{`expected 0 or null, got 2`}},
		{"dims", "  - 2\n  - 3\n", "  - 2\n", []string{`dims: expected 3 among them, got \[2\]`}},
		{"dims of strings", "  - 2\n  - 3\n", "  - two\n", []string{`model\.include_d \(line \d+\): expected a list of integers, got a list`}},
		{"kernels differ by axis", "    - - 8\n      - 4\n    groups", "    - - 4\n      - 4\n    groups", []string{`base_kernel_size3d \(line \d+\): expected the same pair of kernels for each of three axes, got \[\[8 4\] \[8 4\] \[4 4\]\]`}},
		{"field map missing", "data:\n  field_index_map_override:\n", "data:\n  other:\n", []string{`data\.field_index_map_override: missing: expected a mapping`}},
		{"field map empty", "data:\n", "data:\n  field_index_map_override: {}\nignored:\n", []string{`data\.field_index_map_override \(line \d+\): .*expected "closed_boundary" at index 0`}},
		{"field twice", "    pressure: 3\n", "    pressure: 3\n    pressure: 90\n", []string{`not a YAML document: .*mapping key "pressure" already defined`}},
		{"index twice", "    pressure: 3\n", "    pressure: 4\n", []string{`data\.field_index_map_override \(line \d+\): .*fields "pressure" and "velocity_x" share index 4`}},
		{"negative index", "    pressure: 3\n", "    pressure: -3\n", []string{`field "pressure" has the negative index -3`}},
		{"index of another type", "    pressure: 3\n", "    pressure: [3]\n", []string{`field_index_map_override\.pressure \(line \d+\): expected an integer, got a list`}},
		{"boundary entry missing", "    open_boundary: 1\n", "", []string{`expected "open_boundary" at index 1, as in the release`}},
		{"boundary entry elsewhere", "bias_correction: 2", "bias_correction: 99", []string{`expected "bias_correction" at index 2`}},
		{"empty field name", "    pressure: 3\n", "    '': 3\n", []string{`expected a field name as key`}},
		{"field name of another type", "    pressure: 3\n", "    12: 3\n", []string{`field_index_map_override\.12 \(line \d+\): expected a field name as key; quote it`}},
		{"prediction", "prediction_type: delta", "prediction_type: next", []string{`trainer\.prediction_type \(line \d+\): prediction: expected delta or full, got "next"`}},
		{"prediction missing", "  prediction_type: delta\n", "", []string{`trainer\.prediction_type: missing: expected a string`}},
		{"freeze", "finetuning_mods: {}", "finetuning_mods: {freeze: all}", []string{`finetuning_mods\.freeze \(line \d+\): unknown key; this library knows learnable_rope, rope_per_axis, ape_shape`}},
		{"ape", "finetuning_mods: {}", "finetuning_mods: {ape_shape: [32, 32]}", []string{`ape: expected the token grid h, w, d, got \[32 32\]`}},
		{"empty ape", "finetuning_mods: {}", "finetuning_mods: {ape_shape: []}", []string{`finetuning_mods\.ape_shape \(line \d+\): expected a token grid`}},
		{"token targets", "  decoder:\n", "    token_targets: [1, 2]\n  decoder:\n", []string{`token_targets \(line \d+\): expected three integers, got \[1 2\]`}},
		{"unknown alias", "hidden_dim: 64", "hidden_dim: *w", []string{`model\.hidden_dim \(line \d+\): expected an integer, got nothing`}},
		{"alias of itself", "hidden_dim: 64", "hidden_dim: &w [*w]", []string{`not a YAML document: line \d+: the alias \*w is part of its own anchor`}},
	}
	text := yamlOf(t, Tiny())
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Contains(t, text, tt.old, "the test replaces something")
			_, err := ParseConfig([]byte(strings.ReplaceAll(text, tt.old, tt.new)))
			require.Error(t, err)
			for _, want := range tt.want {
				assert.Regexp(t, want, err.Error())
			}
			for _, line := range strings.Split(err.Error(), "\n") {
				assert.Regexp(t, `^walrus: config: `, line)
			}
		})
	}
}

func TestParseConfigErrorLineIsTheLine(t *testing.T) {
	text := yamlOf(t, Tiny())
	text = strings.Replace(text, "drop_path: 0.0", "drop_path: none", 1)
	_, err := ParseConfig([]byte(text))
	require.Error(t, err)
	line := strings.Count(strings.Split(text, "drop_path: none")[0], "\n") + 1
	assert.EqualError(t, err, fmt.Sprintf(`walrus: config: model.drop_path (line %d): expected a number, got "none"`, line))
}

func TestParseConfigErrorsOfTheWhole(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"empty":            {"", "empty: expected a YAML document with the sections model, data and trainer"},
		"blank":            {" \n\n", "empty"},
		"comment":          {"# nothing\n", "empty"},
		"not yaml":         {"a: [1\nb: }", "not a YAML document"},
		"binary":           {"\x00\x01\xff", "walrus: config"},
		"a word":           {"walrus", `expected a mapping with the sections model, data and trainer, got "walrus"`},
		"a list":           {"- 1\n", "got a list"},
		"null":             {"null\n", "got null"},
		"two documents":    {"a: 1\n---\nb: 2\n", "expected one YAML document, got 2"},
		"no model":         {"trainer:\n  prediction_type: delta\ndata: {}\n", "model: missing: expected a mapping"},
		"empty model":      {"model:\n", `model (line 1): expected a mapping, got null`},
		"bare model":       {"model: {}\n", `model.encoder: missing: expected a mapping`},
		"model a list":     {"model: [1]\n", `model (line 1): expected a mapping, got a list`},
		"deep flow":        {strings.Repeat("[", 300), "line 1: nested more than 256 levels deep"},
		"deep flow, lines": {strings.Repeat("[\n", 300), "nested more than 256 levels deep"},
		"deep list":        {strings.Repeat("- ", 300) + "1", "nested more than 256 levels deep"},
		"deep tags":        {strings.Repeat("!!a ", 300) + "1", "nested more than 256 levels deep"},
		"many tokens":      {strings.Repeat("a: [1, 2, 3]\n", 2000), "values and punctuation marks in a text, got more"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseConfig([]byte(tt.text))
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

// The encoder and the decoder have the same pair of kernels.
func TestParseConfigKernelsOfDecoder(t *testing.T) {
	text := yamlOf(t, Tiny())
	at := strings.Index(text, "  decoder:")
	wrong := text[:at] + strings.ReplaceAll(text[at:], "    - - 8\n      - 4\n", "    - - 6\n      - 4\n")
	_, err := ParseConfig([]byte(wrong))
	assert.ErrorContains(t, err, "model.decoder.base_kernel_size3d (line ")
	assert.ErrorContains(t, err, "expected the encoder's kernels [8 4], got [6 4]")
}

// One error reports all mistakes.
func TestParseConfigReportsAll(t *testing.T) {
	text := strings.NewReplacer("hidden_dim: 64", "hidden_dim: x", "torch.nn.SiLU", "torch.nn.GELU",
		"prediction_type: delta", "prediction_type: x", "pressure: 3", "pressure: x").Replace(yamlOf(t, Tiny()))
	_, err := ParseConfig([]byte(text))
	require.Error(t, err)
	assert.Len(t, strings.Split(err.Error(), "\n"), 5, err.Error())
}

package poseidon

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// fields lists the keys of config.json that describe the network, each with a pointer to its
// value.
func (c *Config) fields() map[string]any {
	return map[string]any{
		"image_size":                         (*edges)(&c.Grid),
		"patch_size":                         &c.Patch,
		"num_channels":                       &c.InChannels,
		"num_out_channels":                   &c.OutChannels,
		"embed_dim":                          &c.EmbedDim,
		"depths":                             &c.Depths,
		"num_heads":                          &c.Heads,
		"skip_connections":                   &c.Skips,
		"window_size":                        &c.Window,
		"mlp_ratio":                          &c.MLPRatio,
		"qkv_bias":                           (*not)(&c.NoBias),
		"use_conditioning":                   &c.Conditioned,
		"learn_residual":                     &c.Residual,
		"use_absolute_embeddings":            &c.Positions,
		"residual_model":                     &c.SkipBlock,
		"p":                                  &c.Distance,
		"channel_slice_list_normalized_loss": (*bounds)(&c.Groups),
	}
}

// fixed holds the keys of config.json whose values the network is built for. A file with
// other values is an error.
var fixed = map[string]any{"hidden_act": "gelu", "layer_norm_eps": NormEps}

// described holds the keys that identify the original's class, and training settings of the
// published weights, without which the original would use other defaults.
var described = map[string]any{
	"architectures": []string{"ScOT"}, "model_type": "swinv2", "torch_dtype": "float32",
	"pretrained_window_sizes": []int{0, 0, 0, 0}, "initializer_range": 0.02,
	"drop_path_rate": 0.0, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0,
}

// edges is the original's image_size: one number for a square, otherwise [height, width].
type edges [2]int

func (e edges) MarshalJSON() ([]byte, error) {
	if e[0] == e[1] {
		return json.Marshal(e[0])
	}
	return json.Marshal([2]int(e))
}

func (e *edges) UnmarshalJSON(b []byte) error {
	var n int
	if err := json.Unmarshal(b, &n); err == nil {
		*e = edges{n, n}
		return nil
	}
	var both []int
	if err := json.Unmarshal(b, &both); err != nil || len(both) != 2 {
		return fmt.Errorf("expected a number or [height, width], got %s", b)
	}
	*e = edges(both)
	return nil
}

// not is a bool that is true where the file has false.
type not bool

func (n not) MarshalJSON() ([]byte, error) { return json.Marshal(bool(!n)) }

func (n *not) UnmarshalJSON(b []byte) error {
	var value bool
	err := json.Unmarshal(b, &value)
	*n = not(!value)
	return err
}

// bounds is a list that the file holds as null if it is empty.
type bounds []int

func (b bounds) MarshalJSON() ([]byte, error) {
	if len(b) == 0 {
		return []byte("null"), nil
	}
	return json.Marshal([]int(b))
}

// UnmarshalJSON reads the original's config.json. It requires every key that describes the
// network, because the defaults of the original's class differ from the published values,
// and keeps the others for MarshalJSON. It does not call Validate.
func (c *Config) UnmarshalJSON(text []byte) error {
	var file map[string]json.RawMessage
	if err := json.Unmarshal(text, &file); err != nil {
		return fmt.Errorf("poseidon: config: %w", err)
	}
	out := Config{rest: map[string]any{}}
	fields := out.fields()
	var missing []string
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		raw, ok := file[key]
		if !ok {
			missing = append(missing, key)
			continue
		}
		if err := json.Unmarshal(raw, fields[key]); err != nil {
			return fmt.Errorf("poseidon: config: %s: %w", key, err)
		}
	}
	if missing != nil {
		return fmt.Errorf("poseidon: config: expected the keys of the original's config.json, got none of the name %s", strings.Join(missing, ", "))
	}
	for key, raw := range file {
		var value any
		if err := json.Unmarshal(raw, &value); err != nil {
			return fmt.Errorf("poseidon: config: %s: %w", key, err)
		}
		if want, ok := fixed[key]; ok && value != want {
			return fmt.Errorf("poseidon: config: %s: expected %v, the only value with published weights, got %v", key, want, value)
		}
		if _, known := fields[key]; !known {
			out.rest[key] = value
		}
	}
	*c = out
	return nil
}

// MarshalJSON writes a config.json that the original reads.
func (c Config) MarshalJSON() ([]byte, error) {
	file := maps.Clone(described)
	maps.Copy(file, c.rest)
	maps.Copy(file, fixed)
	maps.Copy(file, c.fields())
	file["num_layers"] = c.Stages()
	file["hidden_size"] = c.Stage(c.Stages() - 1).Width
	return json.Marshal(file)
}

// ReadConfig reads and validates a config.json.
func ReadConfig(path string) (Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("poseidon: config: %w", err)
	}
	var c Config
	if err := json.Unmarshal(text, &c); err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	if err := c.Validate(); err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

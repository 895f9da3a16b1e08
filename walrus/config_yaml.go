package walrus

import (
	"io"
)

// ReadConfig reads the configuration in a file of the layout of the release's
// extended_config.yaml. See [ParseConfig]; errors name the file.
func ReadConfig(path string) (Config, error) {
	r, err := ReadRecipe(path)
	if err != nil {
		return Config{}, err
	}
	return r.Config, nil
}

// ParseConfig reads the configuration from the text of an
// extended_config.yaml and validates it. It uses
//
//   - name,
//   - model: the whole section,
//   - data.field_index_map_override: the registry, which must be there,
//   - trainer.prediction_type, which must be there,
//   - trainer.revin and trainer.epsilon, the scaling ([Recipe]),
//   - finetuning_mods: learnable_rope, rope_per_axis, ape_shape,
//
// and ignores all other keys, which [ParseRecipe] keeps. In the sections that
// describe the network every key counts: an unknown key, a _target_ with a class
// that this library does not implement, and a setting that it does not support are
// errors with the path and line of the key. The error lists all problems, one per
// line. Rates and switches may be left out; they then have the default of the
// release's constructor (drop_path 0.2, input_field_drop 0.1, causal_in_time false,
// jitter_patches true, use_periodic_fixed_jitter false,
// gradient_checkpointing_freq 0, include_d [2, 3]). Sizes must be given.
//
// Accepted without effect, as in the release: projection_dim (recorded),
// static_axes, weight_tied_axes, kernel_scales_seq, base_kernel_size1d and 2d
// (every encoder is three-dimensional), the groups of encoder and decoder
// (model.groups overrides them), _partial_.
func ParseConfig(data []byte) (Config, error) {
	r, err := ParseRecipe(data)
	if err != nil {
		return Config{}, err
	}
	return r.Config, nil
}

// WriteYAML validates the configuration and writes it, and the scaling of the weights,
// with the keys of the release's extended_config.yaml, so that [ParseRecipe] reads back
// the same Config and Scaling. It does not write statistics, which belong in stats.yaml:
// a scaling with statistics is read back with empty statistics. Three settings that the
// release does not have get names that make it refuse the file instead of building another
// network: the group norm is the class gowalrus.GroupRMSNorm, token targets are
// model.encoder.token_targets, and trained strides are
// model.encoder.trained_strides1d, 2d and 3d.
//
// [Recipe] changes the configuration of an existing file and keeps its other settings.
func (c Config) WriteYAML(w io.Writer, s Scaling) error {
	r, err := NewRecipe(c, s)
	if err != nil {
		return err
	}
	return r.WriteYAML(w)
}

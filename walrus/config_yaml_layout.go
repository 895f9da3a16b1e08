package walrus

import "fmt"

// mapping is a YAML mapping in order. Values are mapping, block, string, int,
// float64, bool, nil, []int, [][]int or keep.
type mapping []entry

type entry struct {
	key   string
	value any
}

// block is a mapping that an edit of a file replaces as a whole.
type block mapping

// keep is a switch that has no effect given the other settings. A new file gets its
// value; an edit of an existing file does not change it.
type keep bool

// layout arranges a configuration and a scaling, which may be nil, as in the release's
// extended_config.yaml. Settings without effect have the values of the released file.
func layout(c Config, s *Scaling) mapping {
	return mapping{
		{"name", c.Name},
		{"trainer", append(layoutScaling(s), entry{"prediction_type", c.Prediction.String()})},
		{"model", layoutModel(c)},
		{"data", mapping{{"field_index_map_override", layoutRegistry(c)}}},
		{"finetuning_mods", layoutFinetuning(c)},
	}
}

func layoutModel(c Config) mapping {
	norm := classNorm
	if c.Norm == NormGroup {
		norm = classGroupNorm
	}
	var fixed any = c.Jitter == JitterFixed
	if c.Jitter == JitterOff {
		fixed = keep(true)
	}
	return mapping{
		{"encoder", layoutEncoder(c)},
		{"decoder", layoutDecoder(c)},
		{"processor", layoutProcessor(c)},
		{"norm_layer", partial(norm)},
		{"_target_", classModel},
		{"hidden_dim", c.Hidden},
		{"projection_dim", c.ProjectionDim},
		{"intermediate_dim", c.Intermediate},
		{"processor_blocks", c.Blocks},
		{"drop_path", c.DropPath},
		{"groups", c.Groups},
		{"max_d", 3},
		{"static_axes", true},
		{"weight_tied_axes", false},
		{"causal_in_time", c.Causal},
		{"include_d", c.Dims},
		{"override_dimensionality", 0},
		{"jitter_patches", c.Jitter != JitterOff},
		{"gradient_checkpointing_freq", c.CheckpointEvery},
		{"use_periodic_fixed_jitter", fixed},
		{"input_field_drop", c.FieldDrop},
	}
}

func layoutEncoder(c Config) mapping {
	m := append(partial(classEncoder), layoutStages(c)...)
	m = append(m, mapping{
		{"kernel_scales_seq", [][]int{{2, 2}, {4, 2}, {4, 4}, {8, 4}}},
		{"variable_downsample", true},
		{"variable_deterministic_ds", true},
		{"activation", partial(classSiLU)},
	}...)
	if c.Tokens != ([3]int{}) {
		m = append(m, entry{"token_targets", c.Tokens[:]})
	}
	for dims := 1; dims <= 3; dims++ {
		var pairs [][]int
		for _, pair := range c.Strides[dims] {
			pairs = append(pairs, pair[:])
		}
		if pairs != nil {
			m = append(m, entry{stridesKey(dims), pairs})
		}
	}
	return m
}

// stridesKey returns the key of the trained strides of the encoder of a dimensionality.
func stridesKey(dims int) string { return fmt.Sprintf("trained_strides%dd", dims) }

func layoutDecoder(c Config) mapping {
	m := append(partial(classDecoder), layoutStages(c)...)
	return append(m, entry{"activation", partial(classSiLU)})
}

// layoutStages returns the settings that encoder and decoder share.
func layoutStages(c Config) mapping {
	k := c.Kernel[:]
	return mapping{
		{"learned_pad", true},
		{"base_kernel_size1d", [][]int{{4, 4}}},
		{"base_kernel_size2d", [][]int{{8, 4}, {8, 4}}},
		{"base_kernel_size3d", [][]int{k, k, k}},
		{"groups", c.Groups},
	}
}

func layoutProcessor(c Config) mapping {
	var mlp any
	if c.MLP != 0 {
		mlp = c.MLP
	}
	return mapping{
		{"space_mixing", append(partial(classSpace), mapping{{"num_heads", c.Heads}, {"mlp_dim", mlp}}...)},
		{"time_mixing", append(partial(classTime), mapping{{"num_heads", c.Heads}, {"bias_type", c.TimeBias.String()}}...)},
		{"channel_mixing", partial(classIdentity)},
		{"_partial_", true},
		{"_target_", classBlock},
	}
}

// partial returns the release's notation for a class that it instantiates later.
func partial(class string) mapping {
	return mapping{{"_partial_", true}, {"_target_", class}}
}

func layoutRegistry(c Config) block {
	var b block
	for _, name := range c.Registry.Names() {
		i, _ := c.Registry.Index(name)
		b = append(b, entry{name, i})
	}
	return b
}

func layoutFinetuning(c Config) block {
	var b block
	if c.RoPE != RoPEFixed {
		b = append(b, entry{"learnable_rope", true}, entry{"rope_per_axis", c.RoPE == RoPEPerAxis})
	}
	if len(c.APE) > 0 {
		b = append(b, entry{"ape_shape", c.APE})
	}
	return b
}

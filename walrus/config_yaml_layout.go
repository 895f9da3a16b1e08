package walrus

import (
	"fmt"

	"github.com/gowalrus/gowalrus/internal/yamltext"
)

// The classes of the release that this library implements.
const (
	classModel     = "walrus.models.IsotropicModel"
	classModelLong = "walrus.models.isotropic_model.IsotropicModel"
	classEncoder   = "walrus.models.encoders.vstride_encoder.SpaceBagAdaptiveDVstrideEncoder"
	classDecoder   = "walrus.models.decoders.vstride_decoder.AdaptiveDVstrideDecoder"
	classBlock     = "walrus.models.spatiotemporal_blocks.space_time_split.SpaceTimeSplitBlock"
	classSpace     = "walrus.models.spatial_blocks.full_attention.FullAttention"
	classTime      = "walrus.models.temporal_blocks.axial_time_attention.AxialTimeAttention"
	classIdentity  = "torch.nn.Identity"
	classSiLU      = "torch.nn.SiLU"
	classNorm      = "walrus.models.shared_utils.normalization.RMSGroupNorm"
	classGroupNorm = "gowalrus.GroupRMSNorm" // ours; the release refuses it
)

type (
	mapping = yamltext.Mapping
	block   = yamltext.Block
)

func key(name string, value any) yamltext.Entry { return yamltext.Entry{Key: name, Value: value} }

// layout arranges a configuration and a scaling, which may be nil, as in the release's
// extended_config.yaml. Settings without effect have the values of the released file.
func layout(c Config, s *Scaling) mapping {
	return mapping{
		key("name", c.Name),
		key("trainer", append(layoutScaling(s), key("prediction_type", c.Prediction.String()))),
		key("model", layoutModel(c)),
		key("data", mapping{key("field_index_map_override", layoutRegistry(c))}),
		key("finetuning_mods", layoutFinetuning(c)),
	}
}

func layoutModel(c Config) mapping {
	norm := classNorm
	if c.Norm == NormGroup {
		norm = classGroupNorm
	}
	var fixed any = c.Jitter == JitterFixed
	if c.Jitter == JitterOff {
		fixed = yamltext.Keep(true)
	}
	return mapping{
		key("encoder", layoutEncoder(c)),
		key("decoder", layoutDecoder(c)),
		key("processor", layoutProcessor(c)),
		key("norm_layer", partial(norm)),
		key("_target_", classModel),
		key("hidden_dim", c.Hidden),
		key("projection_dim", c.ProjectionDim),
		key("intermediate_dim", c.Intermediate),
		key("processor_blocks", c.Blocks),
		key("drop_path", c.DropPath),
		key("groups", c.Groups),
		key("max_d", 3),
		key("static_axes", true),
		key("weight_tied_axes", false),
		key("causal_in_time", c.Causal),
		key("include_d", c.Dims),
		key("override_dimensionality", 0),
		key("jitter_patches", c.Jitter != JitterOff),
		key("gradient_checkpointing_freq", c.CheckpointEvery),
		key("use_periodic_fixed_jitter", fixed),
		key("input_field_drop", c.FieldDrop),
	}
}

func layoutEncoder(c Config) mapping {
	m := append(partial(classEncoder), layoutStages(c)...)
	m = append(m, mapping{
		key("kernel_scales_seq", [][]int{{2, 2}, {4, 2}, {4, 4}, {8, 4}}),
		key("variable_downsample", true),
		key("variable_deterministic_ds", true),
		key("activation", partial(classSiLU)),
	}...)
	if c.Tokens != ([3]int{}) {
		m = append(m, key("token_targets", c.Tokens[:]))
	}
	for dims := 1; dims <= 3; dims++ {
		var pairs [][]int
		for _, pair := range c.Strides[dims] {
			pairs = append(pairs, pair[:])
		}
		if pairs != nil {
			m = append(m, key(stridesKey(dims), pairs))
		}
	}
	return m
}

// stridesKey returns the key of the trained strides of the encoder of a dimensionality.
func stridesKey(dims int) string { return fmt.Sprintf("trained_strides%dd", dims) }

func layoutDecoder(c Config) mapping {
	m := append(partial(classDecoder), layoutStages(c)...)
	return append(m, key("activation", partial(classSiLU)))
}

// layoutStages returns the settings that encoder and decoder share.
func layoutStages(c Config) mapping {
	k := c.Kernel[:]
	return mapping{
		key("learned_pad", true),
		key("base_kernel_size1d", [][]int{{4, 4}}),
		key("base_kernel_size2d", [][]int{{8, 4}, {8, 4}}),
		key("base_kernel_size3d", [][]int{k, k, k}),
		key("groups", c.Groups),
	}
}

func layoutProcessor(c Config) mapping {
	var mlp any
	if c.MLP != 0 {
		mlp = c.MLP
	}
	return mapping{
		key("space_mixing", append(partial(classSpace), mapping{key("num_heads", c.Heads), key("mlp_dim", mlp)}...)),
		key("time_mixing", append(partial(classTime), mapping{key("num_heads", c.Heads), key("bias_type", c.TimeBias.String())}...)),
		key("channel_mixing", partial(classIdentity)),
		key("_partial_", true),
		key("_target_", classBlock),
	}
}

// partial returns the release's notation for a class that it instantiates later.
func partial(class string) mapping {
	return mapping{key("_partial_", true), key("_target_", class)}
}

func layoutRegistry(c Config) block {
	var b block
	for _, name := range c.Registry.Names() {
		i, _ := c.Registry.Index(name)
		b = append(b, key(name, i))
	}
	return b
}

func layoutFinetuning(c Config) block {
	var b block
	if c.RoPE != RoPEFixed {
		b = append(b, key("learnable_rope", true), key("rope_per_axis", c.RoPE == RoPEPerAxis))
	}
	if len(c.APE) > 0 {
		b = append(b, key("ape_shape", c.APE))
	}
	return b
}

// layoutScaling arranges a scaling as in the release's section trainer. It returns
// nothing for nil.
func layoutScaling(s *Scaling) mapping {
	if s == nil {
		return nil
	}
	return mapping{
		key("revin", block{key("_target_", revinModule+s.class()), key("_partial_", true)}),
		key("epsilon", s.eps()),
	}
}

package walrus

import (
	"errors"
	"slices"

	"github.com/gowalrus/gowalrus/data"
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

// readDocument reads the configuration and the scaling from a parsed document.
func readDocument(d *document) (Config, *Scaling, error) {
	var c Config
	root := d.mapping(d.Root, "")
	c.Name = readName(root)
	readModel(&c, root.child("model"))
	readRegistry(&c, root.child("data"))
	trainer := root.child("trainer")
	readText(trainer, "prediction_type", &c.Prediction)
	s := readScaling(trainer)
	readFinetuning(&c, root)
	return c, s, errors.Join(d.errs...)
}

// readName reads the optional name of the run.
func readName(root *section) string {
	if n, ok := root.take("name"); !ok || isNull(n) {
		return ""
	}
	name, _ := root.string("name")
	return name
}

func readModel(c *Config, s *section) {
	s.target(classModel, classModelLong)
	c.Hidden = s.int("hidden_dim")
	c.Intermediate = s.int("intermediate_dim")
	c.Blocks = s.int("processor_blocks")
	c.Groups = s.int("groups")
	c.ProjectionDim = s.intOr("projection_dim", 0)
	c.DropPath = s.floatOr("drop_path", 0.2)
	c.FieldDrop = s.floatOr("input_field_drop", 0.1)
	c.Causal = s.boolOr("causal_in_time", false)
	c.CheckpointEvery = s.intOr("gradient_checkpointing_freq", 0)
	c.Dims = slices.Sorted(slices.Values(s.ints("include_d", &[]int{2, 3})))
	readJitter(c, s)
	readDimensionality(s)
	s.inert("static_axes", "weight_tied_axes", "_partial_")
	readEncoder(c, s.child("encoder"))
	readDecoder(c, s.child("decoder"))
	readProcessor(c, s.child("processor"))
	norm := s.child("norm_layer")
	c.Norm = NormForm(norm.target(classNorm, classGroupNorm))
	norm.inert("_partial_")
	norm.done()
	s.done()
}

func readJitter(c *Config, s *section) {
	on := s.boolOr("jitter_patches", true)
	fixed := s.boolOr("use_periodic_fixed_jitter", false)
	switch {
	case !on:
		c.Jitter = JitterOff
	case fixed:
		c.Jitter = JitterFixed
	default:
		c.Jitter = JitterPadded
	}
}

// readDimensionality reports settings other than those with which the release chooses
// the encoder by the axes of the grid.
func readDimensionality(s *section) {
	if s == nil {
		return
	}
	if d := s.intOr("max_d", 3); d != 3 {
		s.fail("max_d", "expected 3, got %d: every input is treated as three-dimensional", d)
	}
	for _, key := range []string{"override_dimensionality", "dim_key_override"} {
		if d := s.optional(key); d != 0 {
			s.fail(key, "expected 0 or null, got %d: the encoder is always chosen by the axes of the grid", d)
		}
	}
}

func readEncoder(c *Config, s *section) {
	s.target(classEncoder)
	s.must("variable_downsample", true, "only the variable stride is implemented")
	s.must("variable_deterministic_ds", true, "only the stride chosen by the grid is implemented")
	readStages(c, s)
	s.inert("kernel_scales_seq")
	if s != nil {
		tokens := s.ints("token_targets", &[]int{})
		if len(tokens) != 0 && len(tokens) != 3 {
			s.fail("token_targets", "expected three integers, got %v", tokens)
		}
		copy(c.Tokens[:], tokens)
	}
	readStrides(c, s)
	s.done()
}

// readStrides reads the strides that the weights were trained with.
func readStrides(c *Config, s *section) {
	for dims := 1; dims <= 3; dims++ {
		key := stridesKey(dims)
		for _, pair := range s.pairs(key, &[][]int{}) {
			if len(pair) != 2 {
				s.fail(key, "expected pairs of strides, got %v", pair)
				return
			}
			if c.Strides == nil {
				c.Strides = map[int][][2]int{}
			}
			c.Strides[dims] = append(c.Strides[dims], [2]int(pair))
		}
	}
}

func readDecoder(c *Config, s *section) {
	encoder := c.Kernel
	s.target(classDecoder)
	readStages(c, s)
	if s != nil && c.Kernel != encoder {
		s.fail("base_kernel_size3d", "expected the encoder's kernels %v, got %v", encoder, c.Kernel)
	}
	s.done()
}

// readStages reads the settings that encoder and decoder share.
func readStages(c *Config, s *section) {
	s.must("learned_pad", true, "only padding with boundary flags is implemented")
	kernels := s.pairs("base_kernel_size3d", nil)
	s.inert("base_kernel_size1d", "base_kernel_size2d", "groups", "_partial_")
	act := s.child("activation")
	act.target(classSiLU)
	act.inert("_partial_")
	act.done()
	if kernels == nil {
		return
	}
	for _, k := range kernels {
		if len(kernels) != 3 || len(k) != 2 || !slices.Equal(k, kernels[0]) {
			s.fail("base_kernel_size3d", "expected the same pair of kernels for each of three axes, got %v", kernels)
			return
		}
		c.Kernel = [2]int(k)
	}
}

func readProcessor(c *Config, s *section) {
	s.target(classBlock)
	s.inert("_partial_")
	space := s.child("space_mixing")
	space.target(classSpace)
	c.Heads = space.int("num_heads")
	c.MLP = space.optional("mlp_dim")
	space.inert("_partial_")
	space.done()
	time := s.child("time_mixing")
	time.target(classTime)
	if heads := time.int("num_heads"); time != nil && heads != c.Heads {
		time.fail("num_heads", "expected %d as in space_mixing, got %d", c.Heads, heads)
	}
	readText(time, "bias_type", &c.TimeBias)
	time.inert("_partial_")
	time.done()
	channel := s.child("channel_mixing")
	channel.target(classIdentity)
	channel.inert("_partial_")
	channel.done()
	s.done()
}

// readText reads a key whose values are the names of an enumeration.
func readText(s *section, key string, into interface{ UnmarshalText([]byte) error }) {
	text, ok := s.string(key)
	if !ok {
		return
	}
	if err := into.UnmarshalText([]byte(text)); err != nil {
		s.fail(key, "%w", err)
	}
}

func readRegistry(c *Config, s *section) {
	fields := s.child("field_index_map_override")
	if fields == nil {
		return
	}
	index := make(map[string]int, len(fields.order))
	for _, name := range fields.order {
		if _, ok := yamltext.String(fields.values[name].Key); !ok || name == "" {
			fields.fail(name, "expected a field name as key; quote it if it is one")
		}
		index[name] = fields.int(name)
	}
	if len(s.doc.errs) > 0 {
		return // the error of a wrong index is already reported
	}
	r, err := data.NewRegistry(index)
	if err != nil {
		s.fail("field_index_map_override", "%w", err)
	}
	c.Registry = r
}

// readFinetuning reads the options with which the release extends a network for
// finetuning. The section may be missing, null or empty.
func readFinetuning(c *Config, root *section) {
	if n, ok := root.take("finetuning_mods"); !ok || isNull(n) {
		return
	}
	s := root.child("finetuning_mods")
	learn, perAxis := s.boolOr("learnable_rope", false), s.boolOr("rope_per_axis", false)
	switch {
	case learn && perAxis:
		c.RoPE = RoPEPerAxis
	case learn:
		c.RoPE = RoPEShared
	}
	if s == nil {
		return
	}
	if ape := s.ints("ape_shape", &[]int{}); len(ape) > 0 {
		c.APE = ape
	} else if s.values["ape_shape"] != nil {
		s.fail("ape_shape", "expected a token grid h, w, d")
	}
	s.done()
}

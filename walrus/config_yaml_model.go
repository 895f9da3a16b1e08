package walrus

import (
	"errors"
	"fmt"
	"slices"

	"github.com/goccy/go-yaml/ast"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/yamltext"
)

// parseYAML parses the single document of a file, whose root must be a mapping.
func parseYAML(data []byte) (*yamltext.Reader, error) {
	doc, err := yamltext.Parse(data)
	switch {
	case errors.Is(err, yamltext.ErrEmpty):
		return nil, errors.New("walrus: config: empty: expected a YAML document with the sections model, data and trainer")
	case err != nil:
		return nil, fmt.Errorf("walrus: config: not a YAML document: %w", err)
	}
	if doc.Root.Type() != ast.MappingType {
		return nil, fmt.Errorf("walrus: config: expected a mapping with the sections model, data and trainer, got %s", yamltext.Describe(doc.Root))
	}
	return &yamltext.Reader{Document: doc, Name: "walrus: config"}, nil
}

// readDocument reads the configuration and the scaling from a parsed document.
func readDocument(d *yamltext.Reader) (Config, *Scaling, error) {
	var c Config
	root := d.Root()
	c.Name = readName(root)
	readModel(&c, root.Child("model"))
	readRegistry(&c, root.Child("data"))
	trainer := root.Child("trainer")
	readText(trainer, "prediction_type", &c.Prediction)
	s := readScaling(trainer)
	readFinetuning(&c, root)
	return c, s, errors.Join(d.Errs...)
}

// readName reads the optional name of the run.
func readName(root *yamltext.Section) string {
	if n, ok := root.Take("name"); !ok || yamltext.IsNull(n) {
		return ""
	}
	name, _ := root.String("name")
	return name
}

func readModel(c *Config, s *yamltext.Section) {
	s.OneOf("_target_", classModel, classModelLong)
	c.Hidden = s.Int("hidden_dim")
	c.Intermediate = s.Int("intermediate_dim")
	c.Blocks = s.Int("processor_blocks")
	c.Groups = s.Int("groups")
	c.ProjectionDim = s.IntOr("projection_dim", 0)
	c.DropPath = s.FloatOr("drop_path", 0.2)
	c.FieldDrop = s.FloatOr("input_field_drop", 0.1)
	c.Causal = s.BoolOr("causal_in_time", false)
	c.CheckpointEvery = s.IntOr("gradient_checkpointing_freq", 0)
	c.Dims = slices.Sorted(slices.Values(s.Ints("include_d", &[]int{2, 3})))
	readJitter(c, s)
	readDimensionality(s)
	s.Inert("static_axes", "weight_tied_axes", "_partial_")
	readEncoder(c, s.Child("encoder"))
	readDecoder(c, s.Child("decoder"))
	readProcessor(c, s.Child("processor"))
	norm := s.Child("norm_layer")
	c.Norm = NormForm(norm.OneOf("_target_", classNorm, classGroupNorm))
	norm.Inert("_partial_")
	norm.Done()
	s.Done()
}

func readJitter(c *Config, s *yamltext.Section) {
	on := s.BoolOr("jitter_patches", true)
	fixed := s.BoolOr("use_periodic_fixed_jitter", false)
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
func readDimensionality(s *yamltext.Section) {
	if s == nil {
		return
	}
	if d := s.IntOr("max_d", 3); d != 3 {
		s.Fail("max_d", "expected 3, got %d: every input is treated as three-dimensional", d)
	}
	for _, key := range []string{"override_dimensionality", "dim_key_override"} {
		if d := s.Optional(key); d != 0 {
			s.Fail(key, "expected 0 or null, got %d: the encoder is always chosen by the axes of the grid", d)
		}
	}
}

func readEncoder(c *Config, s *yamltext.Section) {
	s.OneOf("_target_", classEncoder)
	s.Must("variable_downsample", true, "only the variable stride is implemented")
	s.Must("variable_deterministic_ds", true, "only the stride chosen by the grid is implemented")
	readStages(c, s)
	s.Inert("kernel_scales_seq")
	if s != nil {
		tokens := s.Ints("token_targets", &[]int{})
		if len(tokens) != 0 && len(tokens) != 3 {
			s.Fail("token_targets", "expected three integers, got %v", tokens)
		}
		copy(c.Tokens[:], tokens)
	}
	readStrides(c, s)
	s.Done()
}

// readStrides reads the strides that the weights were trained with.
func readStrides(c *Config, s *yamltext.Section) {
	for dims := 1; dims <= 3; dims++ {
		key := stridesKey(dims)
		for _, pair := range s.Pairs(key, &[][]int{}) {
			if len(pair) != 2 {
				s.Fail(key, "expected pairs of strides, got %v", pair)
				return
			}
			if c.Strides == nil {
				c.Strides = map[int][][2]int{}
			}
			c.Strides[dims] = append(c.Strides[dims], [2]int(pair))
		}
	}
}

func readDecoder(c *Config, s *yamltext.Section) {
	encoder := c.Kernel
	s.OneOf("_target_", classDecoder)
	readStages(c, s)
	if s != nil && c.Kernel != encoder {
		s.Fail("base_kernel_size3d", "expected the encoder's kernels %v, got %v", encoder, c.Kernel)
	}
	s.Done()
}

// readStages reads the settings that encoder and decoder share.
func readStages(c *Config, s *yamltext.Section) {
	s.Must("learned_pad", true, "only padding with boundary flags is implemented")
	kernels := s.Pairs("base_kernel_size3d", nil)
	s.Inert("base_kernel_size1d", "base_kernel_size2d", "groups", "_partial_")
	act := s.Child("activation")
	act.OneOf("_target_", classSiLU)
	act.Inert("_partial_")
	act.Done()
	if kernels == nil {
		return
	}
	for _, k := range kernels {
		if len(kernels) != 3 || len(k) != 2 || !slices.Equal(k, kernels[0]) {
			s.Fail("base_kernel_size3d", "expected the same pair of kernels for each of three axes, got %v", kernels)
			return
		}
		c.Kernel = [2]int(k)
	}
}

func readProcessor(c *Config, s *yamltext.Section) {
	s.OneOf("_target_", classBlock)
	s.Inert("_partial_")
	space := s.Child("space_mixing")
	space.OneOf("_target_", classSpace)
	c.Heads = space.Int("num_heads")
	c.MLP = space.Optional("mlp_dim")
	space.Inert("_partial_")
	space.Done()
	time := s.Child("time_mixing")
	time.OneOf("_target_", classTime)
	if heads := time.Int("num_heads"); time != nil && heads != c.Heads {
		time.Fail("num_heads", "expected %d as in space_mixing, got %d", c.Heads, heads)
	}
	readText(time, "bias_type", &c.TimeBias)
	time.Inert("_partial_")
	time.Done()
	channel := s.Child("channel_mixing")
	channel.OneOf("_target_", classIdentity)
	channel.Inert("_partial_")
	channel.Done()
	s.Done()
}

// readText reads a key whose values are the names of an enumeration.
func readText(s *yamltext.Section, key string, into interface{ UnmarshalText([]byte) error }) {
	text, ok := s.String(key)
	if !ok {
		return
	}
	if err := into.UnmarshalText([]byte(text)); err != nil {
		s.Fail(key, "%w", err)
	}
}

func readRegistry(c *Config, s *yamltext.Section) {
	fields := s.Child("field_index_map_override")
	if fields == nil {
		return
	}
	index := make(map[string]int)
	for _, name := range fields.Keys() {
		if _, ok := yamltext.String(fields.Key(name)); !ok || name == "" {
			fields.Fail(name, "expected a field name as key; quote it if it is one")
		}
		index[name] = fields.Int(name)
	}
	if s.Failed() {
		return // the error of a wrong index is already reported
	}
	r, err := data.NewRegistry(index)
	if err != nil {
		s.Fail("field_index_map_override", "%w", err)
	}
	c.Registry = r
}

// readFinetuning reads the options with which the release extends a network for
// finetuning. The section may be missing, null or empty.
func readFinetuning(c *Config, root *yamltext.Section) {
	if n, ok := root.Take("finetuning_mods"); !ok || yamltext.IsNull(n) {
		return
	}
	s := root.Child("finetuning_mods")
	learn, perAxis := s.BoolOr("learnable_rope", false), s.BoolOr("rope_per_axis", false)
	switch {
	case learn && perAxis:
		c.RoPE = RoPEPerAxis
	case learn:
		c.RoPE = RoPEShared
	}
	if s == nil {
		return
	}
	if ape := s.Ints("ape_shape", &[]int{}); len(ape) > 0 {
		c.APE = ape
	} else if s.Key("ape_shape") != nil {
		s.Fail("ape_shape", "expected a token grid h, w, d")
	}
	s.Done()
}

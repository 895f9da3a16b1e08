package walrus_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
)

func ExamplePreset() {
	c, err := walrus.Preset("walrus")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Blocks, "blocks of width", c.Hidden, "for", c.States(), "channels")
	// Output: 40 blocks of width 1408 for 67 channels
}

func ExampleConfig_Validate() {
	c := walrus.Tiny()
	c.Registry = data.MustRegistry("density", "velocity_x", "velocity_y")
	c.Heads, c.Blocks = 5, 0
	fmt.Println(c.Validate())
	// Output:
	// walrus: config: blocks: expected at least 1, got 0
	// walrus: config: hidden 64 is not divisible by heads 5
}

func ExampleConfig_WriteYAML() {
	c := walrus.Micro()
	c.Registry = data.MustRegistry("density")
	c.RoPE = walrus.RoPEPerAxis
	var b strings.Builder
	if err := c.WriteYAML(&b, walrus.Scaling{}); err != nil {
		fmt.Println(err)
		return
	}
	back, err := walrus.ParseConfig([]byte(b.String()))
	fmt.Println(back.Name, back.RoPE, err)
	fmt.Print(b.String()[strings.Index(b.String(), "data:"):])
	// Output:
	// micro per_axis <nil>
	// data:
	//   field_index_map_override:
	//     closed_boundary: 0
	//     open_boundary: 1
	//     bias_correction: 2
	//     density: 3
	// finetuning_mods:
	//   learnable_rope: true
	//   rope_per_axis: true
}

func ExampleParseConfig() {
	_, err := walrus.ParseConfig([]byte("model:\n  hidden: 64\n"))
	fmt.Println(strings.Split(err.Error(), "\n")[0])
	// Output: walrus: config: model._target_: missing: expected a string
}

// A recipe keeps the settings that this library does not interpret.
func ExampleRecipe() {
	var file strings.Builder
	if err := walrus.Micro().WriteYAML(&file, walrus.Scaling{}); err != nil {
		fmt.Println(err)
		return
	}
	file.WriteString("optimizer: # as in the paper\n  lr: 0.0002\n")

	r, err := walrus.ParseRecipe([]byte(file.String()))
	if err != nil {
		fmt.Println(err)
		return
	}
	var lr float64
	fmt.Println(r.Decode("optimizer.lr", &lr), lr)

	r.Config.Blocks = 3
	out, err := r.Bytes()
	if err != nil {
		fmt.Println(err)
		return
	}
	text := string(out)
	fmt.Println(strings.Contains(text, "processor_blocks: 3"))
	fmt.Print(text[strings.Index(text, "optimizer:"):])
	// Output:
	// <nil> 0.0002
	// true
	// optimizer: # as in the paper
	//   lr: 0.0002
}

func ExampleConfig_json() {
	c := walrus.Micro()
	c.Registry = data.MustRegistry("density")
	enc := json.NewEncoder(os.Stdout)
	enc.SetIndent("", " ")
	_ = enc.Encode(c.Registry)
	text, _ := json.Marshal(c)
	var back walrus.Config
	fmt.Println(json.Unmarshal(text, &back), back.Jitter, back.Registry.Len())
	// Output:
	// {
	//  "closed_boundary": 0,
	//  "open_boundary": 1,
	//  "bias_correction": 2,
	//  "density": 3
	// }
	// <nil> fixed 4
}

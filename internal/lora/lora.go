// Package lora names the tensors that low-rank adapters change by default, for training and
// for estimates of its memory.
package lora

import "path"

// Targets returns patterns for the matrices of the processor: attention over space, its MLP,
// and attention in time. They do not match the table of relative positions, whose rows are
// looked up and not multiplied.
func Targets() []string {
	return []string{"blocks.*.fused_ff_qkv.weight", "blocks.*.ff_out.weight", "blocks.*.attn_out.weight",
		"blocks.*.input_head.weight", "blocks.*.output_head.weight"}
}

// Adapts reports whether one of [Targets] matches the name of a tensor.
func Adapts(key string) bool {
	for _, pattern := range Targets() {
		if ok, _ := path.Match(pattern, key); ok { // the patterns are well formed
			return true
		}
	}
	return false
}

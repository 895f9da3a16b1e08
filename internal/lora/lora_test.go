package lora

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAdapts(t *testing.T) {
	for key, want := range map[string]bool{
		"blocks.0.space_mixing.fused_ff_qkv.weight":                        true,
		"blocks.39.time_mixing.output_head.weight":                         true,
		"blocks.0.space_mixing.fused_ff_qkv.bias":                          false,
		"blocks.0.time_mixing.rel_pos_bias.relative_attention_bias.weight": false,
		"embed.2.proj1.weight":                                             false,
		"":                                                                 false,
	} {
		assert.Equal(t, want, Adapts(key), key)
	}
}

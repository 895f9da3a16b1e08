package main

import (
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gowalrus/gowalrus/layers"
)

// spaceMixing maps the tokens [F, S, C] of frames to tokens of the same shape.
type spaceMixing func(vars layers.Vars, x *Node) *Node

// released returns the library's space mixing over a token grid.
func released(channels, heads int, grid [3]int) spaceMixing {
	p := layers.ParallelAttention{Channels: channels, Heads: heads}
	return func(vars layers.Vars, x *Node) *Node { return p.Apply(x, p.Weights(vars), grid, nil, nil) }
}

// linear returns the space mixing of this example.
func linear(channels, heads int) spaceMixing {
	l := LinearAttention{Channels: channels, Heads: heads}
	return func(vars layers.Vars, x *Node) *Node { return l.Apply(x, l.Weights(vars)) }
}

// block is [layers.Block] with a replaceable space mixing: the library's time mixing,
// then space. x is [T, B, S, C].
func block(vars layers.Vars, x *Node, heads int, space spaceMixing) *Node {
	d := x.Shape().Clone().Dimensions
	time := layers.TimeAttention{Channels: d[3], Heads: heads}
	x = time.Apply(x, time.Weights(vars.In("time_mixing")), nil)
	y := space(vars.In("space_mixing"), Reshape(x, d[0]*d[1], d[2], d[3]))
	return Reshape(y, d...)
}

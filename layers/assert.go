package layers

import (
	"fmt"
	"math"

	. "github.com/gomlx/gomlx/core/graph"
)

func sqrt(x float64) float64 { return math.Sqrt(x) }

// must panics with a formatted error if ok is false. The package panics only while a graph
// is built.
func must(ok bool, format string, args ...any) {
	if !ok {
		panic(fmt.Errorf("layers: "+format, args...))
	}
}

// assertDims panics unless x has the given dimensions; -1 matches any.
func assertDims(what string, x *Node, dims ...int) {
	must(x != nil, "%s: missing", what)
	got := x.Shape().Dimensions
	ok := len(got) == len(dims)
	for i := 0; ok && i < len(dims); i++ {
		ok = dims[i] < 0 || dims[i] == got[i]
	}
	must(ok, "%s: expected shape %v (-1 is any), got %v", what, dims, got)
}

package dpot

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
)

// check panics with a formatted error unless ok. The package panics only while a graph is
// built; functions that build and run whole programs return the error.
func check(ok bool, format string, args ...any) {
	if !ok {
		panic(fmt.Errorf("dpot: "+format, args...))
	}
}

// assertRank panics unless x has the given rank, or at least −rank if it is negative.
func assertRank(what string, x *Node, rank int) {
	check(x != nil, "%s: missing", what)
	check(x.Rank() == rank || rank < 0 && x.Rank() >= -rank, "%s: got shape %v", what, x.Shape().Dimensions)
}

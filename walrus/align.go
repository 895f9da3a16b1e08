package walrus

import (
	"maps"
	"strings"

	"github.com/gowalrus/gowalrus/data"
)

// columnMove is the move of a field's column from one index to another.
type columnMove struct{ from, to int }

// sameRegistry reports whether two registries give the same fields the same
// indices.
func sameRegistry(a, b data.Registry) bool { return maps.Equal(a.Map(), b.Map()) }

// columnMoves lists the moves of the fields that both registries contain, the fields
// that only to contains (added) and those that only from contains (dropped).
func columnMoves(from, to data.Registry) (moves []columnMove, added, dropped []string) {
	moves = []columnMove{}
	for _, name := range to.Names() {
		new, _ := to.Index(name)
		if old, ok := from.Index(name); ok {
			moves = append(moves, columnMove{old, new})
		} else {
			added = append(added, name)
		}
	}
	for _, name := range from.Names() {
		if _, ok := to.Index(name); !ok {
			dropped = append(dropped, name)
		}
	}
	return moves, added, dropped
}

// fieldAxis returns the axis of a parameter that the registry indexes, or -1 if
// there is none. It also reports whether the columns are scaled when their number
// changes, which holds for the encoder's first convolution (docs/reference.md §12).
func fieldAxis(key string) (axis int, scaled bool) {
	parts := strings.Split(key, ".")
	if len(parts) != 4 {
		return -1, false
	}
	switch [3]string{parts[0], parts[2], parts[3]} {
	case [3]string{"embed", "proj1", "weight"}:
		return 1, true
	case [3]string{"debed", "proj2", "weight"}:
		return 1, false
	case [3]string{"debed", "proj2", "bias"}:
		return 0, false
	}
	return -1, false
}

// alignColumns copies columns of src to dst and multiplies them by scale. dst has
// the shape dims; src has the same shape except for states entries on the given axis.
// Columns of dst without a move keep their values.
func alignColumns(dst, src []float32, dims []int, states, axis int, moves []columnMove, scale float32) {
	inner := product(dims[axis+1:])
	for row := range product(dims[:axis]) {
		for _, m := range moves {
			to := dst[(row*dims[axis]+m.to)*inner:][:inner]
			for i, v := range src[(row*states+m.from)*inner:][:inner] {
				to[i] = v * scale
			}
		}
	}
}

// product returns the product of the lengths, 1 for an empty list.
func product(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}

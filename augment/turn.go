package augment

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Turn is a symmetry of the cube: a permutation of the axes followed by reflections. The
// zero value is invalid; see [Identity].
type Turn struct {
	// Axes is the permutation: axis i of the result is axis Axes[i] of the input.
	Axes [3]int
	// Flip marks the axes of the result that are reflected.
	Flip [3]bool
}

// Identity returns the turn that changes nothing.
func Identity() Turn { return Turn{Axes: [3]int{0, 1, 2}} }

// releasedRotations lists the 24 rotations in the release's order: the permutation and the
// reflected axes.
const releasedRotations = `012:110 012:101 012:011 210:111 012:000 021:111 021:100 021:010
 021:001 102:111 102:100 102:010 102:001 120:110 120:101 120:011 120:000 201:110
 201:101 201:011 201:000 210:100 210:010 210:001`

// Rotations returns the 24 rotations of the cube in the order of the release, which draws
// from them.
func Rotations() []Turn {
	var out []Turn
	for _, s := range strings.Fields(releasedRotations) {
		var t Turn
		for i := range 3 {
			t.Axes[i], t.Flip[i] = int(s[i]-'0'), s[4+i] == '1'
		}
		out = append(out, t)
	}
	return out
}

// Octahedral returns the 48 rotations and reflections of the cube, the "full octahedral
// group" of paper §4.1: the 24 [Rotations], then each of them followed by the reflection of
// all axes.
func Octahedral() []Turn {
	out := Rotations()
	inversion := Turn{[3]int{0, 1, 2}, [3]bool{true, true, true}}
	for _, t := range Rotations() {
		out = append(out, t.Then(inversion))
	}
	return out
}

// InPlane returns the turns that keep the third axis in place, which can be applied to a 2D
// window that is not embedded.
func InPlane(turns []Turn) []Turn {
	var out []Turn
	for _, t := range turns {
		if t.Axes[2] == 2 && !t.Flip[2] {
			out = append(out, t)
		}
	}
	return out
}

// Random draws one of the turns. The release uses one draw for a whole batch. Without turns
// it returns the zero Turn, which [Turn.Apply] refuses.
func Random(rng *rand.Rand, turns []Turn) Turn {
	if len(turns) == 0 {
		return Turn{}
	}
	return turns[rng.IntN(len(turns))]
}

// Validate returns an error unless Axes is a permutation.
func (t Turn) Validate() error {
	var seen [3]bool
	for _, a := range t.Axes {
		if a < 0 || a > 2 || seen[a] {
			return fmt.Errorf("augment: turn: expected a permutation of 0, 1, 2, got %v", t.Axes)
		}
		seen[a] = true
	}
	return nil
}

// Then returns the turn that applies t first and next second. It returns the zero Turn if
// one of them is invalid.
func (t Turn) Then(next Turn) Turn {
	var out Turn
	if t.Validate() != nil || next.Validate() != nil {
		return out
	}
	for i, a := range next.Axes {
		out.Axes[i] = t.Axes[a]
		out.Flip[i] = next.Flip[i] != t.Flip[a]
	}
	return out
}

// Inverse returns the turn that undoes t. It returns the zero Turn if t is invalid.
func (t Turn) Inverse() Turn {
	var out Turn
	if t.Validate() != nil {
		return out
	}
	for i, a := range t.Axes {
		out.Axes[a], out.Flip[a] = i, t.Flip[i]
	}
	return out
}

// Matrix returns the matrix R that maps a vector u to R·u. It is zero if t is invalid.
func (t Turn) Matrix() [3][3]int {
	var m [3][3]int
	if t.Validate() != nil {
		return m
	}
	for i, a := range t.Axes {
		m[i][a] = t.sign(i)
	}
	return m
}

// sign returns −1 for a reflected axis of the result, otherwise 1.
func (t Turn) sign(axis int) int {
	if t.Flip[axis] {
		return -1
	}
	return 1
}

// Proper reports whether the turn is a rotation, that is, whether the determinant of its
// matrix is 1.
func (t Turn) Proper() bool {
	m := t.Matrix()
	det := 0
	for i := range 3 {
		j, k := (i+1)%3, (i+2)%3
		det += m[0][i] * (m[1][j]*m[2][k] - m[1][k]*m[2][j])
	}
	return det == 1
}

// String returns the source of each axis: "+x -z +y".
func (t Turn) String() string {
	if t.Validate() != nil {
		return fmt.Sprintf("invalid turn %v %v", t.Axes, t.Flip)
	}
	var parts []string
	for i, a := range t.Axes {
		sign := "+"
		if t.Flip[i] {
			sign = "-"
		}
		parts = append(parts, sign+"xyz"[a:a+1])
	}
	return strings.Join(parts, " ")
}

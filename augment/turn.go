package augment

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Turn is a symmetry of the cube: axes change places, then some are reflected.
// Its zero value is none; see [Identity].
type Turn struct {
	// Axes says where each axis comes from: axis i of the result is axis Axes[i]
	// of the input.
	Axes [3]int
	// Flip says which axes of the result run backwards.
	Flip [3]bool
}

// Identity returns the turn that changes nothing.
func Identity() Turn { return Turn{Axes: [3]int{0, 1, 2}} }

// releasedRotations are the 24 proper rotations in the order of the release: the
// permutation and which axes are reflected.
const releasedRotations = `012:110 012:101 012:011 210:111 012:000 021:111 021:100 021:010
 021:001 102:111 102:100 102:010 102:001 120:110 120:101 120:011 120:000 201:110
 201:101 201:011 201:000 210:100 210:010 210:001`

// Rotations returns the 24 proper rotations of the cube, in the order of the
// release, which draws from these.
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

// Octahedral returns the 48 rotations and reflections of the cube, the "full
// octahedral group" of paper §4.1: the 24 of [Rotations], then each of them
// followed by the reflection of all axes.
func Octahedral() []Turn {
	out := Rotations()
	inversion := Turn{[3]int{0, 1, 2}, [3]bool{true, true, true}}
	for _, t := range Rotations() {
		out = append(out, t.Then(inversion))
	}
	return out
}

// InPlane returns those turns that leave the third axis as it is: what can be
// done to a plane that is not embedded.
func InPlane(turns []Turn) []Turn {
	var out []Turn
	for _, t := range turns {
		if t.Axes[2] == 2 && !t.Flip[2] {
			out = append(out, t)
		}
	}
	return out
}

// Random draws one of the turns. As in the release one draw serves a whole
// batch. It panics if there are none.
func Random(rng *rand.Rand, turns []Turn) Turn { return turns[rng.IntN(len(turns))] }

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

// Then returns the turn that does t first and next second. Both must be valid.
func (t Turn) Then(next Turn) Turn {
	var out Turn
	for i, a := range next.Axes {
		out.Axes[i] = t.Axes[a]
		out.Flip[i] = next.Flip[i] != t.Flip[a]
	}
	return out
}

// Inverse returns the turn that undoes t, which must be valid.
func (t Turn) Inverse() Turn {
	var out Turn
	for i, a := range t.Axes {
		out.Axes[a], out.Flip[a] = i, t.Flip[i]
	}
	return out
}

// Matrix returns R, so that a vector u becomes R·u.
func (t Turn) Matrix() [3][3]int {
	var m [3][3]int
	for i, a := range t.Axes {
		m[i][a] = t.sign(i)
	}
	return m
}

// sign is −1 for a reflected axis of the result.
func (t Turn) sign(axis int) int {
	if t.Flip[axis] {
		return -1
	}
	return 1
}

// Proper reports whether the turn is a rotation: the determinant of its matrix
// is 1.
func (t Turn) Proper() bool {
	m := t.Matrix()
	det := 0
	for i := range 3 {
		j, k := (i+1)%3, (i+2)%3
		det += m[0][i] * (m[1][j]*m[2][k] - m[1][k]*m[2][j])
	}
	return det == 1
}

// String says where each axis comes from: "+x -z +y".
func (t Turn) String() string {
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

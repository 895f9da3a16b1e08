package augment

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Rotation is a symmetry of the cube: a permutation of the axes followed by reflections. The
// zero value is invalid; see [Identity].
type Rotation struct {
	// Axes is the permutation: axis i of the result is axis Axes[i] of the input.
	Axes [3]int
	// Flip marks the axes of the result that are reflected.
	Flip [3]bool
}

// Identity returns the rotation that changes nothing.
func Identity() Rotation { return Rotation{Axes: [3]int{0, 1, 2}} }

// releasedRotations lists the 24 rotations in the release's order: the permutation and the
// reflected axes.
const releasedRotations = `012:110 012:101 012:011 210:111 012:000 021:111 021:100 021:010
 021:001 102:111 102:100 102:010 102:001 120:110 120:101 120:011 120:000 201:110
 201:101 201:011 201:000 210:100 210:010 210:001`

// Rotations returns the 24 rotations of the cube in the order of the release, which draws
// from them.
func Rotations() []Rotation {
	var out []Rotation
	for _, s := range strings.Fields(releasedRotations) {
		var t Rotation
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
func Octahedral() []Rotation {
	out := Rotations()
	inversion := Rotation{[3]int{0, 1, 2}, [3]bool{true, true, true}}
	for _, t := range Rotations() {
		out = append(out, t.Then(inversion))
	}
	return out
}

// InPlane returns the rotations that keep the third axis in place, which can be applied to a 2D
// window that is not embedded.
func InPlane(rotations []Rotation) []Rotation {
	var out []Rotation
	for _, t := range rotations {
		if t.Axes[2] == 2 && !t.Flip[2] {
			out = append(out, t)
		}
	}
	return out
}

// Random draws one of the rotations. The release uses one draw for a whole batch. Without rotations
// it returns the zero Rotation, which [Rotation.Apply] refuses.
func Random(rng *rand.Rand, rotations []Rotation) Rotation {
	if len(rotations) == 0 {
		return Rotation{}
	}
	return rotations[rng.IntN(len(rotations))]
}

// Validate returns an error unless Axes is a permutation.
func (t Rotation) Validate() error {
	var seen [3]bool
	for _, a := range t.Axes {
		if a < 0 || a > 2 || seen[a] {
			return fmt.Errorf("augment: rotation: expected a permutation of 0, 1, 2, got %v", t.Axes)
		}
		seen[a] = true
	}
	return nil
}

// Then returns the rotation that applies t first and next second. It returns the zero Rotation if
// one of them is invalid.
func (t Rotation) Then(next Rotation) Rotation {
	var out Rotation
	if t.Validate() != nil || next.Validate() != nil {
		return out
	}
	for i, a := range next.Axes {
		out.Axes[i] = t.Axes[a]
		out.Flip[i] = next.Flip[i] != t.Flip[a]
	}
	return out
}

// Inverse returns the rotation that undoes t. It returns the zero Rotation if t is invalid.
func (t Rotation) Inverse() Rotation {
	var out Rotation
	if t.Validate() != nil {
		return out
	}
	for i, a := range t.Axes {
		out.Axes[a], out.Flip[a] = i, t.Flip[i]
	}
	return out
}

// Matrix returns the matrix R that maps a vector u to R·u. It is zero if t is invalid.
func (t Rotation) Matrix() [3][3]int {
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
func (t Rotation) sign(axis int) int {
	if t.Flip[axis] {
		return -1
	}
	return 1
}

// Proper reports whether t is a rotation and not a reflection, that is, whether the determinant of its
// matrix is 1.
func (t Rotation) Proper() bool {
	m := t.Matrix()
	det := 0
	for i := range 3 {
		j, k := (i+1)%3, (i+2)%3
		det += m[0][i] * (m[1][j]*m[2][k] - m[1][k]*m[2][j])
	}
	return det == 1
}

// String returns the source of each axis: "+x -z +y".
func (t Rotation) String() string {
	if t.Validate() != nil {
		return fmt.Sprintf("invalid rotation %v %v", t.Axes, t.Flip)
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

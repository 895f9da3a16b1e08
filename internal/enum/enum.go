// Package enum converts enumerations to text and back.
package enum

import (
	"fmt"
	"slices"
	"strings"
)

// Name returns the name of a value, or "unknown(n)" for a value without a name.
func Name[E ~uint8 | ~int](names []string, e E) string {
	if e >= 0 && int(e) < len(names) {
		return names[e]
	}
	return fmt.Sprintf("unknown(%d)", int(e))
}

// Text is Name with an error for values without a name.
func Text[E ~uint8 | ~int](what string, names []string, e E) ([]byte, error) {
	if e < 0 || int(e) >= len(names) {
		return nil, fmt.Errorf("%s: expected 0 to %d (%s), got %d",
			what, len(names)-1, strings.Join(names, ", "), int(e))
	}
	return []byte(names[e]), nil
}

// Parse sets e to the value whose name is text.
func Parse[E ~uint8 | ~int](what string, names []string, text []byte, e *E) error {
	i := slices.Index(names, string(text))
	if i < 0 {
		return fmt.Errorf("%s: expected %s, got %q", what, strings.Join(names, " or "), text)
	}
	*e = E(i)
	return nil
}

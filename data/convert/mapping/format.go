package mapping

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// formatAt returns indices as a mapping has them: "[channel=1, z=0]".
func formatAt(at map[string]int) string {
	var parts []string
	for _, axis := range slices.Sorted(maps.Keys(at)) {
		parts = append(parts, fmt.Sprintf("%s=%d", axis, at[axis]))
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

package walrus

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gowalrus/gowalrus/csm"
)

// uneven is the boundary of a periodic axis that its patches do not divide.
const uneven = "periodic-uneven"

func strideText(a csm.Axis) string { return fmt.Sprintf("%d×%d", a.Stride[0], a.Stride[1]) }

func boundaryText(a csm.Axis) string {
	if a.Wrap && !a.PeriodicTokens {
		return uneven
	}
	return a.Boundary.String()
}

// String describes the coverage in several lines for every dimensionality.
func (c *Coverage) String() string {
	if c.Windows() == 0 {
		return "no training recorded"
	}
	c = c.Clone()
	var b strings.Builder
	for _, dims := range slices.Sorted(maps.Keys(c.Dims)) {
		s := c.Dims[dims]
		fmt.Fprintf(&b, "%dD: %d windows, axes of %d to %d points, grids of %d to %d points\n",
			dims, s.Windows, s.Lengths[0], s.Lengths[1], s.Points[0], s.Points[1])
		fmt.Fprintf(&b, "  strides: %s\n", shares(s.Strides, s.Windows, 12))
		fmt.Fprintf(&b, "  histories: %s\n", shares(s.Histories, s.Windows, 12))
		fmt.Fprintf(&b, "  boundaries: %s\n", shares(s.Boundaries, s.Windows, 12))
	}
	if c.Partial {
		b.WriteString("and more before, which was not recorded\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// shares lists the most frequent entries of a table with their shares of all windows.
func shares[K cmp.Ordered](table map[K]int64, windows int64, most int) string {
	keys := slices.SortedFunc(maps.Keys(table), func(a, b K) int {
		return cmp.Or(cmp.Compare(table[b], table[a]), cmp.Compare(a, b))
	})
	var words []string
	for i, k := range keys {
		if i == most {
			words = append(words, fmt.Sprintf("%d more", len(keys)-most))
			break
		}
		words = append(words, fmt.Sprintf("%v (%s)", k, percent(table[k], windows)))
	}
	return strings.Join(words, ", ")
}

func percent(n, of int64) string {
	if of == 0 {
		return "0 %"
	}
	if p := 100 * float64(n) / float64(of); p > 0 && p < 0.1 {
		return "below 0.1 %"
	} else {
		return fmt.Sprintf("%.3g %%", p)
	}
}

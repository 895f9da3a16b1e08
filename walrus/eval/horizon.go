package eval

import (
	"fmt"
	"strconv"
	"strings"
)

// Horizon is a range of forecast steps, counted from 1, both ends included.
type Horizon struct{ From, To int }

// PaperHorizons returns one step, and the two intervals of the paper's tables.
func PaperHorizons() []Horizon { return []Horizon{{1, 1}, {1, 20}, {21, 60}} }

// String returns "1" or "21:60".
func (h Horizon) String() string {
	if h.From == h.To {
		return strconv.Itoa(h.From)
	}
	return fmt.Sprintf("%d:%d", h.From, h.To)
}

// ParseHorizons reads a list such as "1,1:20,21:60".
func ParseHorizons(s string) ([]Horizon, error) {
	var out []Horizon
	for _, part := range strings.Split(s, ",") {
		from, to, isRange := strings.Cut(strings.TrimSpace(part), ":")
		if !isRange {
			to = from
		}
		a, err := strconv.Atoi(from)
		b, err2 := strconv.Atoi(to)
		if err != nil || err2 != nil || a < 1 || b < a {
			return nil, fmt.Errorf("eval: horizons: expected steps such as 1 or 21:60, got %q", part)
		}
		out = append(out, Horizon{a, b})
	}
	return out, nil
}

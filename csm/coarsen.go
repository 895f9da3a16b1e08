package csm

import (
	"fmt"
	"strings"
)

// manyTokens is the number of tokens of a frame above which a plan with listed strides
// looks for larger patches: attention costs their square, and targets are set per axis.
const manyTokens = 2000

// coarsen gives the axes with the most tokens the cheapest trained strides of a larger
// patch, while the frame has more than manyTokens and there are such strides. Axes with
// equally many tokens change together, so that a cube keeps one patch.
func (p *Plan) coarsen() {
	if len(p.Options.Strides) == 0 {
		return
	}
	for p.Tokens() > manyTokens {
		larger := map[int]Axis{}
		most := 0
		for i, a := range p.Axes {
			b, ok := p.larger(a)
			if !ok || a.Tokens < most {
				continue
			}
			if a.Tokens > most {
				clear(larger)
				most = a.Tokens
			}
			larger[i] = b
		}
		if len(larger) == 0 {
			return
		}
		for i, b := range larger {
			p.Axes[i] = b
		}
	}
}

// larger plans an axis with fewer tokens, of a larger trained patch.
func (p *Plan) larger(a Axis) (Axis, bool) {
	if a.Length == 1 {
		return a, false
	}
	o := p.Options
	b, ok := cheapest(a.Length, a.Boundary, o, o.Tokens[p.Dims-1], func(b Axis) bool {
		return b.wrapsOnce() && o.trained(b.Stride) && b.Patch() > a.Patch() && b.Tokens < a.Tokens
	})
	if ok {
		b.Reason = strings.TrimSuffix(chosenReason(b, o, p.Dims), ".") +
			fmt.Sprintf(", where smaller patches make more than %d tokens of a frame.", manyTokens)
	}
	return b, ok
}

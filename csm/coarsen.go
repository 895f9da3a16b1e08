package csm

import (
	"fmt"
	"strings"
)

// manyTokens is the number of tokens per frame above which a plan with listed strides uses
// larger patches, because the cost of attention is quadratic in the tokens of a frame while
// targets are set per axis.
const manyTokens = 2000

// coarsen gives the axes with the most tokens the cheapest trained strides of a larger
// patch, as long as the frame has more than manyTokens and such strides exist. Axes with
// equally many tokens change together, so that a cube keeps a single patch size.
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

// larger returns a plan of the axis with a larger trained patch and fewer tokens.
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

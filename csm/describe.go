package csm

import (
	"encoding/json"
	"fmt"
	"strings"
)

// String returns one line per axis and one line of totals.
func (p *Plan) String() string { return p.text(false) }

// Describe returns the lines of String, each axis followed by a line with the reason for
// its strides.
func (p *Plan) Describe() string { return p.text(true) }

func (p *Plan) text(reasons bool) string {
	var b strings.Builder
	for i, a := range p.Axes {
		if i >= p.Rank {
			break
		}
		fmt.Fprintf(&b, "axis %d: %s\n", i, a)
		if reasons {
			fmt.Fprintf(&b, "        %s\n", a.Reason)
		}
	}
	t := p.TokenGrid()
	released := "no"
	if p.Released() {
		released = "yes"
	}
	fmt.Fprintf(&b, "%d×%d×%d = %d tokens per frame, padding adds %.1f %%, released plan: %s",
		t[0], t[1], t[2], p.Tokens(), 100*p.overhead(), released)
	return b.String()
}

// overhead returns the fraction of points that padding adds to the grid.
func (p *Plan) overhead() float64 {
	share := 1.0
	for _, a := range p.Axes {
		share *= float64(a.Padded) / float64(a.Length)
	}
	return share - 1
}

// String returns the plan of the axis on one line, without the reason.
func (a Axis) String() string {
	if a.Length == 1 {
		return "1 point, " + a.Boundary.String() + ": 1 token"
	}
	origin := ""
	if a.Released {
		origin = ", as released"
	}
	return fmt.Sprintf("%d points, %s: patch %d (strides %d×%d%s), %s, %s",
		a.Length, a.Boundary, a.Patch(), a.Stride[0], a.Stride[1], origin, a.padding(), count(a.Tokens, "token"))
}

func (a Axis) padding() string {
	switch {
	case a.Padded == a.Length:
		return "no padding"
	case a.Wrap:
		return fmt.Sprintf("padded to %d by wrapping %d+%d", a.Padded, a.PadLow, a.PadHigh)
	}
	return fmt.Sprintf("padded to %d by zeros %d+%d", a.Padded, a.PadLow, a.PadHigh)
}

// releasedReason explains the strides of an axis that the release can handle.
func releasedReason(a Axis, target int) string {
	s := fmt.Sprintf("%d points are the target of %d tokens times %d, a patch of the release",
		a.Length, target, a.Patch())
	if a.PeriodicTokens && a.Kernel[0]%a.Stride[0] != 0 {
		s += ", whose own decoder would return this axis 4 points short"
	}
	return s + "."
}

// chosenReason explains the strides of an axis that the release cannot handle: first why it
// cannot, then the choice.
func chosenReason(a Axis, o Options, dims int) string {
	target := o.Tokens[dims-1]
	var why string
	switch {
	case target != releasedTokens[dims-1] || a.Kernel != releasedKernel:
		why = "The options differ from the release's"
	case a.Length%target != 0:
		why = fmt.Sprintf("The release needs a multiple of %d points", target)
	case releasedStrides[a.Length/target] != [2]int{}:
		why = "These weights were not trained on the strides of the release"
	default:
		why = fmt.Sprintf("The release has no patch of %s", count(a.Length/target, "point"))
	}
	patches := ceilDiv(a.Length, a.Patch())
	what := fmt.Sprintf("a patch of %d cuts it into %d for a target of %d tokens", a.Patch(), patches, target)
	if patches > target && a.Patch() == a.Kernel[0]*a.Kernel[1] {
		what += " (the kernels allow no larger patch)"
	}
	return why + "; " + what + a.endings(o) + "."
}

// endings describes the ends of an axis that patches do not divide, and says whether the
// weights were trained with the strides.
func (a Axis) endings(o Options) string {
	var s string
	switch e := a.extension(); {
	case e > 0 && a.Wrap:
		s = ", which do not close around the axis: its ends are copied and its tokens not rolled"
	case e > 0:
		s = fmt.Sprintf(", the last with %s beyond the high end", count(e, "point"))
	}
	switch {
	case o.trained(a.Stride):
	case len(o.Strides) > 0:
		s += ", with strides these weights were not trained on"
	case a.Kernel == releasedKernel:
		s += ", with strides the released weights were not trained on"
	}
	return s
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// MarshalJSON encodes the fields of Axis, with the boundary as text, and the patch.
func (a Axis) MarshalJSON() ([]byte, error) {
	type fields Axis // without methods
	return json.Marshal(struct {
		fields
		Boundary string `json:"boundary"`
		Patch    int    `json:"patch"`
	}{fields(a), a.Boundary.String(), a.Patch()})
}

// MarshalJSON encodes the plan and its totals for people and other programs. A Plan is not
// decoded from JSON; NewPlan computes it again.
func (p Plan) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Rank       int     `json:"rank"`
		Dims       int     `json:"dims"`
		Grid       [3]int  `json:"grid"`
		PaddedGrid [3]int  `json:"padded_grid"`
		TokenGrid  [3]int  `json:"token_grid"`
		Tokens     int     `json:"tokens"`
		Overhead   float64 `json:"padding_overhead"`
		Released   bool    `json:"released"`
		Options    Options `json:"options"`
		Axes       [3]Axis `json:"axes"`
	}{p.Rank, p.Dims, p.Grid(), p.PaddedGrid(), p.TokenGrid(), p.Tokens(), p.overhead(), p.Released(), p.Options, p.Axes})
}

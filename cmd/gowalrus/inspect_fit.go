package main

import (
	"fmt"
	"strings"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/distributed"
	"github.com/gowalrus/gowalrus/internal/bytesize"
	"github.com/gowalrus/gowalrus/internal/progress/command"
)

// fitChannels is the number of channels that --fit supposes: two scalars and a vector.
const fitChannels = 5

// fitSummary lists what fits into the memory of --fit.
type fitSummary struct {
	Bytes    int64             `json:"bytes"`
	Grid     []int             `json:"grid"`
	History  int               `json:"history"`
	Channels int               `json:"channels"`
	Uses     []distributed.Use `json:"uses"`
}

// fit estimates what fits into the memory of --fit, on the grid of --grid or else on 256
// points along two periodic axes, or 64 along three if the network has no encoder in 2D.
func (r *inspection) fit(o inspectOptions) error {
	bytes, err := bytesize.Parse(o.fit)
	if err != nil {
		return command.Usage("--fit: %w", err)
	}
	if r.Config == nil {
		return command.Usage("--fit: expected a network (--preset, --config or --weights), got none")
	}
	grid, bcs := []int{256, 256}, data.Boundaries{data.Both(data.Periodic), data.Both(data.Periodic)}
	switch {
	case o.grid != "":
		if grid, bcs, err = o.parseGrid(); err != nil {
			return err
		}
	case r.Config.Encoder(2) == 0:
		grid, bcs = []int{64, 64, 64}, append(bcs, data.Both(data.Periodic))
	}
	history := o.history
	if history == 0 {
		history = data.Metadata{Grid: grid}.History()
	}
	uses, err := distributed.Fits(*r.Config, distributed.BatchShape{Grid: grid, Boundaries: bcs, Steps: history, Variable: fitChannels}, bytes)
	if err != nil {
		return err
	}
	r.Fit = &fitSummary{Bytes: bytes, Grid: grid, History: history, Channels: fitChannels, Uses: uses}
	return nil
}

// text formats the list.
func (f *fitSummary) text(b *strings.Builder) {
	fmt.Fprintf(b, "memory on the grid %v with %d frames and %d channels, at most %.2f GiB\n", f.Grid, f.History, f.Channels, gib(f.Bytes))
	for _, u := range f.Uses {
		verdict := "does not fit"
		if u.Batch > 0 {
			what := "draws at once"
			if u.Task != "forecast" {
				what = "windows per micro-batch"
			}
			verdict = fmt.Sprintf("fits, up to %d %s", u.Batch, what)
		}
		fmt.Fprintf(b, "  %-48s %8.2f GiB  %s\n", u, gib(u.Bytes), verdict)
	}
}

func gib(n int64) float64 { return float64(n) / (1 << 30) }

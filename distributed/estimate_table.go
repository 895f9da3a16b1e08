package distributed

import (
	"fmt"
	"io"
	"strings"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
)

// WriteEstimates writes the memory and operations of the paper's network of 1.3 billion
// parameters as Markdown: per device in groups of 1 and 4, and the smallest groups of
// devices with 80 GB (H100) or 141 GB (H200).
func WriteEstimates(w io.Writer) error {
	var b strings.Builder
	b.WriteString("# Memory and operations of the released network\n\n`distributed.WriteEstimates` wrote this page from `distributed.Estimate`: 1.3·10⁹ parameters, float32, AdamW and\nthe micro-batches of the paper (2 windows of 6 frames in 2D, 1 window of 3 frames in 3D). Memory is in gigabytes\n(10⁹ bytes) per device, operations in 10¹² per micro-batch. Activations follow a model of this library's programs,\ncalibrated on XLA for CPUs ([benchmarks](../benchmarks/memory_xla-cpu_2026-11-25.md)). The column \"recomputed\nblocks\" is the setting `walrus.Config.CheckpointEvery`.\n\n")
	b.WriteString("| data set | grid | recomputed blocks | shards | weights | gradients | moments | gathered | activations | inputs | total | forward | step |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	if err := eachEstimate(func(e data.Entry, c walrus.Config, s BatchShape) error {
		for _, shards := range []int{1, 4} {
			f, err := Estimate(c, FullyShard(shards), s)
			if err != nil {
				return err
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %d | %.1f | %.1f | %.1f | %.1f | %.1f | %.2f | %.1f | %.1f | %.0f |\n", e.Name, times(e.Grid), every(c), shards,
				gb(f.Weights), gb(f.Gradients), gb(f.Moments), gb(f.Gathered), gb(f.Activations), gb(f.Inputs), gb(f.Total()), f.Forward.Total()/1e12, f.Step/1e12)
		}
		return nil
	}); err != nil {
		return err
	}
	b.WriteString("\nThe smallest group, in devices (a power of two), and the memory of each device:\n\n| data set | grid | recomputed blocks | 80 GB | 141 GB |\n|---|---|---|---|---|\n")
	if err := eachEstimate(func(e data.Entry, c walrus.Config, s BatchShape) error {
		fmt.Fprintf(&b, "| %s | %s | %s |", e.Name, times(e.Grid), every(c))
		for _, bytes := range []int64{80e9, 141e9} {
			if m, f, err := Smallest(c, s, bytes); err != nil {
				fmt.Fprintf(&b, " none: activations take %.0f GB |", gb(f.Activations))
			} else {
				fmt.Fprintf(&b, " %d (%.0f GB) |", m.Shards, gb(f.Total()))
			}
		}
		b.WriteString("\n")
		return nil
	}); err != nil {
		return err
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// eachEstimate calls row for small and large grids, with every other block recomputed
// as in the release, with all blocks recomputed, and with none.
func eachEstimate(row func(e data.Entry, c walrus.Config, s BatchShape) error) error {
	for _, name := range []string{"active_matter", "euler_multi_quadrants_openBC", "MHD_64", "supernova_explosion_128", "turbulent_radiative_layer_3D"} {
		e, ok := data.FindEntry(name)
		if !ok {
			return fmt.Errorf("distributed: estimates: expected an entry of the catalog, got %q", name)
		}
		s, err := ShapeOf(e)
		if err != nil {
			return err
		}
		for _, n := range []int{2, 1, 0} {
			c := walrus.Walrus()
			c.CheckpointEvery = n
			if err := row(e, c, s); err != nil {
				return err
			}
		}
	}
	return nil
}

func times(grid []int) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(grid), " ", " × "), "[]")
}

func every(c walrus.Config) string {
	return [...]string{"none", "all", "every other"}[c.CheckpointEvery]
}

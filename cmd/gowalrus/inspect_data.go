package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/gowalrus/gowalrus/data/well"
)

// printData prints descriptions as one JSON object or as text.
func printData(out io.Writer, all []*well.Description, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(map[string]any{"datasets": all})
	}
	var b strings.Builder
	for _, d := range all {
		dataText(&b, d)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// dataText writes a description as text.
func dataText(b *strings.Builder, d *well.Description) {
	fmt.Fprintln(b, d.Path)
	if d.Name != "" {
		fmt.Fprintf(b, "  name        %s\n", d.Name)
		fmt.Fprintf(b, "  grid        %v, %s, axes %s\n", d.Grid, d.GridType, strings.Join(d.Axes, " "))
	}
	for _, f := range d.Fields {
		kind := map[int]string{0: "scalar", 1: "vector", 2: "tensor of order 2"}[f.Order]
		if f.Constant {
			kind += ", constant"
		}
		fmt.Fprintf(b, "  field       %s: %s\n", f.Name, kind)
	}
	if len(d.Scalars) > 0 {
		fmt.Fprintf(b, "  scalars     %s\n", strings.Join(d.Scalars, ", "))
	}
	for _, s := range d.Splits {
		fmt.Fprintf(b, "  %-11s %d files (%.1f MB), %d trajectories of %s frames, %d windows of 6+1\n",
			s.Split, s.Files, float64(s.Bytes)/1e6, s.Trajectories, numbers(s.Steps), s.Windows)
		for _, text := range s.Boundaries {
			fmt.Fprintf(b, "  %-11s %s\n", "", text)
		}
	}
	if d.Name != "" {
		fmt.Fprintf(b, "  statistics  %s\n", map[bool]string{true: "yes", false: "no (stats.yaml is missing, --stats writes it)"}[d.Statistics])
	}
	for _, p := range d.Problems {
		fmt.Fprintf(b, "  PROBLEM     %s\n", p)
	}
}

// numbers writes "31" or "18, 31".
func numbers(list []int) string {
	parts := make([]string, len(list))
	for i, n := range list {
		parts[i] = strconv.Itoa(n)
	}
	return strings.Join(parts, ", ")
}

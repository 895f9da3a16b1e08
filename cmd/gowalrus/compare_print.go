package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/gowalrus/gowalrus/walrus/eval"
)

// comparison is a result as a table: one row per horizon, one column per network.
type comparison struct {
	title string
	names []string // of the columns
	rows  [][]string
}

// newComparison arranges a result. The smallest error of a row has a star. The rows after those
// of the horizons hold the costs of the networks.
func newComparison(list []contender, r *eval.Result) comparison {
	c := comparison{title: r.Dataset}
	for _, n := range list {
		c.names = append(c.names, n.name)
	}
	c.names = append(c.names, "persistence", "linear")
	for _, h := range r.Horizons {
		best := math.Inf(1)
		for _, s := range h.Scores {
			best = min(best, s.Median)
		}
		row := []string{h.Horizon.String()}
		for _, name := range c.names {
			text := "–"
			if s, ok := h.Scores[name]; ok {
				if text = fmt.Sprintf("%.3f", s.Median); s.Median == best {
					text = "*" + text
				}
			}
			row = append(row, text)
		}
		c.rows = append(c.rows, append(row, strconv.Itoa(h.Windows)))
	}
	for _, line := range []struct {
		name string
		text func(c cost) string
	}{
		{"parameters", func(c cost) string { return grouped(c.Parameters) }},
		{"weights", func(c cost) string { return size(c.Bytes) }},
		{"s/frame", func(c cost) string {
			if c.Seconds == 0 {
				return "–"
			}
			return strconv.FormatFloat(c.Seconds, 'g', 2, 64)
		}},
		{"peak", func(c cost) string {
			if c.Peak == 0 {
				return "–"
			}
			return size(c.Peak)
		}},
	} {
		row := []string{line.name}
		for _, n := range list {
			row = append(row, line.text(n.cost))
		}
		c.rows = append(c.rows, append(row, "", "", ""))
	}
	return c
}

// printComparison prints a result as text.
func printComparison(w io.Writer, list []contender, r *eval.Result) error {
	c := newComparison(list, r)
	rows := append([][]string{append(append([]string{"steps"}, c.names...), "places")}, c.rows...)
	fmt.Fprintf(w, "%s: VRMSE, median over places\n", c.title)
	for _, row := range rows {
		line := ""
		for i, text := range row {
			width := 8
			for _, other := range rows {
				width = max(width, len([]rune(other[i])))
			}
			line += strings.Repeat(" ", width-len([]rune(text))+min(i, 1)) + text
		}
		fmt.Fprintln(w, strings.TrimRight(line, " "))
	}
	for _, h := range r.Skipped {
		fmt.Fprintf(w, "%8v beyond the end of all trajectories\n", h)
	}
	_, err := fmt.Fprintln(w)
	return err
}

// markdownComparison prints a result as a table in Markdown. The smallest error of a row is
// bold.
func markdownComparison(w io.Writer, list []contender, r *eval.Result) error {
	c := newComparison(list, r)
	fmt.Fprintf(w, "%s: VRMSE, median over places\n\n| steps | %s | places |\n|---|%s---:|\n", c.title, strings.Join(c.names, " | "), strings.Repeat("---:|", len(c.names)))
	for _, row := range c.rows {
		for i, text := range row {
			if bold, ok := strings.CutPrefix(text, "*"); ok {
				row[i] = "**" + bold + "**"
			}
		}
		fmt.Fprintf(w, "| %s |\n", strings.Join(row, " | "))
	}
	_, err := fmt.Fprintln(w)
	return err
}

// encodeComparison prints a result as the line of eval.Result with the costs of the networks.
func encodeComparison(w io.Writer, list []contender, r *eval.Result) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	line := map[string]json.RawMessage{}
	if err := json.Unmarshal(text, &line); err != nil {
		return err
	}
	costs := map[string]cost{}
	for _, c := range list {
		costs[c.name] = c.cost
	}
	if line["networks"], err = json.Marshal(costs); err != nil {
		return err
	}
	return json.NewEncoder(w).Encode(line)
}

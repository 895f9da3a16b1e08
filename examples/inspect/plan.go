package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
)

// plan plans the grid of -grid.
func (r *report) plan(o options) error {
	grid, err := parseGrid(o.grid)
	if err != nil {
		return fmt.Errorf("%w: -grid: %w", errUsage, err)
	}
	bcs, err := data.ParseBoundaries(o.boundary)
	if err == nil && len(bcs) != len(grid) {
		err = fmt.Errorf("expected %d axes as in -grid %s, got %d", len(grid), o.grid, len(bcs))
	}
	if err != nil {
		return fmt.Errorf("%w: -boundary: %w", errUsage, err)
	}
	if r.Config == nil {
		return fmt.Errorf("%w: -grid: expected a network to plan for (-preset or -config), got a checkpoint without configuration", errUsage)
	}
	m, err := walrus.NewModel(*r.Config)
	if err != nil {
		return err
	}
	if r.Plan, err = m.Plan(grid, bcs); err != nil {
		return err
	}
	history := o.history
	if history == 0 {
		history = 6
		if r.Plan.Dims == 3 {
			history = 3
		}
	}
	r.Advice = walrus.Advise(*r.Config, r.Coverage, r.Plan, history)
	return nil
}

// parseGrid reads points per axis: "256x512".
func parseGrid(s string) ([]int, error) {
	var grid []int
	for _, word := range strings.Split(s, "x") {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("expected positive numbers joined by x, such as 256x512, got %q", s)
		}
		grid = append(grid, n)
	}
	if len(grid) > 3 {
		return nil, fmt.Errorf("expected one to three axes, got %d", len(grid))
	}
	return grid, nil
}

package data

import (
	"fmt"
	"strconv"
	"strings"
)

// ParseGrid parses the points along each of one to three axes, joined by x: "256x512".
func ParseGrid(s string) ([]int, error) {
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

package data_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/gowalrus/gowalrus/data"
)

func ExampleParseGrid() {
	grid, err := data.ParseGrid("256x512")
	fmt.Println(grid, err)
	// Output: [256 512] <nil>
}

func TestParseGridErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":        `expected positive numbers joined by x, such as 256x512, got ""`,
		"8x":      `got "8x"`,
		"8x-1":    `got "8x-1"`,
		"8by8":    `got "8by8"`,
		"1x1x1x1": "expected one to three axes, got 4",
	} {
		_, err := data.ParseGrid(text)
		assert.ErrorContains(t, err, want)
	}
}

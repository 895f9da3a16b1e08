package recipe_test

import (
	"testing"

	"github.com/gowalrus/gowalrus/internal/sweep"
	"github.com/gowalrus/gowalrus/walrus/recipe"
)

// TestNonsense: no function panics on bad input.
func TestNonsense(t *testing.T) {
	simple, err := recipe.Parse([]byte("network: {preset: micro}\ndata: [{simulate: diffusion}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	sweep.Run(t, sweep.Package{
		Funcs:   []any{recipe.Finetuning, recipe.Parse, recipe.Read},
		Types:   []any{new(recipe.Opened), new(recipe.Recipe)},
		Values:  []any{simple},
		Strings: []string{"data: [{simulate: diffusion}]", "diffusion", "micro", "history"},
		Calls:   100,
	})
}

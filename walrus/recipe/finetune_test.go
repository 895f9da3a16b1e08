package recipe_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/nano"
	"github.com/gowalrus/gowalrus/walrus/recipe"
)

// TestFinetuning: the recipe opens with the authors' settings and the data set's
// statistics.
func TestFinetuning(t *testing.T) {
	o, err := recipe.Finetuning(nano.Name, "../../testdata/data/shear_flow").Open()
	require.NoError(t, err)
	defer o.Close()
	assert.Equal(t, walrus.RoPEPerAxis, o.Weights.Config().RoPE)
	assert.Zero(t, o.Weights.Config().DropPath)
	assert.NotNil(t, o.Options.Systems[0].Statistics)
	assert.Equal(t, []int{10, 2, 3}, []int{o.Options.Epochs, o.Options.Schedule.Warmup, o.Options.Schedule.Cooldown})
}

func TestSetEpochs(t *testing.T) {
	for n, want := range map[int][2]int{1: {-1, -1}, 2: {-1, -1}, 3: {1, 1}, 10: {2, 3}, 51: {10, 15}} {
		var r recipe.Recipe
		r.SetEpochs(n)
		assert.Equal(t, want, [2]int{r.Schedule.Warmup, r.Schedule.Cooldown}, n)
	}
}

package serve

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestSpareArrays: arrays that lists outgrow serve other lists, and no list shares one with
// another that is in use.
func TestSpareArrays(t *testing.T) {
	refused := errors.New("refused")
	lists := map[float32][]float32{}
	for i := range 40 {
		v := &valueList{field: "frames[0]", most: 1 << 14}
		for range 700 + 300*i {
			require.NoError(t, v.add(float32(i)))
		}
		var err error
		if i%2 == 1 {
			err = refused
		}
		values, got := v.done(err)
		assert.Equal(t, err, got)
		if err != nil {
			assert.Nil(t, values)
			continue
		}
		assert.Len(t, values, 700+300*i)
		lists[float32(i)] = values
	}
	for i, values := range lists {
		for _, x := range values {
			require.Equal(t, i, x)
		}
	}
}

// TestReadingAllocates: an array of numbers is read without an allocation for each.
func TestReadingAllocates(t *testing.T) {
	text := "[" + strings.Repeat("1.25e-3,", 1<<14) + "1]"
	allocations := testing.AllocsPerRun(5, func() {
		values, err := newJSON(strings.NewReader(text), nil).values("frames[0]", 1<<15)
		require.NoError(t, err)
		require.Len(t, values, 1<<14+1)
	})
	assert.Less(t, allocations, 100.0)
}

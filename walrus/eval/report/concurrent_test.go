package report

import (
	"bytes"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/walrus/eval/picture"
)

// TestConcurrent: pictures may be drawn at the same time, as by a server, and do not differ.
func TestConcurrent(t *testing.T) {
	panels, err := picture.Frames(sample([]int{8, 8}).Truth, picture.Options{Title: "flow"})
	require.NoError(t, err)
	for _, d := range []picture.Drawing{Chart{Title: "errors", Lines: []Line{{Name: "model", Values: []float64{1, 2}}}}, panels[0]} {
		var alone bytes.Buffer
		require.NoError(t, picture.EncodePNG(&alone, d))
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				var b bytes.Buffer
				if assert.NoError(t, picture.EncodePNG(&b, d)) {
					assert.True(t, bytes.Equal(alone.Bytes(), b.Bytes()))
				}
			})
		}
		all.Wait()
	}
}

package enum

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRoundTrip: names become values and values names; everything else is an error.
func TestRoundTrip(t *testing.T) {
	names := []string{"plain", "padded"}
	for i, name := range names {
		require.Equal(t, name, Name(names, i))
		text, err := Text("mode", names, uint8(i))
		require.NoError(t, err)
		var back int
		require.NoError(t, Parse("mode", names, text, &back))
		require.Equal(t, i, back)
	}
	for _, wrong := range []int{-1, 2} {
		require.Contains(t, Name(names, wrong), "unknown(")
		_, err := Text("mode", names, wrong)
		require.ErrorContains(t, err, "mode: expected 0 to 1 (plain, padded), got ")
	}
	kept := 1
	require.EqualError(t, Parse("mode", names, []byte("none"), &kept), `mode: expected plain or padded, got "none"`)
	require.Equal(t, 1, kept)
}

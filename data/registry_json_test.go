package data

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRegistryJSON(t *testing.T) {
	text, err := json.Marshal(MustRegistry("velocity_x", `a "b"`, "ä"))
	require.NoError(t, err)
	assert.Equal(t, `{"closed_boundary":0,"open_boundary":1,"bias_correction":2,"velocity_x":3,"a \"b\"":4,"ä":5}`, string(text),
		"in the order of the indices")

	gap, err := NewRegistry(map[string]int{ClosedBoundary: 0, OpenBoundary: 1, BiasCorrection: 2, "u": 9})
	require.NoError(t, err)
	for _, r := range []Registry{ReleasedRegistry(), MustRegistry(), gap, {}} {
		text, err := json.Marshal(struct{ R Registry }{r})
		require.NoError(t, err)
		var back struct{ R Registry }
		require.NoError(t, json.Unmarshal(text, &back))
		assert.Equal(t, r, back.R)
	}
}

func TestRegistryJSONErrors(t *testing.T) {
	const base = `"closed_boundary":0,"open_boundary":1,"bias_correction":2`
	for text, want := range map[string]string{
		`{}`:                         `expected "closed_boundary" at index 0`,
		`{"closed_boundary":0}`:      `expected "open_boundary" at index 1`,
		`[1,2]`:                      "data: registry: expected a JSON object from field names to indices, got",
		`"u"`:                        "expected a JSON object",
		`3`:                          "expected a JSON object",
		`{` + base + `,"u":2}`:       `fields "bias_correction" and "u" share index 2`,
		`{` + base + `,"u":-1}`:      `field "u" has the negative index -1`,
		`{` + base + `,"u":1.5}`:     `field "u": expected an integer index`,
		`{` + base + `,"u":"3"}`:     `field "u": expected an integer index`,
		`{` + base + `,"u":null}`:    `field "u": expected an integer index, got null`,
		`{` + base + `,"u":[3]}`:     `field "u": expected an integer index`,
		`{` + base + `,"u":1e99}`:    `field "u": expected an integer index`,
		`{` + base + `,"":3}`:        "empty field name",
		`{"u":3,` + base + `,"u":4}`: `field "u" appears twice`,
	} {
		r := MustRegistry("kept")
		err := json.Unmarshal([]byte(text), &r)
		assert.ErrorContains(t, err, want, text)
		assert.Equal(t, MustRegistry("kept"), r, "an error leaves the registry alone: %s", text)
	}
}

// TestRegistryUnmarshalBrokenText calls the method directly, as package json would reject
// the syntax first.
func TestRegistryUnmarshalBrokenText(t *testing.T) {
	for _, text := range []string{"", "{", `{"u"`, `{"u":`, `{"u":3`, `{"u":3,`, `{3:4}`} {
		var r Registry
		assert.ErrorContains(t, r.UnmarshalJSON([]byte(text)), "data: registry: ", text)
	}
}

func TestRegistryUnmarshalNull(t *testing.T) {
	r := MustRegistry("kept")
	require.NoError(t, json.Unmarshal([]byte("null"), &r))
	assert.Equal(t, MustRegistry("kept"), r)
}

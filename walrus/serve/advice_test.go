package serve

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/nano"
)

// TestAdvice: an answer names the properties of the window that the training lacked.
func TestAdvice(t *testing.T) {
	w, err := nano.Weights(walrus.LoadOptions{})
	require.NoError(t, err)
	m, err := walrus.NewModel(w.Config())
	require.NoError(t, err)
	plan, err := m.Plan([]int{8, 8}, data.Boundaries{data.Both(data.Periodic), data.Both(data.Wall)})
	require.NoError(t, err)
	w.SetCoverage(&walrus.Coverage{})
	w.Coverage().Count(plan, 2, 10)
	em, err := walrus.NewEmulator(w, walrus.EmulatorOptions{Backend: testbackend.New(t), OwnWeights: true})
	require.NoError(t, err)
	t.Cleanup(em.Close)
	_, url := serve(t, em, Options{})
	type answer struct {
		Advice []walrus.Advice
	}
	ask := func(change func(map[string]any)) (a answer) {
		status, _, raw := post(t, url+"/v1/forecast", "application/json", body(change))
		require.Equal(t, http.StatusOK, status, "%s", raw)
		require.NoError(t, json.Unmarshal(raw, &a))
		return a
	}
	a := ask(nil)
	require.Len(t, a.Advice, 1)
	assert.Equal(t, []any{walrus.AdviseBoundary, 1}, []any{a.Advice[0].Kind, a.Advice[0].Axis})
	assert.Contains(t, a.Advice[0].Text, "boundaries wall/open were not trained")
	assert.Empty(t, ask(func(b map[string]any) { b["boundaries"] = []string{"periodic", "wall"} }).Advice)
}

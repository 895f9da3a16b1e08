package serve

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/nano"
)

// intervalAnswer is an answer with intervals.
type intervalAnswer struct {
	Members int
	Advice  []walrus.Advice
	Frames  []struct {
		Level                  float64
		Forecast, Lower, Upper []float64
	}
}

func askIntervals(t *testing.T, url string, members int) (a intervalAnswer) {
	t.Helper()
	status, _, raw := post(t, url+"/v1/forecast", "application/json", body(func(b map[string]any) {
		b["steps"] = 2
		if members > 0 {
			b["members"] = members
		}
	}))
	require.Equal(t, http.StatusOK, status, "%s", raw)
	require.NoError(t, json.Unmarshal(raw, &a))
	require.Len(t, a.Frames, 2)
	return a
}

// requireBand checks that the forecast is within bounds that are not all equal.
func requireBand(t *testing.T, a intervalAnswer, level float64) {
	t.Helper()
	for _, f := range a.Frames {
		require.Equal(t, level, f.Level)
		require.Len(t, f.Lower, len(f.Forecast))
		require.Len(t, f.Upper, len(f.Forecast))
		wide := 0
		for i, v := range f.Forecast {
			require.LessOrEqual(t, f.Lower[i], v)
			require.GreaterOrEqual(t, f.Upper[i], v)
			if f.Upper[i] > f.Lower[i] {
				wide++
			}
		}
		require.Positive(t, wide)
	}
}

// SaveNano writes walrus-nano as a checkpoint and returns its folder.
func SaveNano(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "checkpoint")
	w, err := nano.Weights(walrus.LoadOptions{})
	require.NoError(t, err)
	defer w.Close()
	require.NoError(t, walrus.SaveCheckpoint(dir, walrus.Checkpoint{Weights: w}))
	return dir
}

// SaveCalibration writes a calibration of two steps of the given channels next to weights,
// and a familiarity that knows none of their windows.
func SaveCalibration(t *testing.T, dir string, em *walrus.Emulator, channels ...string) {
	t.Helper()
	c := em.NewCalibration()
	c.Dataset, c.Units, c.Unit, c.Windows, c.History, c.Levels = "test", 20, "trajectory", 20, 2, []float64{0.9}
	c.Fields = map[string]walrus.ChannelCalibration{}
	f := walrus.NewFamiliarity()
	f.Rate, f.Limit = 0.01, 0.5
	known := walrus.FamiliarDataset{Name: "still water", Channels: map[string]walrus.FamiliarFeatures{}}
	for _, channel := range channels {
		c.Fields[channel] = walrus.ChannelCalibration{Radius: [][]float64{{1}, {2}}}
		known.Channels[channel] = walrus.FamiliarFeatures{}
	}
	f.Datasets = []walrus.FamiliarDataset{known}
	require.NoError(t, c.Save(dir))
	require.NoError(t, f.Save(dir))
}

// TestIntervals: a server of a checkpoint with a calibration and a familiarity next to it
// answers with intervals and warnings; with members, bounds and mean are those of the ensemble.
func TestIntervals(t *testing.T) {
	dir := SaveNano(t)
	o := walrus.EmulatorOptions{Backend: testbackend.New(t)}
	first, err := OpenModel(dir, o)
	require.NoError(t, err)
	_, url := serve(t, first.Forecaster, Options{})
	plain := askIntervals(t, url, 0)
	require.Nil(t, plain.Frames[0].Lower)

	SaveCalibration(t, dir, first.Forecaster.(*walrus.Emulator), "concentration")
	m, err := OpenModel(dir, o)
	require.NoError(t, err)
	_, url = serve(t, m.Forecaster, Options{})
	a := askIntervals(t, url, 0)
	requireBand(t, a, 0.9)
	require.Equal(t, plain.Frames[0].Forecast, a.Frames[0].Forecast)
	require.Zero(t, a.Members)
	require.Equal(t, walrus.AdviseFamiliarity, a.Advice[len(a.Advice)-1].Kind)

	a = askIntervals(t, url, 3)
	requireBand(t, a, 0.9)
	require.Equal(t, 3, a.Members)
	for _, members := range []int{-1, 1, 9} {
		status, _, raw := post(t, url+"/v1/forecast", "application/json", body(func(b map[string]any) { b["members"] = members }))
		require.Equal(t, http.StatusUnprocessableEntity, status)
		require.Contains(t, string(raw), "expected 2 to 8 members of an ensemble, or 0 for a single forecast")
	}
	_, url = serve(t, &fake{}, Options{})
	status, _, raw := post(t, url+"/v1/forecast", "application/json", body(func(b map[string]any) { b["members"] = 2 }))
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, string(raw), "this network forecasts no ensembles")
}

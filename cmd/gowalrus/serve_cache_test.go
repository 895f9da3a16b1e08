package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/nano"
	"github.com/gowalrus/gowalrus/walrus/serve"
)

// TestServeCacheFlags: by default there is no cache; with --cache the library's refresh
// applies.
func TestServeCacheFlags(t *testing.T) {
	for _, tt := range []struct {
		options serveOptions
		want    *walrus.Cache
	}{
		{serveOptions{refresh: walrus.DefaultRefresh}, nil},
		{serveOptions{cache: true, refresh: walrus.DefaultRefresh}, &walrus.Cache{Refresh: walrus.DefaultRefresh}},
		{serveOptions{cache: true, refresh: -1}, &walrus.Cache{Refresh: -1}},
	} {
		assert.Equal(t, tt.want, tt.options.emulator(nil, nil).Cache)
	}
}

// tracer returns a history of two frames.
func tracer(grid ...int) *data.Window {
	w := &data.Window{Name: "tracer", Fields: []data.Field{{Name: "tracer"}}, Grid: grid,
		Boundaries: data.Boundaries{data.Both(data.Periodic), data.Both(data.Wall)}}
	for t := range 2 {
		f := make([]float32, w.Points())
		for i := range f {
			f[i] = float32((i*7+t*5)%23) / 23
		}
		w.Frames = append(w.Frames, f)
	}
	return w
}

// TestServeCached: the flags affect the forecasts that clients receive.
func TestServeCached(t *testing.T) {
	w := tracer(8, 12)
	body, err := json.Marshal(map[string]any{"fields": []any{map[string]any{"name": "tracer"}}, "grid": w.Grid, "boundaries": []string{"periodic", "wall"}, "frames": w.Frames, "steps": 4})
	require.NoError(t, err)
	b, err := serve.OpenBackend(false)
	require.NoError(t, err)
	var last []float32
	for _, tt := range []struct {
		args  []string
		cache *walrus.Cache
	}{
		{nil, nil}, {[]string{"--cache"}, &walrus.Cache{}}, {[]string{"--cache", "--refresh", "-1"}, &walrus.Cache{Refresh: -1}},
	} {
		em, err := nano.Load(walrus.EmulatorOptions{Backend: b, Seed: 1, Cache: tt.cache})
		require.NoError(t, err)
		want, err := em.Forecast(context.Background(), w, 4)
		require.NoError(t, err)
		em.Close()
		a, err := http.Post(startServer(t, append(tt.args, "--quiet")...)+"/v1/forecast", "application/json", bytes.NewReader(body))
		require.NoError(t, err)
		var got struct {
			Frames []struct{ Forecast []float32 }
		}
		require.NoError(t, json.NewDecoder(a.Body).Decode(&got))
		a.Body.Close()
		require.Len(t, got.Frames, 4)
		for i, f := range got.Frames {
			require.InDeltaSlice(t, want[i], f.Forecast, 1e-5, "%q, step %d", tt.args, i+1)
		}
		assert.NotEqual(t, last, want[3], "%q forecasts something of its own", tt.args)
		last = want[3]
	}
}

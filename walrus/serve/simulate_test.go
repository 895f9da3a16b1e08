package serve

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data/solve"
	"github.com/gowalrus/gowalrus/walrus/eval"
)

// simulate returns the events of a simulation.
func simulate(t *testing.T, url string, request map[string]any) []event {
	t.Helper()
	status, _, raw := post(t, url+"/v1/simulate", "text/event-stream", request)
	require.Equal(t, http.StatusOK, status, "%.300s", raw)
	return events(t, bytes.NewReader(raw))
}

// begun returns the answer of /v1/start.
func begun(t *testing.T, url string, request map[string]any) map[string]any {
	t.Helper()
	status, _, raw := post(t, url+"/v1/start", "application/json", request)
	require.Equal(t, http.StatusOK, status, "%.300s", raw)
	var out map[string]any
	require.NoError(t, json.Unmarshal(raw, &out))
	return out
}

// TestSimulate: history and truth equal the solver's, and the scores equal those of
// package eval.
func TestSimulate(t *testing.T) {
	_, url := serve(t, &fake{}, Options{})
	request := map[string]any{"system": "acoustics", "seed": 5, "grid": []int{16, 8}, "parameters": map[string]any{"contrast": 4}, "steps": 2}
	list := simulate(t, url, request)
	require.Equal(t, "start history history history history history history frame frame end", kinds(list))
	assert.Equal(t, map[string]any{
		"channels": []any{"pressure", "velocity_x", "velocity_y"}, "grid": []any{16.0, 8.0}, "boundaries": []any{"wall/open", "wall/open"},
		"steps": 2.0, "history_from": "solver", "truth": true, "interval": 0.05,
	}, list[0].data)

	s, err := solve.Lookup("acoustics")
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(5, 0x7365727665))
	values, err := s.Draw(rng, map[string]float64{"contrast": 4})
	require.NoError(t, err)
	run, err := s.Start([]int{16, 8}, values, rng)
	require.NoError(t, err)
	var frames [][]float32
	for k := range 8 {
		for range 4 { // the pieces in which the server advances
			if k > 0 {
				require.NoError(t, run.Advance(s.Interval/4))
			}
		}
		f := make([]float32, 3*128)
		run.Frame(f)
		frames = append(frames, f)
	}
	for k := range 6 {
		assert.Equal(t, frames[k], list[1+k].array(t, "values"), "history %d", k)
		assert.Equal(t, float64(k-5), list[1+k].data["step"])
	}
	for k := range 2 {
		e, truth := list[7+k], frames[6+k]
		assert.Equal(t, truth, e.array(t, "truth"))
		assert.Equal(t, frames[5], e.array(t, "forecast"), "the fake repeats the last frame")
		for c := range 3 {
			want, err := eval.VRMSE(frames[5][c*128:(c+1)*128], truth[c*128:(c+1)*128], eval.DefaultEps)
			require.NoError(t, err)
			assert.Equal(t, want, e.data["vrmse"].([]any)[c])
			assert.Equal(t, want, e.data["persistence"].([]any)[c])
		}
	}
}

// TestStart: a simulation starts from the state that /v1/start returns, and that state
// as initial gives the same simulation.
func TestStart(t *testing.T) {
	_, url := serve(t, &fake{}, Options{})
	for _, s := range []string{"acoustics", "diffusion", "euler_open"} {
		request := map[string]any{"system": s, "seed": 3, "grid": []int{16, 16}}
		start := begun(t, url, request)
		request["steps"], request["parameters"] = 1, start["parameters"]
		list := simulate(t, url, request)
		frame := event{data: start}.array(t, "frame")
		assert.Equal(t, frame, list[1].array(t, "values"), s)
		request["initial"] = start["frame"]
		if len(start["constant_channels"].([]any)) > 0 {
			request["constants"] = start["constants"]
		}
		again := simulate(t, url, request)
		n := len(list) - 2
		truth, other := list[n].array(t, "truth"), again[n].array(t, "truth")
		top := slices.Max(truth)
		for i := range truth {
			require.InDelta(t, truth[i], other[i], 1e-3*float64(top), s)
		}
	}
}

// TestStartsAreAccepted: every initial state of a system lies within the ranges that
// initial states are checked against.
func TestStartsAreAccepted(t *testing.T) {
	var r ranges
	for _, x := range solve.Systems() {
		if x.Name == "rayleigh_benard" || x.Name == "kuramoto_sivashinsky" {
			continue // each start takes a second
		}
		known, err := r.of(t.Context(), x)
		require.NoError(t, err)
		for seed := range uint64(2) {
			p, err := startRequest{system: x.Name, seed: seed}.plot()
			require.NoError(t, err)
			run, err := x.Start(p.grid, p.values, p.rng())
			require.NoError(t, err)
			w := p.window()
			p.initial, p.constants = make([]float32, len(w.Channels(false))*w.Points()), make([]float32, len(w.Channels(true))*w.Points())
			run.Frame(p.initial)
			run.Constants(p.constants)
			assert.NoError(t, known.check(p, w), "%s, seed %d", x.Name, seed)
			assert.NoError(t, known.plausible(p.initial, w), "%s, seed %d", x.Name, seed)
		}
	}
}

// TestPainted: the history starts with a painted state, and the equations continue from
// it.
func TestPainted(t *testing.T) {
	_, url := serve(t, &fake{}, Options{})
	flat := make([]float32, 64)
	flat[27] = 0.5
	list := simulate(t, url, map[string]any{"system": "diffusion", "grid": []int{8, 8}, "initial": flat, "steps": 3, "history": 2})
	require.Equal(t, "start history history frame frame frame end", kinds(list))
	assert.InDeltaSlice(t, flat, list[1].array(t, "values"), 1e-6)
	sum, before := 0.0, math.Inf(1)
	for _, e := range list[3:6] {
		truth := e.array(t, "truth")
		for _, v := range truth {
			sum += float64(v)
		}
		assert.Less(t, float64(truth[27]), before, "it spreads")
		before = float64(truth[27])
	}
	assert.InDelta(t, 3*0.5, sum, 1e-4, "and nothing is lost")
}

// TestBoundaries: solvers that support other boundaries use them; for the others the
// first frame is repeated and there is no truth.
func TestBoundaries(t *testing.T) {
	_, url := serve(t, &fake{}, Options{})
	request := func(system string, b ...string) map[string]any {
		return map[string]any{"system": system, "grid": []int{16, 16}, "boundaries": b, "steps": 1, "history": 3}
	}
	own := simulate(t, url, request("acoustics", "wall/open", "wall/open"))
	other := simulate(t, url, request("acoustics", "open/wall", "periodic"))
	assert.Equal(t, "solver", other[0].data["history_from"])
	assert.Equal(t, []any{"open/wall", "periodic"}, other[0].data["boundaries"])
	assert.InDeltaSlice(t, own[1].array(t, "values"), other[1].array(t, "values"), 1e-12, "the same beginning")
	assert.NotEqual(t, own[4].data["truth"], other[4].data["truth"], "another continuation")

	list := simulate(t, url, request("advection", "wall", "periodic"))
	assert.Equal(t, "start history history history frame end", kinds(list))
	assert.Equal(t, "repeated", list[0].data["history_from"])
	assert.Equal(t, false, list[0].data["truth"])
	assert.Equal(t, list[1].data["values"], list[3].data["values"])
	assert.NotContains(t, list[4].data, "truth")
}

// TestLostTruth: an initial state that the solver cannot continue is an error of the
// request, before the forecast starts.
func TestLostTruth(t *testing.T) {
	_, url := serve(t, &fake{}, Options{})
	r := ranges{}
	s, err := solve.Lookup("euler_open")
	require.NoError(t, err)
	known, err := r.of(t.Context(), s)
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(1, 1))
	var rough []float32 // the limits of the accepted range, next to each other
	for _, at := range known {
		for range 64 {
			rough = append(rough, float32(0.99*[]float64{at.Least + 0.02*(at.Most-at.Least), at.Most}[rng.IntN(2)]))
		}
	}
	status, _, raw := post(t, url+"/v1/simulate", "text/event-stream", map[string]any{"system": "euler_open", "grid": []int{8, 8}, "initial": packed(rough), "steps": 1})
	assert.Equal(t, http.StatusUnprocessableEntity, status)
	assert.Contains(t, fault(t, raw).Message, "the solver lost the solution")

	w := (&plot{system: s, grid: []int{8, 8}, boundaries: s.Boundaries}).window()
	frame := make([]float32, 5*64)
	assert.NoError(t, known.plausible(frame, w))
	frame[5] = 1e9
	assert.NoError(t, known.plausible(frame, w), "the energy only follows")
	frame[69] = 1e9
	assert.ErrorContains(t, known.plausible(frame, w), "the solver lost the solution: channel density is 1e+09 at point 5")
	frame[69], frame[5] = 0, float32(math.NaN())
	assert.ErrorContains(t, known.plausible(frame, w), "the solver lost the solution: channel energy is NaN at point 5")
}

// TestLists: the descriptions name all valid requests.
func TestLists(t *testing.T) {
	s, url := serve(t, &fake{}, Options{})
	_ = s
	get := func(path string, into any) {
		a, err := http.Get(url + path)
		require.NoError(t, err)
		defer a.Body.Close()
		require.Equal(t, http.StatusOK, a.StatusCode)
		require.NoError(t, json.NewDecoder(a.Body).Decode(into))
	}
	var model struct {
		Name       string
		Parameters int
		Fields     []string
		Limits     map[string]float64
	}
	get("/v1/model", &model)
	assert.Equal(t, "fake", model.Name)
	assert.Contains(t, model.Fields, "buoyancy")
	assert.NotContains(t, model.Fields, "closed_boundary")
	assert.Equal(t, 200.0, model.Limits["steps"])
	assert.InDelta(t, 1.9e6, model.Parameters, 5e4)
	var list struct {
		Systems []struct {
			Name    string
			Unknown []string
			Free    []string
		}
	}
	get("/v1/systems", &list)
	require.Len(t, list.Systems, len(solve.Systems()))
	var unknown []string
	for _, x := range list.Systems {
		if len(x.Unknown) > 0 {
			unknown = append(unknown, x.Name)
		}
		assert.NotEmpty(t, x.Free)
	}
	assert.Empty(t, unknown, "walrus-nano was trained on all systems")
	var health map[string]string
	get("/healthz", &health)
	get("/readyz", &health)
	assert.Equal(t, "ready", health["status"])
}

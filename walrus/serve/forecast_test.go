package serve

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"math"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
)

// packRequest returns the binary form of a request.
func packRequest(t testing.TB, b map[string]any, arrays ...array) []byte {
	t.Helper()
	header := map[string]any{}
	for k, v := range b {
		if k != "frames" {
			header[k] = v
		}
	}
	var out bytes.Buffer
	require.NoError(t, writeRecord(&out, record{kind: "forecast", meta: header, arrays: arrays}))
	// A request has no type.
	return retype(t, out.Bytes(), func(h map[string]any) { delete(h, "type") })
}

// retype changes the header of a record.
func retype(t testing.TB, raw []byte, change func(map[string]any)) []byte {
	t.Helper()
	n, payload := binary.LittleEndian.Uint32(raw), raw[8+binary.LittleEndian.Uint32(raw):]
	var header map[string]any
	require.NoError(t, json.Unmarshal(raw[8:8+n], &header))
	change(header)
	text, err := json.Marshal(header)
	require.NoError(t, err)
	out := binary.LittleEndian.AppendUint32(nil, uint32(len(text)))
	out = binary.LittleEndian.AppendUint32(out, uint32(len(payload)))
	return append(append(out, text...), payload...)
}

// TestForecastForms: all forms of requests and answers carry the emulator's forecast.
func TestForecastForms(t *testing.T) {
	em := real(t)
	_, url := serve(t, em, Options{})
	b := body(func(b map[string]any) {
		b["fields"] = []any{map[string]any{"name": "velocity", "order": 1}, map[string]any{"name": "density", "constant": true}}
		b["frames"], b["constants"] = []any{ramp(128, 0), packed(ramp(128, 0.25))}, ramp(64, 3)
	})
	want, err := em.Forecast(context.Background(), &data.Window{
		Fields: []data.Field{{Name: "velocity", Order: 1}, {Name: "density", Constant: true}}, Grid: []int{8, 8},
		Boundaries: data.Boundaries{data.Both(data.Periodic), {Low: data.Wall, High: data.Open}},
		Frames:     [][]float32{ramp(128, 0), ramp(128, 0.25)}, Constants: ramp(64, 3),
	}, 2)
	require.NoError(t, err)
	text, err := json.Marshal(b)
	require.NoError(t, err)
	delete(b, "constants")
	binary := packRequest(t, b, array{"frames", append(ramp(128, 0), ramp(128, 0.25)...)}, array{"constants", ramp(64, 3)})
	for kind, raw := range map[string][]byte{"application/json; charset=utf-8": text, mediaType: binary} {
		status, header, answer := send(t, url+"/v1/forecast", kind, "application/json", raw)
		require.Equal(t, http.StatusOK, status, "%s", answer)
		assert.Equal(t, "application/json", header.Get("Content-Type"))
		var object struct {
			Channels []string
			Frames   []struct {
				Step     int
				Forecast []float32
			}
		}
		require.NoError(t, json.Unmarshal(answer, &object))
		assert.Equal(t, []string{"velocity_x", "velocity_y"}, object.Channels)
		require.Len(t, object.Frames, 2)

		_, _, answer = send(t, url+"/v1/forecast", kind, "text/event-stream", raw)
		list := events(t, bytes.NewReader(answer))
		require.Equal(t, "start frame frame end", kinds(list))

		_, header, answer = send(t, url+"/v1/forecast", kind, mediaType, raw)
		assert.Equal(t, mediaType, header.Get("Content-Type"))
		in := bytes.NewReader(answer)
		head, _, err := readRecord(in)
		require.NoError(t, err)
		assert.Equal(t, "start", head["type"])
		for k := range want {
			_, arrays, err := readRecord(in)
			require.NoError(t, err)
			assert.Equal(t, k+1, object.Frames[k].Step)
			assert.Equal(t, want[k], object.Frames[k].Forecast)
			assert.Equal(t, want[k], list[k+1].array(t, "forecast"))
			assert.Equal(t, want[k], arrays["forecast"])
		}
		head, _, err = readRecord(in)
		require.NoError(t, err)
		assert.Equal(t, "end", head["type"])
		assert.Zero(t, in.Len())
	}
}

// TestRepeat: one frame is repeated to a history.
func TestRepeat(t *testing.T) {
	em := real(t)
	_, url := serve(t, em, Options{})
	_, _, once := post(t, url+"/v1/forecast", "text/event-stream", body(func(b map[string]any) { b["frames"], b["repeat"] = []any{ramp(64, 0)}, 3 }))
	_, _, thrice := post(t, url+"/v1/forecast", "text/event-stream", body(func(b map[string]any) { b["frames"] = []any{ramp(64, 0), ramp(64, 0), ramp(64, 0)} }))
	a, b := events(t, bytes.NewReader(once)), events(t, bytes.NewReader(thrice))
	require.Equal(t, "start frame frame end", kinds(a))
	assert.Equal(t, "repeated", a[0].data["history_from"])
	assert.Equal(t, "given", b[0].data["history_from"])
	assert.Equal(t, a[2].data["forecast"], b[2].data["forecast"])
}

// TestDownscale compares with a plain loop, on a grid that is not a multiple of the
// blocks.
func TestDownscale(t *testing.T) {
	_, url := serve(t, &fake{}, Options{})
	frame := ramp(2*10*8, 0)
	_, _, raw := post(t, url+"/v1/forecast", "text/event-stream", body(func(b map[string]any) {
		b["fields"], b["grid"], b["frames"], b["downscale"] = []any{map[string]any{"name": "A"}, map[string]any{"name": "B"}}, []int{10, 8}, []any{frame}, 3
	}))
	list := events(t, bytes.NewReader(raw))
	require.Equal(t, "start frame frame end", kinds(list))
	assert.Equal(t, []any{4.0, 3.0}, list[0].data["grid"])
	got := list[1].array(t, "forecast")
	require.Len(t, got, 2*4*3)
	for c := range 2 {
		for i := range 4 {
			for j := range 3 {
				sum, n := 0.0, 0.0
				for x := 3 * i; x < min(3*i+3, 10); x++ {
					for y := 3 * j; y < min(3*j+3, 8); y++ {
						sum, n = sum+float64(frame[c*80+x*8+y]), n+1
					}
				}
				assert.InDelta(t, sum/n, got[c*12+i*3+j], 1e-6)
			}
		}
	}
}

// TestDiverged: a forecast that is no longer finite is an error of the request, in both
// forms of answers.
func TestDiverged(t *testing.T) {
	s, url := serve(t, real(t), Options{})
	huge := body(func(b map[string]any) {
		f := ramp(64, 0)
		f[3] = math.MaxFloat32
		b["frames"] = []any{ramp(64, 0), f} // the square of the change overflows
	})
	status, _, raw := post(t, url+"/v1/forecast", "application/json", huge)
	assert.Equal(t, http.StatusUnprocessableEntity, status)
	assert.Equal(t, "diverged", fault(t, raw).Code)
	assert.Contains(t, fault(t, raw).Message, "step 1: the forecast of field concentration is")
	_, _, raw = post(t, url+"/v1/forecast", "text/event-stream", huge)
	list := events(t, bytes.NewReader(raw))
	require.Equal(t, "start error", kinds(list))
	assert.Equal(t, "diverged", list[1].data["error"].(map[string]any)["code"])
	assert.Equal(t, 2.0, count(t, s, `walrus_forecasts_total{end="invalid"}`))
}

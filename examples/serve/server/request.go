package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/gowalrus/gowalrus/data"
)

// forecastRequest is the body of /v1/forecast.
type forecastRequest struct {
	Fields     []fieldRequest    `json:"fields"`
	Grid       []int             `json:"grid"`
	Boundaries []string          `json:"boundaries"`
	Frames     []json.RawMessage `json:"frames"`
	Constants  json.RawMessage   `json:"constants"`
	Repeat     int               `json:"repeat"`
	Steps      int               `json:"steps"`
	Downscale  int               `json:"downscale"`
	Arrays     []section         `json:"arrays"`
}

type fieldRequest struct {
	Name     string `json:"name"`
	Order    int    `json:"order"`
	Constant bool   `json:"constant"`
}

// body reads the body of a request. Its arrays are nil for JSON.
func (s *Server) body(w http.ResponseWriter, r *http.Request) (text []byte, arrays map[string][]float32, err error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" && kind != mediaType {
		return nil, nil, &problem{status: http.StatusUnsupportedMediaType, Code: "media_type", Field: "Content-Type",
			Message: fmt.Sprintf("Content-Type: expected application/json or %s, got %q", mediaType, r.Header.Get("Content-Type"))}
	}
	if e := r.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		return nil, nil, &problem{status: http.StatusUnsupportedMediaType, Code: "media_type", Field: "Content-Encoding",
			Message: fmt.Sprintf("Content-Encoding: expected none, got %q", e)}
	}
	if r.ContentLength > s.o.MaxBody {
		return nil, nil, s.tooLarge(fmt.Sprint(r.ContentLength))
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.o.MaxBody))
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		return nil, nil, s.tooLarge("more")
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, nil, &problem{status: http.StatusRequestTimeout, Code: "slow", Message: fmt.Sprintf("body: expected it within %v", s.o.BodyTimeout)}
	case err != nil:
		return nil, nil, errLeft
	}
	// The server watches the connection for the client's leaving, so there is no
	// deadline.
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	if kind == mediaType {
		return splitRecord(raw)
	}
	return raw, nil, nil
}

func (s *Server) tooLarge(got string) *problem {
	return &problem{status: http.StatusRequestEntityTooLarge, Code: "too_large", Message: fmt.Sprintf("body: expected at most %d bytes, got %s", s.o.MaxBody, got)}
}

// decode reads JSON into a struct and names fields of the wrong type.
func decode(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		if _, err := d.Token(); err != io.EOF {
			return unreadable("body: expected one JSON object, got more after it")
		}
		return nil
	}
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		field := strings.TrimPrefix(wrong.Field, "startRequest.") // the embedded struct is no key
		if field == "" {
			field = "body"
		}
		return invalid(field, "expected %s, got %s", describe(wrong.Type.String()), wrong.Value)
	}
	if key := unknownKey(text, reflect.TypeOf(into).Elem()); key != "" {
		return invalid(key, "this key is not known")
	}
	return unreadable("body: expected one JSON object: %v", err)
}

// unknownKey returns the first key, in alphabetical order, that the JSON text has and the
// type has not, or "". encoding/json has no error type for such keys.
func unknownKey(text []byte, t reflect.Type) string {
	switch {
	case t.Kind() == reflect.Struct:
		var object map[string]json.RawMessage
		if json.NewDecoder(bytes.NewReader(text)).Decode(&object) != nil {
			return ""
		}
		fields := map[string]reflect.Type{}
		for _, f := range reflect.VisibleFields(t) {
			fields[f.Tag.Get("json")] = f.Type
		}
		for _, key := range slices.Sorted(maps.Keys(object)) {
			inner, ok := fields[strings.ToLower(key)] // as encoding/json compares them
			if !ok {
				return key
			}
			if key := unknownKey(object[key], inner); key != "" {
				return key
			}
		}
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		var list []json.RawMessage
		_ = json.Unmarshal(text, &list) // another type has an error of its own
		for _, item := range list {
			if key := unknownKey(item, t.Elem()); key != "" {
				return key
			}
		}
	}
	return ""
}

// describe returns the JSON name of a Go type.
func describe(t string) string {
	switch t {
	case "int", "uint64", "int64":
		return "a whole number"
	case "float64":
		return "a number"
	case "string":
		return "a text"
	case "bool":
		return "true or false"
	case "[]string":
		return "an array of texts"
	case "[]int":
		return "an array of whole numbers"
	case "[]json.RawMessage":
		return "an array of frames"
	}
	if strings.HasPrefix(t, "[]") {
		return "an array of objects"
	}
	return "an object"
}

// only refuses arrays of a binary request that the endpoint does not use.
func only(arrays map[string][]float32, names ...string) error {
	for _, name := range slices.Sorted(maps.Keys(arrays)) {
		if !slices.Contains(names, name) {
			return invalid("arrays", "expected some of %s, got %q", strings.Join(names, ", "), name)
		}
	}
	return nil
}

// pick returns an array from the header or from the payload, or nil if both lack it.
func pick(name string, raw json.RawMessage, arrays map[string][]float32) ([]float32, error) {
	if len(raw) == 0 {
		return arrays[name], nil
	}
	if _, twice := arrays[name]; twice {
		return nil, invalid(name, "expected it in the header or in the payload, got both")
	}
	return decodeValues(name, raw)
}

// forecastJob converts the body of /v1/forecast to a job.
func (s *Server) forecastJob(m *Model, text []byte, arrays map[string][]float32) (*job, error) {
	var q forecastRequest
	if err := decode(text, &q); err != nil {
		return nil, err
	}
	if err := only(arrays, "frames", "constants"); err != nil {
		return nil, err
	}
	w := &data.Window{Name: "request", Grid: q.Grid}
	for _, f := range q.Fields {
		w.Fields = append(w.Fields, data.Field{Name: f.Name, Order: f.Order, Constant: f.Constant})
	}
	var err error
	if w.Boundaries, err = boundaries(q.Boundaries, len(q.Grid)); err != nil {
		return nil, err
	}
	if err := s.checkLayout(m, w); err != nil {
		return nil, err
	}
	if err := s.fill(w, q, arrays); err != nil {
		return nil, err
	}
	from := "given"
	if q.Repeat > 0 {
		from = "repeated"
	}
	j := &job{layout: w, steps: q.Steps, downscale: max(q.Downscale, 1), ready: &scene{window: w, from: from}}
	return j, s.checkSteps(q.Steps, q.Downscale)
}

// fill reads frames and constants into the window.
func (s *Server) fill(w *data.Window, q forecastRequest, arrays map[string][]float32) error {
	frames, err := readFrames(q.Frames, arrays, len(w.Channels(false))*w.Points())
	if err != nil {
		return err
	}
	switch {
	case q.Repeat < 0 || q.Repeat > s.o.MaxHistory:
		return invalid("repeat", "expected 1 to %d frames, got %d", s.o.MaxHistory, q.Repeat)
	case q.Repeat > 0 && len(frames) != 1:
		return invalid("repeat", "expected one frame to repeat, got %d", len(frames))
	case q.Repeat > 0:
		frames = slices.Repeat(frames, q.Repeat)
	}
	if len(frames) < 1 || len(frames) > s.o.MaxHistory {
		return invalid("frames", "expected 1 to %d frames, got %d", s.o.MaxHistory, len(frames))
	}
	w.Frames = frames
	if w.Constants, err = pick("constants", q.Constants, arrays); err != nil {
		return err
	}
	return s.checkValues(w)
}

// readFrames reads the frames of a request; size is the number of values of each.
func readFrames(list []json.RawMessage, arrays map[string][]float32, size int) ([][]float32, error) {
	flat, packed := arrays["frames"]
	if packed && list != nil {
		return nil, invalid("frames", "expected them in the header or in the payload, got both")
	}
	if packed && len(flat)%size != 0 {
		return nil, invalid("frames", "expected a multiple of %d values, as many as a frame has, got %d", size, len(flat))
	}
	var out [][]float32
	for len(flat) > 0 {
		out, flat = append(out, flat[:size:size]), flat[size:]
	}
	for i, raw := range list {
		frame, err := decodeValues(fmt.Sprintf("frames[%d]", i), raw)
		if err != nil {
			return nil, err
		}
		out = append(out, frame)
	}
	return out, nil
}

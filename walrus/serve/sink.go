package serve

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// sink receives the records of an answer.
type sink interface {
	send(record) error
	// fail ends the answer with a problem.
	fail(*problem)
}

// newSink chooses the form of the answer. keeps reports whether it holds all records
// until the last.
func newSink(w http.ResponseWriter, r *http.Request, timeout time.Duration) (out sink, keeps bool) {
	accept := r.Header.Get("Accept")
	switch s := (stream{w: w, timeout: timeout}); {
	case strings.Contains(accept, "text/event-stream"):
		s.kind, s.write = "text/event-stream", writeEvent
		return &s, false
	case strings.Contains(accept, mediaType):
		s.kind, s.write = mediaType, func(w http.ResponseWriter, r record) error { return writeRecord(w, r) }
		return &s, false
	}
	return &whole{w: w, timeout: timeout}, true
}

// stream sends each record at once.
type stream struct {
	w       http.ResponseWriter
	timeout time.Duration
	kind    string
	write   func(http.ResponseWriter, record) error
	begun   bool
}

func (s *stream) send(r record) error {
	if !s.begun {
		s.begun = true
		h := s.w.Header()
		h.Set("Content-Type", s.kind)
		h.Set("Cache-Control", "no-store")
		h.Set("X-Accel-Buffering", "no") // a proxy that buffers would delay the stream
	}
	control := http.NewResponseController(s.w)
	// A client that does not read counts as gone; not every writer supports deadlines.
	_ = control.SetWriteDeadline(time.Now().Add(s.timeout))
	if err := s.write(s.w, r); err != nil {
		return errLeft
	}
	if err := control.Flush(); err != nil {
		return errLeft
	}
	return nil
}

func (s *stream) fail(p *problem) {
	if !s.begun {
		p.write(s.w)
		return
	}
	_ = s.send(record{kind: "error", meta: map[string]any{"error": p}})
}

// writeEvent writes a record as a server-sent event.
func writeEvent(w http.ResponseWriter, r record) error {
	body := map[string]any{}
	for k, v := range r.meta {
		body[k] = v
	}
	for _, a := range r.arrays {
		body[a.name] = packed(a.values)
	}
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	out := append([]byte("event: "+r.kind+"\ndata: "), text...)
	_, err = w.Write(append(out, "\n\n"...))
	return err
}

// whole collects the records into one object.
type whole struct {
	w       http.ResponseWriter
	timeout time.Duration
	object  map[string]any
}

func (o *whole) send(r record) error {
	if o.object == nil {
		o.object = map[string]any{"frames": []any{}}
	}
	part := o.object
	switch r.kind {
	case "history":
		part = map[string]any{}
		list, _ := o.object["history"].([]any)
		o.object["history"] = append(list, part)
	case "frame":
		part = map[string]any{}
		o.object["frames"] = append(o.object["frames"].([]any), part)
	}
	for k, v := range r.meta {
		part[k] = v
	}
	for _, a := range r.arrays {
		part[a.name] = a.values
	}
	if r.kind != "end" {
		return nil
	}
	return o.write()
}

// write answers with the object. It encodes one frame at a time, since the text of all
// takes several times the memory of their values.
func (o *whole) write() error {
	_ = http.NewResponseController(o.w).SetWriteDeadline(time.Now().Add(o.timeout))
	o.w.Header().Set("Content-Type", "application/json")
	o.w.Header().Set("Cache-Control", "no-store")
	o.w.WriteHeader(http.StatusOK)
	out := bufio.NewWriter(o.w)
	lead := "{"
	for _, key := range slices.Sorted(maps.Keys(o.object)) {
		fmt.Fprintf(out, "%s%q:", lead, key)
		if err := encodeList(out, o.object[key]); err != nil {
			return err
		}
		lead = ","
	}
	_, _ = out.WriteString("}\n")
	_ = out.Flush() // the client may be gone
	return nil
}

// encodeList writes a value, of a list one item at a time.
func encodeList(w *bufio.Writer, v any) error {
	items, ok := v.([]any)
	if !ok {
		items = []any{v}
	} else {
		_ = w.WriteByte('[')
	}
	for i, item := range items {
		text, err := json.Marshal(item)
		if err != nil {
			return err
		}
		if i > 0 {
			_ = w.WriteByte(',')
		}
		_, _ = w.Write(text)
	}
	if ok {
		_ = w.WriteByte(']')
	}
	return nil
}

func (o *whole) fail(p *problem) { p.write(o.w) }

// writeJSON answers with an object. An error means that the client has left.
func writeJSON(w http.ResponseWriter, status int, v any, timeout time.Duration) {
	if timeout > 0 {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(timeout))
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

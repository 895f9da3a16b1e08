package server

import (
	"encoding/binary"
	"encoding/json"
	"io"
	"math"
)

// mediaType is the media type of the binary form.
const mediaType = "application/x-walrus"

// array is a named array of a record.
type array struct {
	name   string
	values []float32
}

// record is a part of an answer, or a whole binary request.
type record struct {
	kind   string
	meta   map[string]any
	arrays []array
}

// section describes an array in a header.
type section struct {
	Name  string `json:"name"`
	Count int64  `json:"count"`
}

// writeRecord writes the binary form.
func writeRecord(w io.Writer, r record) error {
	header := map[string]any{"type": r.kind}
	sections, bytes := []section{}, 0
	for k, v := range r.meta {
		header[k] = v
	}
	for _, a := range r.arrays {
		sections = append(sections, section{a.name, int64(len(a.values))})
		bytes += 4 * len(a.values)
	}
	header["arrays"] = sections
	text, err := json.Marshal(header)
	if err != nil {
		return err
	}
	out := make([]byte, 0, 8+len(text)+bytes)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(text)))
	out = binary.LittleEndian.AppendUint32(out, uint32(bytes))
	out = append(out, text...)
	for _, a := range r.arrays {
		out = appendFloats(out, a.values)
	}
	_, err = w.Write(out)
	return err
}

// splitRecord splits the body of a binary request into header and arrays. The header
// keeps the key "arrays".
func splitRecord(body []byte) (header []byte, arrays map[string][]float32, err error) {
	if len(body) < 8 {
		return nil, nil, unreadable("record: expected two lengths of 4 bytes each, got %d bytes", len(body))
	}
	n, bytes := uint64(binary.LittleEndian.Uint32(body)), uint64(binary.LittleEndian.Uint32(body[4:]))
	if uint64(len(body)) != 8+n+bytes {
		return nil, nil, unreadable("record: expected 8 + %d + %d bytes, as its lengths say, got %d", n, bytes, len(body))
	}
	header, payload := body[8:8+n], body[8+n:]
	var list struct{ Arrays []section }
	if err := json.Unmarshal(header, &list); err != nil {
		return nil, nil, unreadable("record: header: %v", err)
	}
	arrays = map[string][]float32{}
	for _, s := range list.Arrays {
		if _, dup := arrays[s.Name]; dup {
			return nil, nil, invalid("arrays", "%q is listed twice", s.Name)
		}
		if s.Count < 0 || s.Count > math.MaxInt32 || uint64(s.Count)*4 > uint64(len(payload)) {
			return nil, nil, invalid("arrays", "%q: expected at most the %d values that are left of the payload, got %d", s.Name, len(payload)/4, s.Count)
		}
		arrays[s.Name], payload = decodeFloats(payload[:4*s.Count]), payload[4*s.Count:]
	}
	if len(payload) > 0 {
		return nil, nil, invalid("arrays", "expected counts that add up to the payload, got %d bytes more", len(payload))
	}
	return header, arrays, nil
}

// readRecord reads one record of a stream, for clients and tests. limit is its largest
// length.
func readRecord(r io.Reader, limit int64) (header map[string]any, arrays map[string][]float32, err error) {
	var lengths [8]byte
	if _, err := io.ReadFull(r, lengths[:]); err != nil {
		return nil, nil, err
	}
	total := int64(binary.LittleEndian.Uint32(lengths[:])) + int64(binary.LittleEndian.Uint32(lengths[4:]))
	if total > limit {
		return nil, nil, unreadable("record: expected at most %d bytes, got %d", limit, total)
	}
	body := append(lengths[:], make([]byte, total)...)
	if _, err := io.ReadFull(r, body[8:]); err != nil {
		return nil, nil, err
	}
	text, arrays, err := splitRecord(body)
	if err == nil {
		err = json.Unmarshal(text, &header)
	}
	return header, arrays, err
}

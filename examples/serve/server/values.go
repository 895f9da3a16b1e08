package server

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
)

// decodeValues reads an array of numbers, or base64 of little-endian float32. JSON has
// no NaN; other programs write null for it. Both are refused.
func decodeValues(field string, raw json.RawMessage) ([]float32, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) > 0 && raw[0] == '"' {
		var text []byte
		if err := json.Unmarshal(raw, &text); err != nil {
			return nil, invalid(field, "expected base64 of little-endian float32: %v", err)
		}
		if len(text)%4 != 0 {
			return nil, invalid(field, "expected base64 of little-endian float32, 4 bytes each, got %d bytes", len(text))
		}
		return decodeFloats(text), nil
	}
	if len(raw) == 0 || raw[0] != '[' {
		return nil, invalid(field, "expected an array of numbers or a text in base64, got %.20s", raw)
	}
	if bytes.Contains(raw, []byte("null")) {
		return nil, invalid(field, "expected finite numbers, got null")
	}
	var out []float32
	if err := json.Unmarshal(raw, &out); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return nil, invalid(field, "expected numbers within float32, got %s", wrong.Value)
		}
		return nil, unreadable("%s: %v", field, err)
	}
	return out, nil
}

// decodeFloats reads little-endian float32.
func decodeFloats(b []byte) []float32 {
	out := make([]float32, len(b)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return out
}

// appendFloats writes little-endian float32.
func appendFloats(dst []byte, values []float32) []byte {
	for _, v := range values {
		dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(v))
	}
	return dst
}

// packed is encoded as base64 of little-endian float32.
type packed []float32

// MarshalJSON returns the base64 text.
func (p packed) MarshalJSON() ([]byte, error) {
	raw := appendFloats(make([]byte, 0, 4*len(p)), p)
	out := make([]byte, 0, base64.StdEncoding.EncodedLen(len(raw))+2)
	out = append(out, '"')
	out = base64.StdEncoding.AppendEncode(out, raw)
	return append(out, '"'), nil
}

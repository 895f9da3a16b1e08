package safetensors

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"unicode/utf8"
)

// MaxHeader is the longest accepted header in bytes: 100 MB, the bound of the reference
// library.
const MaxHeader = 100_000_000

// metadataKey is the one header key that is not a tensor.
const metadataKey = "__metadata__"

// Info describes one tensor of a file.
type Info struct {
	// Name is the key in the header.
	Name string
	// DType is the format's name of the element type: "F32", "I64", "BOOL".
	DType string
	// Shape is empty for a scalar.
	Shape []int
	// Begin and End are the tensor's byte range in the data section, which starts after
	// the header. Create sets them; callers leave them zero.
	Begin, End int64
}

// header is the parsed JSON, tensors sorted by offset.
type header struct {
	infos    []Info
	metadata map[string]string
}

// parseHeader reads the JSON and checks it against the length of the data
// section.
func parseHeader(text []byte, dataSize int64) (*header, error) {
	if len(text) == 0 || text[0] != '{' {
		return nil, errors.New("expected a header that begins with '{'")
	}
	if !utf8.Valid(text) {
		return nil, errors.New("expected a header in UTF-8, got other bytes")
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	h := &header{metadata: map[string]string{}}
	err := eachKey(dec, "header", func(key string) error {
		if key == metadataKey {
			return h.parseMetadata(dec)
		}
		info, err := parseInfo(dec, key)
		if err != nil {
			return fmt.Errorf("tensor %q: %w", key, err)
		}
		h.infos = append(h.infos, info)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("expected only spaces after the header's JSON, got more text")
	}
	return h, h.checkOffsets(dataSize)
}

// eachKey visits one JSON object and refuses duplicate keys. visit must consume the
// key's value.
func eachKey(dec *json.Decoder, what string, visit func(key string) error) error {
	if err := expectDelim(dec, '{', what); err != nil {
		return err
	}
	seen := map[string]bool{}
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return fmt.Errorf("%s: broken JSON: %w", what, err)
		}
		key, ok := tok.(string)
		if !ok {
			return fmt.Errorf("%s: expected a key, got %v", what, tok)
		}
		if seen[key] {
			return fmt.Errorf("%s: expected every key once, got %q twice", what, key)
		}
		seen[key] = true
		if err := visit(key); err != nil {
			return err
		}
	}
	return expectDelim(dec, '}', what)
}

func expectDelim(dec *json.Decoder, want json.Delim, what string) error {
	tok, err := dec.Token()
	if err != nil {
		return fmt.Errorf("%s: broken JSON: %w", what, err)
	}
	if tok != want {
		return fmt.Errorf("%s: expected %q in the JSON, got %v", what, rune(want), tok)
	}
	return nil
}

func (h *header) parseMetadata(dec *json.Decoder) error {
	return eachKey(dec, metadataKey, func(key string) error {
		tok, err := dec.Token()
		if err != nil {
			return fmt.Errorf("%s: broken JSON: %w", metadataKey, err)
		}
		value, ok := tok.(string)
		if !ok {
			return fmt.Errorf("%s: expected a string for %q, got %v", metadataKey, key, tok)
		}
		h.metadata[key] = value
		return nil
	})
}

// parseInfo reads one tensor's entry and checks that it is consistent.
func parseInfo(dec *json.Decoder, name string) (Info, error) {
	info := Info{Name: name}
	var offsets []int
	found := 0
	err := eachKey(dec, "entry", func(key string) (err error) {
		found++
		switch key {
		case "dtype":
			tok, err := dec.Token()
			if err != nil {
				return fmt.Errorf("dtype: broken JSON: %w", err)
			}
			var ok bool
			if info.DType, ok = tok.(string); !ok {
				return fmt.Errorf("dtype: expected a string, got %v", tok)
			}
		case "shape":
			info.Shape, err = parseInts(dec, key)
		case "data_offsets":
			offsets, err = parseInts(dec, key)
		default:
			err = fmt.Errorf("expected dtype, shape and data_offsets, got %q", key)
		}
		return err
	})
	if err != nil {
		return info, err
	}
	if found != 3 || len(offsets) != 2 {
		return info, fmt.Errorf("expected dtype, shape and two data_offsets, got %d keys and offsets %v", found, offsets)
	}
	info.Begin, info.End = int64(offsets[0]), int64(offsets[1])
	want, err := byteLength(info.DType, info.Shape)
	if err != nil {
		return info, err
	}
	if info.End < info.Begin || info.End-info.Begin != want {
		return info, fmt.Errorf("shape %v of %s: expected %d bytes, got offsets %v", info.Shape, info.DType, want, offsets)
	}
	return info, nil
}

// parseInts reads an array of non-negative integers.
func parseInts(dec *json.Decoder, what string) ([]int, error) {
	if err := expectDelim(dec, '[', what); err != nil {
		return nil, err
	}
	out := []int{}
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return nil, fmt.Errorf("%s: broken JSON: %w", what, err)
		}
		num, _ := tok.(json.Number)
		v, err := strconv.ParseInt(num.String(), 10, strconv.IntSize)
		if err != nil || v < 0 {
			return nil, fmt.Errorf("%s: expected integers of at least 0, got %v", what, tok)
		}
		out = append(out, int(v))
	}
	return out, expectDelim(dec, ']', what)
}

// checkOffsets sorts the tensors by offset and checks that they fill the data
// section without overlap or hole.
func (h *header) checkOffsets(dataSize int64) error {
	slices.SortStableFunc(h.infos, func(a, b Info) int {
		if a.Begin != b.Begin {
			return cmp.Compare(a.Begin, b.Begin)
		}
		return cmp.Compare(a.End, b.End)
	})
	at := int64(0)
	for _, info := range h.infos {
		if info.End > dataSize {
			return fmt.Errorf("tensor %q: expected offsets within %d bytes of data, got [%d, %d] (a truncated file?)",
				info.Name, dataSize, info.Begin, info.End)
		}
		if info.Begin != at {
			return fmt.Errorf("tensor %q: expected to begin at byte %d where the one before ends, got %d",
				info.Name, at, info.Begin)
		}
		at = info.End
	}
	if at != dataSize {
		return fmt.Errorf("expected %d bytes of data, got %d", at, dataSize)
	}
	return nil
}

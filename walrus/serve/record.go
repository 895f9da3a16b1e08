package serve

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
)

// mediaType is the media type of the binary form.
const mediaType = "application/x-walrus"

// array is a named array of a record.
type array struct {
	name   string
	values []float32
}

// record is a part of an answer.
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

// readLengths reads the lengths of header and payload.
func readLengths(r io.Reader) (header, payload uint32, err error) {
	var lengths [8]byte
	switch n, err := io.ReadFull(r, lengths[:]); {
	case err == io.EOF, err == io.ErrUnexpectedEOF:
		return 0, 0, unreadable("record: expected two lengths of 4 bytes each, got %d bytes", n)
	case err != nil:
		return 0, 0, err
	}
	return binary.LittleEndian.Uint32(lengths[:]), binary.LittleEndian.Uint32(lengths[4:]), nil
}

// payload reads the arrays of a binary request.
type payload struct {
	r     *bufio.Reader
	bytes int64 // length of the arrays
	total int64 // length of the record
	lease *lease
	most  int // values of one array
}

// arrays reads the listed arrays. It checks names and counts before it reads any.
func (p *payload) arrays(list []section, names []string) (map[string][]float32, error) {
	out, left := map[string][]float32{}, p.bytes
	for _, s := range list {
		if _, dup := out[s.Name]; dup {
			return nil, invalid("arrays", "%q is listed twice", s.Name)
		}
		out[s.Name] = nil
		if s.Count < 0 || s.Count > math.MaxInt32 || 4*s.Count > left {
			return nil, invalid("arrays", "%q: expected at most the %d values that are left of the payload, got %d", s.Name, left/4, s.Count)
		}
		left -= 4 * s.Count
	}
	if left > 0 {
		return nil, invalid("arrays", "expected counts that add up to the payload, got %d bytes more", left)
	}
	for _, s := range list {
		if !slices.Contains(names, s.Name) {
			return nil, invalid("arrays", "expected some of %s, got %q", strings.Join(names, ", "), s.Name)
		}
	}
	for _, s := range list {
		v := &valueList{field: s.Name, most: p.most, lease: p.lease}
		limited := &io.LimitedReader{R: p.r, N: 4 * s.Count}
		err := v.read(limited)
		var partial partialError
		if errors.As(err, &partial) || err == nil && limited.N > 0 {
			err = unreadable("record: expected %d bytes, as its lengths say, got fewer", p.total)
		}
		if out[s.Name], err = v.done(err); err != nil {
			return nil, err
		}
	}
	if _, err := p.r.ReadByte(); err == nil {
		return nil, unreadable("record: expected %d bytes, as its lengths say, got more", p.total)
	} else if err != io.EOF {
		return nil, err
	}
	return out, nil
}

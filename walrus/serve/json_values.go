package serve

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strconv"
)

// values reads an array of numbers, or base64 of little-endian float32, of at most most
// values. JSON has no NaN; other programs write null for it. Both are errors.
func (j *jsonReader) values(field string, most int) ([]float32, error) {
	c, err := j.peek()
	if err != nil {
		return nil, err
	}
	v := &valueList{field: field, most: most, lease: j.lease}
	switch c {
	case '[':
		if _, err := j.r.Discard(1); err != nil {
			return nil, err
		}
		return v.done(j.items(func(int) error { return j.value(v) }))
	case '"':
		if _, err := j.r.Discard(1); err != nil {
			return nil, err
		}
		return v.done(v.readBase64(&quoted{j: j}))
	}
	got, err := j.other()
	if err != nil {
		return nil, err
	}
	if rest, ok := cutNumber(got); ok {
		got = rest
	}
	return nil, invalid(field, "expected an array of numbers or a text in base64, got %s", got)
}

// value reads one number of an array.
func (j *jsonReader) value(v *valueList) error {
	c, err := j.peek()
	if err != nil {
		return err
	}
	if c == '-' || '0' <= c && c <= '9' {
		text, err := j.number()
		if err != nil {
			return err
		}
		x, err := strconv.ParseFloat(string(text), 32)
		if err != nil {
			return invalid(v.field, "expected numbers within float32, got number %s", text)
		}
		return v.add(float32(x))
	}
	got, err := j.other()
	switch {
	case err != nil:
		return err
	case got == "null":
		return invalid(v.field, "expected finite numbers, got null")
	}
	return invalid(v.field, "expected numbers within float32, got %s", got)
}

// quoted reads the characters of a text up to its closing quote.
type quoted struct {
	j    *jsonReader
	done bool
}

// Read implements io.Reader.
func (q *quoted) Read(b []byte) (n int, err error) {
	for n < len(b) && !q.done {
		c, err := q.j.r.ReadByte()
		if err != nil {
			return n, q.j.broken(err)
		}
		switch {
		case c == '"':
			q.done = true
			continue
		case c < ' ':
			return n, q.j.unexpected(c, "in string literal")
		case c == '\\':
			if c, err = q.escaped(); err != nil {
				return n, err
			}
		}
		b[n] = c
		n++
	}
	if q.done && n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// escaped reads an escaped character after its backslash; base64 needs no others than
// those of one byte.
func (q *quoted) escaped() (byte, error) {
	raw := []byte{'"', '\\'}
	for want := 3; len(raw) < want; {
		c, err := q.j.r.ReadByte()
		if err != nil {
			return 0, q.j.broken(err)
		}
		if raw = append(raw, c); len(raw) == 3 && c == 'u' {
			want = 7
		}
	}
	var s string
	if err := json.Unmarshal(append(raw, '"'), &s); err != nil {
		return 0, q.j.broken(err)
	}
	return s[0], nil
}

// readBase64 reads values from base64.
func (v *valueList) readBase64(q *quoted) error {
	err := v.read(base64.NewDecoder(base64.StdEncoding, q))
	var bad base64.CorruptInputError
	var partial partialError
	switch {
	case errors.As(err, &bad), errors.Is(err, io.ErrUnexpectedEOF):
		return invalid(v.field, "expected base64 of little-endian float32: %v", err)
	case errors.As(err, &partial):
		return invalid(v.field, "expected base64 of little-endian float32, 4 bytes each, got %d bytes", int(partial))
	}
	return err
}

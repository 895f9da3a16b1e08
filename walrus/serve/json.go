package serve

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// Bounds of texts and of lists that have no option.
const (
	maxText    = 256 // bytes of a name, and of a number
	maxAxes    = 3
	maxArrays  = 8
	maxNumbers = 64 // parameters of a system
)

// jsonReader reads JSON of a known form from a stream. It stops at the first key, length
// or type that is not expected, so that a body takes no more memory than its values.
type jsonReader struct {
	r     *bufio.Reader
	lease *lease // pays for the values
	what  string // the text that is read, for errors
	end   string // the error of a text that ends early
}

func newJSON(r io.Reader, l *lease) *jsonReader {
	return &jsonReader{r: bufio.NewReader(r), lease: l, what: "body: expected one JSON object", end: io.ErrUnexpectedEOF.Error()}
}

// broken returns the problem of text that is no JSON. Problems of the connection stay.
func (j *jsonReader) broken(err error) error {
	var p *problem
	switch {
	case errors.As(err, &p), errors.Is(err, errLeft), errors.Is(err, errMemory):
		return err
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return unreadable("%s: %s", j.what, j.end)
	}
	return unreadable("%s: %v", j.what, err)
}

// unexpected returns the problem of a character.
func (j *jsonReader) unexpected(c byte, where string) error {
	return unreadable("%s: invalid character %q %s", j.what, c, where)
}

// peek returns the next character that is not white space, without reading it.
func (j *jsonReader) peek() (byte, error) {
	for {
		c, err := j.r.ReadByte()
		if err != nil {
			return 0, j.broken(err)
		}
		if c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			return c, j.r.UnreadByte()
		}
	}
}

// open reads the first character of a value. If the value is of another kind, it returns
// the problem of the field; null counts as missing.
func (j *jsonReader) open(field, want string, first byte) (ok bool, err error) {
	c, err := j.peek()
	switch {
	case err != nil:
		return false, err
	case c == first:
		_, err := j.r.Discard(1)
		return true, err
	}
	got, err := j.other()
	switch {
	case err != nil:
		return false, err
	case got == "null":
		return false, nil
	}
	return false, invalid(field, "expected %s, got %s", want, got)
}

// other describes a value for an error. It reads literals and numbers.
func (j *jsonReader) other() (string, error) {
	c, err := j.peek()
	if err != nil {
		return "", err
	}
	switch {
	case c == '{':
		return "object", nil
	case c == '[':
		return "array", nil
	case c == '"':
		return "string", nil
	case c == '-' || '0' <= c && c <= '9':
		text, err := j.number()
		return "number " + text, err
	}
	text, err := j.literal()
	if err == nil && text != "null" {
		text = "bool"
	}
	return text, err
}

// literal reads true, false or null.
func (j *jsonReader) literal() (string, error) {
	c, err := j.peek()
	if err != nil {
		return "", err
	}
	text := map[byte]string{'t': "true", 'f': "false", 'n': "null"}[c]
	if text == "" {
		return "", j.unexpected(c, "looking for beginning of value")
	}
	for i := range len(text) {
		c, err := j.r.ReadByte()
		if err != nil {
			return "", j.broken(err)
		}
		if c != text[i] {
			return "", j.unexpected(c, "in literal "+text)
		}
	}
	return text, nil
}

// number reads the text of a number.
func (j *jsonReader) number() (string, error) {
	var buffer [maxText]byte
	text := buffer[:0]
	for {
		c, err := j.r.ReadByte()
		if err == io.EOF {
			break
		}
		if err != nil {
			return "", j.broken(err)
		}
		if c != '-' && c != '+' && c != '.' && c != 'e' && c != 'E' && (c < '0' || c > '9') {
			if err := j.r.UnreadByte(); err != nil {
				return "", j.broken(err)
			}
			break
		}
		if len(text) == maxText {
			return "", unreadable("%s: expected numbers of at most %d bytes, got more", j.what, maxText)
		}
		text = append(text, c)
	}
	if !json.Valid(text) {
		return "", unreadable("%s: invalid number %q", j.what, text)
	}
	return string(text), nil
}

// text reads a text after its opening quote.
func (j *jsonReader) text(field string) (string, error) {
	raw := []byte{'"'}
	for escaped := false; ; {
		c, err := j.r.ReadByte()
		if err != nil {
			return "", j.broken(err)
		}
		raw = append(raw, c)
		if c == '"' && !escaped {
			break
		}
		escaped = c == '\\' && !escaped
		if len(raw) > maxText {
			return "", invalid(field, "expected a text of at most %d bytes, got more", maxText)
		}
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", j.broken(err)
	}
	return s, nil
}

// object reads an object. It calls member for each key, which must read the value.
func (j *jsonReader) object(field string, most int, member func(key string) error) error {
	ok, err := j.open(field, "an object", '{')
	if !ok || err != nil {
		return err
	}
	seen := map[string]bool{}
	for first := true; ; first = false {
		c, err := j.peek()
		switch {
		case err != nil:
			return err
		case c == '}' && first:
			_, err := j.r.Discard(1)
			return err
		case c != '"':
			return j.unexpected(c, "looking for beginning of object key string")
		}
		if _, err := j.r.Discard(1); err != nil {
			return err
		}
		key, err := j.text(field)
		switch {
		case err != nil:
			return err
		case seen[key]:
			return invalid(key, "expected this key once, got it twice")
		case len(seen) == most:
			return invalid(field, "expected at most %d keys, got more", most)
		}
		seen[key] = true
		if err := j.mark(':', "after object key"); err != nil {
			return err
		}
		if err := member(key); err != nil {
			return err
		}
		if more, err := j.more('}', "after object key:value pair"); !more {
			return err
		}
	}
}

// document reads the object that is the whole text.
func (j *jsonReader) document(most int, member func(key string) error) error {
	end := j.end
	j.end = io.EOF.Error()
	_, err := j.peek()
	j.end = end
	if err != nil {
		return err
	}
	if err := j.object("body", most, member); err != nil {
		return err
	}
	return j.finish()
}

// mark reads a punctuation mark.
func (j *jsonReader) mark(want byte, where string) error {
	c, err := j.peek()
	if err != nil {
		return err
	}
	if c != want {
		return j.unexpected(c, where)
	}
	_, err = j.r.Discard(1)
	return err
}

// more reads a comma, or the end of a list.
func (j *jsonReader) more(end byte, where string) (bool, error) {
	c, err := j.peek()
	switch {
	case err != nil:
		return false, err
	case c != ',' && c != end:
		return false, j.unexpected(c, where)
	}
	_, err = j.r.Discard(1)
	return c == ',' && err == nil, err
}

// array reads an array. It calls item for each value, which must read it. given is false
// for null.
func (j *jsonReader) array(field, want string, item func(i int) error) (given bool, err error) {
	ok, err := j.open(field, want, '[')
	if !ok || err != nil {
		return false, err
	}
	return true, j.items(item)
}

// items reads the values of an array after its opening bracket.
func (j *jsonReader) items(item func(i int) error) error {
	c, err := j.peek()
	if err != nil {
		return err
	}
	if c == ']' {
		_, err := j.r.Discard(1)
		return err
	}
	for i := 0; ; i++ {
		if err := item(i); err != nil {
			return err
		}
		if more, err := j.more(']', "after array element"); !more {
			return err
		}
	}
}

// str reads a text; null is the empty text.
func (j *jsonReader) str(field string) (string, error) {
	ok, err := j.open(field, "a text", '"')
	if !ok || err != nil {
		return "", err
	}
	return j.text(field)
}

// scalar reads a number or a literal with parse; null is the zero value.
func scalar[T any](j *jsonReader, field, want string, parse func(string) (T, error)) (v T, err error) {
	c, err := j.peek()
	if err != nil {
		return v, err
	}
	var text string
	switch {
	case c == '-' || '0' <= c && c <= '9':
		text, err = j.number()
	case c == 't' || c == 'f' || c == 'n':
		text, err = j.literal()
	default:
		text, err = j.other()
		if err == nil {
			err = invalid(field, "expected %s, got %s", want, text)
		}
	}
	if err != nil || text == "null" {
		return v, err
	}
	if v, err = parse(text); err != nil {
		got := "bool"
		if c != 't' && c != 'f' {
			got = "number " + text
		}
		return v, invalid(field, "expected %s, got %s", want, got)
	}
	return v, nil
}

func (j *jsonReader) integer(field string) (int, error) {
	return scalar(j, field, "a whole number", strconv.Atoi)
}

func (j *jsonReader) unsigned(field string) (uint64, error) {
	return scalar(j, field, "a whole number", func(s string) (uint64, error) { return strconv.ParseUint(s, 10, 64) })
}

func (j *jsonReader) float(field string) (float64, error) {
	return scalar(j, field, "a number", func(s string) (float64, error) { return strconv.ParseFloat(s, 64) })
}

func (j *jsonReader) boolean(field string) (bool, error) {
	return scalar(j, field, "true or false", func(s string) (bool, error) {
		if s != "true" && s != "false" {
			return false, strconv.ErrSyntax
		}
		return s == "true", nil
	})
}

// integers reads an array of at most most whole numbers.
func (j *jsonReader) integers(field string, most int) (out []int, err error) {
	_, err = j.array(field, "an array of whole numbers", func(i int) error {
		if i == most {
			return invalid(field, "expected 1 to %d axes, got %d or more", most, most+1)
		}
		n, err := j.integer(fmt.Sprintf("%s[%d]", field, i))
		out = append(out, n)
		return err
	})
	return out, err
}

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
		err := j.items(func(int) error { return j.value(v) })
		return v.list, err
	case '"':
		if _, err := j.r.Discard(1); err != nil {
			return nil, err
		}
		return v.list, v.readBase64(&quoted{j: j})
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
		x, err := strconv.ParseFloat(text, 32)
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

// finish checks that nothing but white space follows.
func (j *jsonReader) finish() error {
	for {
		c, err := j.r.ReadByte()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return j.broken(err)
		}
		if c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			return unreadable("%s, got more after it", j.what)
		}
	}
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

package serve

import (
	"bufio"
	"errors"
	"io"
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

	digits [maxText]byte // of the last number
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

package serve

import (
	"encoding/json"
	"io"
)

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
		return "number " + string(text), err
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

// number reads the text of a number. The text is valid until the next call.
func (j *jsonReader) number() ([]byte, error) {
	text := j.digits[:0]
	for {
		c, err := j.r.ReadByte()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, j.broken(err)
		}
		if c != '-' && c != '+' && c != '.' && c != 'e' && c != 'E' && (c < '0' || c > '9') {
			if err := j.r.UnreadByte(); err != nil {
				return nil, j.broken(err)
			}
			break
		}
		if len(text) == maxText {
			return nil, unreadable("%s: expected numbers of at most %d bytes, got more", j.what, maxText)
		}
		text = append(text, c)
	}
	if !json.Valid(text) {
		return nil, unreadable("%s: invalid number %q", j.what, text)
	}
	return text, nil
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

package serve

import (
	"fmt"
	"strconv"
)

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
		var digits []byte
		digits, err = j.number()
		text = string(digits)
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

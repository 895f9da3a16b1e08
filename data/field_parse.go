package data

import (
	"fmt"
	"strings"
)

// ParseFields parses fields, separated by commas. A field is a name, followed by :vector or
// :tensor unless it is a scalar, and by :constant if it does not change with time, such as
// "pressure,velocity:vector,mask:constant".
func ParseFields(s string) ([]Field, error) {
	var out []Field
	for _, text := range strings.Split(s, ",") {
		words := strings.Split(text, ":")
		f := Field{Name: words[0]}
		for _, word := range words[1:] {
			switch word {
			case "scalar":
				f.Order = 0
			case "vector":
				f.Order = 1
			case "tensor":
				f.Order = 2
			case "constant":
				f.Constant = true
			default:
				return nil, fmt.Errorf("field %q: expected scalar, vector, tensor or constant after the name, got %q", text, word)
			}
		}
		if err := f.Validate(); err != nil {
			return nil, fmt.Errorf("%q: %w", s, err)
		}
		out = append(out, f)
	}
	return out, nil
}

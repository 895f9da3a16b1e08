package yamltext

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Mapping is a YAML mapping in order.
type Mapping []Entry

// Entry is a key and its value: a Mapping, Block, string, int, float64, bool, nil, []int,
// [][]int or Keep.
type Entry struct {
	Key   string
	Value any
}

// Block is a mapping that [Edit] replaces as a whole.
type Block Mapping

// Keep is a switch that has no effect given the other settings. A new document gets its
// value; [Edit] does not change it.
type Keep bool

// String returns the mapping as a YAML document: block style, two spaces, list items flush
// with their key, as in the configurations that the reference writes.
func (m Mapping) String() string {
	var b strings.Builder
	for _, e := range m {
		emit(&b, 0, e)
	}
	return b.String()
}

// emit writes one key and its value.
func emit(b *strings.Builder, indent int, e Entry) {
	pad := strings.Repeat(" ", indent)
	b.WriteString(pad + scalar(e.Key) + ":")
	switch v := e.Value.(type) {
	case Block:
		emitMapping(b, indent, Mapping(v))
	case Mapping:
		emitMapping(b, indent, v)
	case []int:
		emitList(b, pad, v, func(i int) string { return "- " + strconv.Itoa(i) })
	case [][]int:
		emitList(b, pad, v, func(pair []int) string {
			items := make([]string, len(pair))
			for i, n := range pair {
				items[i] = "- " + strconv.Itoa(n)
			}
			return "- " + strings.Join(items, "\n"+pad+"  ")
		})
	default:
		b.WriteString(" " + scalar(v) + "\n")
	}
}

func emitMapping(b *strings.Builder, indent int, m Mapping) {
	if len(m) == 0 {
		b.WriteString(" {}\n")
		return
	}
	b.WriteString("\n")
	for _, e := range m {
		emit(b, indent+2, e)
	}
}

func emitList[T any](b *strings.Builder, pad string, items []T, line func(T) string) {
	if len(items) == 0 {
		b.WriteString(" []\n")
		return
	}
	b.WriteString("\n")
	for _, item := range items {
		b.WriteString(pad + line(item) + "\n")
	}
}

// plain matches strings that need no quotes in any version of YAML unless they are
// reserved words.
var plain = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_./-]*$`)

// reserved holds the words that YAML 1.1 or 1.2 does not read as strings.
var reserved = map[string]bool{
	"null": true, "true": true, "false": true, "yes": true, "no": true,
	"on": true, "off": true, "y": true, "n": true,
}

// scalar writes a scalar so that YAML 1.1 and 1.2 read the same value.
func scalar(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		if plain.MatchString(v) && !reserved[strings.ToLower(v)] {
			return v
		}
		var b strings.Builder
		enc := json.NewEncoder(&b) // YAML's double quotes include JSON's
		enc.SetEscapeHTML(false)
		if err := enc.Encode(v); err != nil {
			return strconv.Quote(v)
		}
		return strings.TrimSuffix(b.String(), "\n")
	case float64:
		// YAML 1.1 reads 1e-10 as a string and 1.0e-10 as a number.
		s := strconv.FormatFloat(v, 'g', -1, 64)
		if strings.Contains(s, ".") {
			return s
		}
		mantissa, exponent, found := strings.Cut(s, "e")
		if found {
			return mantissa + ".0e" + exponent
		}
		return s + ".0"
	}
	return fmt.Sprint(v)
}

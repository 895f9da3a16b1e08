package yamltext

import (
	"strings"
	"testing"
)

// FuzzDecode: no text panics, and errors have one line.
func FuzzDecode(f *testing.F) {
	for _, text := range []string{
		"a: 1e-5\nb: [1, {c: d}]\n", "freeze: !a b", "a: &a [*a]", "a: &a x\nb: *a\n<<: {c: 1}", "- - - 1\n", "? a\n: b\n", "a: |\n  b\n", "--- 1\n...\n",
		strings.Repeat("[", 300), strings.Repeat("{a: ", 300), "a: \"\\x41\\u00e4\"\n", "%YAML 1.2\n---\na: 1\n", "\ta: 1", "a: 0x1F\nb: 0o17\nc: .inf\nd: ~\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := Parse(text)
		if err == nil {
			var v any
			err = Decode(d.Root, &v)
		}
		if err == nil {
			var v struct {
				A []string
				B map[string]float64
				C *int
				D bool
			}
			err = Decode(d.Root, &v)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Fatalf("an error of several lines: %q", err)
		}
	})
}

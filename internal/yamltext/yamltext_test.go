package yamltext

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// decode parses a text and decodes it into any value.
func decode(text string) (v any, err error) {
	d, err := Parse([]byte(text))
	if err != nil {
		return nil, err
	}
	return v, Decode(d.Root, &v)
}

func TestDecode(t *testing.T) {
	for text, want := range map[string]any{
		"a: 1e-5":                       map[string]any{"a": 1e-5},
		"a: [-2E+3, +3e2]":              map[string]any{"a": []any{-2e3, 3e2}},
		"a: '1e-5'":                     map[string]any{"a": "1e-5"},
		"a: 1e\nb: e5\nc: 1e-\nd: v1e5": map[string]any{"a": "1e", "b": "e5", "c": "1e-", "d": "v1e5"},
		"a: &x [1, 2]\nb: *x":           map[string]any{"a": []any{uint64(1), uint64(2)}, "b": []any{uint64(1), uint64(2)}},
		"a: {b: [{c: 3}]} # [[[":        map[string]any{"a": map[string]any{"b": []any{map[string]any{"c": uint64(3)}}}},
		"a: " + strings.Repeat("x ", MaxBytes/3) + "y": map[string]any{"a": strings.Repeat("x ", MaxBytes/3) + "y"},
	} {
		got, err := decode(text)
		require.NoError(t, err, "%.80s", text)
		assert.Equal(t, want, got)
	}
}

func TestErrors(t *testing.T) {
	laughs := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := 1; i < 9; i++ {
		laughs += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	many := ""
	for i := range MaxTokens {
		many += fmt.Sprintf("a%d: 1\n", i)
	}
	for name, c := range map[string]struct{ text, want string }{
		"empty":            {"", ErrEmpty.Error()},
		"comment":          {"# nothing", ErrEmpty.Error()},
		"large":            {strings.Repeat("#\n", MaxBytes), "expected at most 524288 bytes of YAML, got more"},
		"binary":           {"a: \xff", "expected UTF-8 text"},
		"two documents":    {"a: 1\n---\nb: 2", "expected one YAML document, got 2"},
		"brackets":         {"a: 1\nb: " + strings.Repeat("[", 1e5), "line 2: nested more than 256 levels deep"},
		"braces":           {strings.Repeat("{a: ", 300), "line 1: nested more than 256 levels deep"},
		"bracket per line": {strings.Repeat("[\n", 300), "line 257: nested more than 256 levels deep"},
		"list in list":     {strings.Repeat("- ", 300) + "1", "nested more than 256 levels deep"},
		"keys":             {strings.Repeat("? ", 300) + "1", "nested more than 256 levels deep"},
		"tags":             {strings.Repeat("!a ", 300) + "1", "nested more than 256 levels deep"},
		"tags in a list":   {"[" + strings.Repeat("!a ", 300) + "1]", "nested more than 256 levels deep"},
		"anchors":          {strings.Repeat("&a ", 300) + "1", "nested more than 256 levels deep"},
		"many keys":        {many, "expected at most 16384 values and punctuation marks in a text, got more"},
		"aliases":          {laughs, "line 5: expected aliases that stand for at most 65536 values, got more"},
		"alias of itself":  {"a: 1\nb: &b [*b]", "line 2: the alias *b is part of its own anchor"},
		"tag":              {"a: 1\nfreeze: !a b", "line 2: expected a value without a tag, got the tag !a"},
		"tag of YAML":      {"a: !!str 1", "line 1: expected a value without a tag, got the tag !!str"},
		"key twice":        {"a: 1\na: 2", `line 2: mapping key "a" already defined`},
		"broken":           {"a: [1\nb: }", "line "},
		"large number":     {"a: 1\nb: 1e400", "line 2: expected a number within float64, got 1e400"},
		"unknown alias":    {"a: 1\nb: *c", `line 2: could not find alias "c"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := decode(c.text)
			require.ErrorContains(t, err, c.want)
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

// TestManyEntries: entries next to each other are no depth, in block and in flow style.
func TestManyEntries(t *testing.T) {
	for _, text := range []string{
		strings.Repeat("- &a x\n", 1000), strings.Repeat("- - x\n", 1000), "[" + strings.Repeat("&a x, ", 1000) + "1]",
		"[" + strings.Repeat("{a: &b 1}, ", 1000) + "1]", "a:\n" + strings.Repeat("- b: 1\n  c: 2\n", 1000), "[" + strings.Repeat("[1], ", 1000) + "1]",
	} {
		_, err := Parse([]byte(text))
		require.NoError(t, err, "%.20s", text)
	}
}

// TestPanics: a panic of package yaml is an error.
func TestPanics(t *testing.T) {
	err := Decode(nil, new(int))
	require.ErrorContains(t, err, "expected YAML, got a text that the parser fails on")
}

// TestTypeError: errors of values have a line and wrap those of package yaml.
func TestTypeError(t *testing.T) {
	d, err := Parse([]byte("a: 1\nepochs: many"))
	require.NoError(t, err)
	var v struct{ Epochs int }
	err = Decode(d.Root, &v)
	var wrong *yaml.TypeError
	require.ErrorAs(t, err, &wrong)
	var at *Error
	require.ErrorAs(t, err, &at)
	assert.Equal(t, 2, at.Line)
}

func TestReadFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.yaml")
	_, err := ReadFile(path)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, os.WriteFile(path, make([]byte, MaxBytes), 0o600))
	text, err := ReadFile(path)
	require.NoError(t, err)
	assert.Len(t, text, MaxBytes)
	require.NoError(t, os.Truncate(path, 1<<40))
	_, err = ReadFile(path)
	require.EqualError(t, err, path+": expected at most 524288 bytes of YAML, got more")
}

// TestMemory: texts at the limits, and far beyond them, take little memory.
func TestMemory(t *testing.T) {
	for _, unit := range []string{"[", "{a: ", "- ", "? ", "!a ", "&a ", "a: ", "\"", ": ", "1,", "x\n", "- 1\n", "---\n", "%a\n", "[]", "*a ", "a: [1, 2]\n", "# a\n"} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _ = decode("a: [" + strings.Repeat(unit, MaxBytes/len(unit)-8))
		_, _ = decode(strings.Repeat(unit, MaxTokens/len(unit)))
		runtime.ReadMemStats(&after)
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(256<<20), "%q", unit)
	}
}

// TestNumbersInText: what YAML 1.1 reads as a number, too.
func TestNumbersInText(t *testing.T) {
	for v, want := range map[float64]string{0: "0.0", 0.05: "0.05", 1e-10: "1.0e-10", 1.5e-7: "1.5e-07", 1: "1.0", 1e21: "1.0e+21"} {
		require.Equal(t, "x: "+want+"\n", Mapping{{Key: "x", Value: v}}.String())
	}
}

// TestEdit: only the lines of changed settings change.
func TestEdit(t *testing.T) {
	type m = Mapping
	const text = "a: 1 # one\nb:\n  c: x # about c\n  # about d\n  d: [1]\ne: 2\n"
	from := m{{Key: "a", Value: 1}, {Key: "b", Value: m{{Key: "c", Value: "x"}}}, {Key: "e", Value: 2}}
	got, err := Edit([]byte(text), from, m{{Key: "a", Value: 1}, {Key: "b", Value: m{{Key: "c", Value: "z"}, {Key: "f", Value: []int{3, 4}}}}})
	require.NoError(t, err)
	require.Equal(t, "a: 1 # one\nb:\n  f:\n  - 3\n  - 4\n  c: z\n  # about d\n  d: [1]\n", string(got))

	_, err = Edit([]byte("b: {c: x}\n"), from, m{{Key: "b", Value: m{{Key: "c", Value: "z"}}}})
	require.ErrorContains(t, err, "b.c: the section around it is written as {…}")
}

// TestSection: every key that is wrong, missing or not read is a problem with its path.
func TestSection(t *testing.T) {
	doc, err := Parse([]byte("a: 1\nb: {c: x, k: 2}\n"))
	require.NoError(t, err)
	r := &Reader{Document: doc, Name: "test"}
	root := r.Root()
	require.Equal(t, 1, root.Int("a"))
	b := root.Child("b")
	require.Zero(t, b.Int("c"))
	require.Zero(t, b.OneOf("class", "p", "q"))
	b.Done()
	require.Zero(t, root.Child("none").Int("x"), "a missing section is reported once")
	root.Done()
	var texts []string
	for _, e := range r.Errs {
		texts = append(texts, e.Error())
	}
	require.Equal(t, []string{
		`test: b.c (line 2): expected an integer, got "x"`,
		"test: b.class: missing: expected a string",
		"test: b.k (line 2): unknown key; this library knows c, class here",
		"test: none: missing: expected a mapping",
	}, texts)
}
